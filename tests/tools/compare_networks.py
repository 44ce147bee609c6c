#!/usr/bin/env python3
"""Whole networks on two builds of bnn-run, one of which mostly runs under qemu: their outputs, sample by sample.

Usage: compare_networks.py [--samples N] [--tolerance X] --runs COMMAND COMMAND -- MODEL.bnn...

  --runs       the two programs as shell words, e.g. build/small/bin/bnn-run
               "qemu-aarch64 -cpu cortex-a72 -L build/sysroot-arm64 build/small-aarch64/bin/bnn-run"
  --samples    random samples of each network (default 2)
  --tolerance  of |difference| / max(1, largest |output|); default 1e-5

Binary layers are integers and equal on every processor, which the tests of the kernels show operator by operator. Float
layers sum in an order of their own on each processor; where the sign of such a sum decides a bit, the last rounding may
turn it, and with it the outputs. So a network that differs by more than the tolerance in some samples fails the test
unless it has float layers in front of binary ones; even then most of its samples must agree. Exit code 1: some network
fails.
"""

import argparse
import array
import json
import math
import pathlib
import random
import shlex
import struct
import subprocess
import sys
import tempfile


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        array.array("f", values).tofile(file)


def read_npy(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<H", data, 8)
    return array.array("f", data[10 + length :])


class Failure(Exception):
    pass


def run(command, arguments):
    result = subprocess.run(shlex.split(command) + arguments, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"{command}: exit code {result.returncode}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def has_floats_before_bits(plan):
    floats = False
    for step in plan:
        if step["is_binary"] and floats:
            return True
        floats = floats or step["arithmetic"] == "float32"
    return False


def compare(model, commands, samples, scratch):
    """(samples that are equal bit for bit, relative differences of the samples, plan of the first program)."""
    info = run(commands[0], [model, "--json", "--plan", "--batch", "1", "--repeat", "1", "--warmup", "0"])
    noise = random.Random(1)
    arguments = [model, "--json", "--batch", "1"]
    for index, tensor in enumerate(info["inputs"]):
        # On a grid of 1/256: sums of a few such numbers are exact, as those of pixels are.
        count = samples * math.prod(tensor["shape"][1:])
        values = [round(noise.gauss(0, 1) * 256) / 256 for _ in range(count)]
        file = scratch / f"input{index}.npy"
        write_npy(file, [samples] + tensor["shape"][1:], values)
        arguments += ["--input", f"{tensor['name']}={file}"]
    outputs = []
    for index, command in enumerate(commands):
        folder = scratch / f"run{index}"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        run(command, arguments + ["--output", str(folder / "y.npy")])
        outputs.append([read_npy(file) for file in sorted(folder.iterdir())])
    equal, differences = 0, []
    for sample in range(samples):
        worst, same = 0.0, True
        for ours, theirs in zip(*outputs, strict=True):
            size = len(ours) // samples
            a, b = ours[sample * size : (sample + 1) * size], theirs[sample * size : (sample + 1) * size]
            if len(ours) != len(theirs) or any(math.isnan(x) for x in b):
                raise Failure(f"{model}: outputs of another size, or NaN")
            scale = max(1.0, max(map(abs, a)))
            worst = max([worst] + [abs(x - y) / scale for x, y in zip(a, b)])
            same = same and a == b
        equal += same
        differences.append(worst)
    return equal, differences, info["plan"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--runs", nargs=2, required=True)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    failures = 0
    print(f"{'network':<28} {'samples':>7} {'equal bit for bit':>18} {'within':>7} {'largest difference':>19}")
    for model in options.models:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                equal, differences, plan = compare(model, options.runs, options.samples, pathlib.Path(scratch))
            except Failure as failure:
                print(f"{failure}")
                failures += 1
                continue
        within = sum(difference <= options.tolerance for difference in differences)
        needed = len(differences) // 2 + 1 if has_floats_before_bits(plan) else len(differences)
        verdict = "" if within >= needed else "  FAILED"
        failures += within < needed
        print(
            f"{pathlib.Path(model).stem:<28} {options.samples:>7} {equal:>18} {within:>7} {max(differences):>19.2g}"
            f"{verdict}",
            flush=True,
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
