#!/usr/bin/env python3
"""Checks that no source file outgrows a reader: at most 500 lines, apart from the exceptions below with their reasons.

Usage: file_sizes.py ROOT
"""

import sys
import tempfile

import source_tree

MAX_LINES = 500

# path: why one idea needs more lines. An entry that is not needed any more is an error too.
EXCEPTIONS = {}


def problems_of(root, exceptions):
    too_long = {}
    for path, file in source_tree.source_files(root, source_tree.ALL_SUFFIXES):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            too_long[path] = lines
    problems = [f"{p}: {n} lines, at most {MAX_LINES}" for p, n in too_long.items() if p not in exceptions]
    problems += [f"{p}: listed as an exception, but it is short or absent" for p in exceptions if p not in too_long]
    return problems


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = source_tree.pathlib.Path(folder)
        (root / "kernels").mkdir()
        (root / "kernels" / "long.cc").write_text("\n" * (MAX_LINES + 1), encoding="utf-8")
        (root / "kernels" / "short.cc").write_text("\n" * MAX_LINES, encoding="utf-8")
        assert problems_of(root, {}) == [f"kernels/long.cc: {MAX_LINES + 1} lines, at most {MAX_LINES}"]
        assert problems_of(root, {"kernels/long.cc": "why"}) == []
        assert len(problems_of(root, {"kernels/long.cc": "why", "kernels/short.cc": "why"})) == 1


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    self_test()
    problems = problems_of(source_tree.pathlib.Path(arguments[1]), EXCEPTIONS)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems with file sizes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
