#!/usr/bin/env python3
"""Instructions that a network takes on ARM, counted under qemu: no board, and no noise, so that a regression shows.

Usage: arm_instructions.py [--run COMMAND] MODEL.bnn...

  --run  bnn-run and the emulator in front of it; default: that of build/small-aarch64 as a Cortex-A72
         "qemu-aarch64 -cpu cortex-a72 -L build/sysroot-arm64 build/small-aarch64/bin/bnn-run"

Prints a line a network: the instructions of one run, loading left out (the difference of a process that runs it three
times and one that runs it once), the network's multiply-adds, and binary multiply-adds an instruction, of which NEON's
inner loops alone have 32 to 37.

Needs qemu-user 4.2 to 8.2, as in Debian 12, and a C compiler for its plugin (bench/qemu_count.c). Exit code 77, with the
reason, where they are missing.
"""

import argparse
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT = f"qemu-aarch64 -cpu cortex-a72 -L {ROOT}/build/sysroot-arm64 {ROOT}/build/small-aarch64/bin/bnn-run"


def build_plugin(folder):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        print("arm_instructions.py: SKIPPED: no C compiler")
        sys.exit(77)
    plugin = pathlib.Path(folder) / "qemu_count.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", str(ROOT / "bench/qemu_count.c"), "-o", str(plugin)], check=True)
    return plugin


def count(command, plugin, model, runs):
    """(instructions of the whole process, what bnn-run prints as JSON)."""
    emulator, *rest = shlex.split(command)
    if shutil.which(emulator) is None:
        print(f"arm_instructions.py: SKIPPED: {emulator} is missing (package qemu-user)")
        sys.exit(77)
    result = subprocess.run(
        [emulator, "-plugin", str(plugin), "-d", "plugin", *rest, model]
        + ["--json", "--plan", "--batch", "1", "--warmup", "0", "--repeat", str(runs)],
        capture_output=True,
        text=True,
    )
    counted = re.search(r"^instructions (\d+)$", result.stderr, flags=re.MULTILINE)
    if result.returncode != 0 or counted is None:
        print(f"{model}: exit code {result.returncode}: {result.stderr.strip()}")
        sys.exit(1)
    return int(counted.group(1)), json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--run", default=DEFAULT)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    print(f"{'network':<28} {'instructions':>14} {'binary MACs':>14} {'other MACs':>12} {'binary MACs/instruction':>24}")
    with tempfile.TemporaryDirectory() as folder:
        plugin = build_plugin(folder)
        for model in options.models:
            once, _ = count(options.run, plugin, model, 1)
            thrice, report = count(options.run, plugin, model, 3)
            instructions = (thrice - once) // 2
            binary = sum(step["macs"] for step in report["plan"] if step["is_binary"])
            other = sum(step["macs"] for step in report["plan"]) - binary
            print(
                f"{pathlib.Path(model).stem:<28} {instructions:>14,} {binary:>14,} {other:>12,}"
                f" {binary / instructions:>24.2f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
