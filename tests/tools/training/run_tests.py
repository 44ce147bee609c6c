#!/usr/bin/env python3
"""Tests of tools/training. Exit code 77, with the reason printed, where PyTorch is absent.

Usage: run_tests.py [BNN_CONVERT BNN_RUN]: with both programs, exported networks are converted and run, too.

The fixtures in data/ hold what NNCF 2.5 itself computes and exports; data/make_nncf_fixtures.py made them.
"""

import pathlib
import sys
import unittest

try:
    import torch
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)


def main():
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    import support

    support.PROGRAMS.extend(sys.argv[1:3])
    torch.set_num_threads(1)
    names = ["config_test", "model_test", "trainer_test", "export_test", "quantized_test"]
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(names))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
