#!/usr/bin/env python3
"""Static throughput of the NEON inner loops: what LLVM's models of ARM cores make of them, without a board.

Finds the inner loop of each tile of bconv2d_neon in a cross-built object, runs llvm-mca on it for each core, and prints
binary multiply-adds (MACs) a cycle beside the bound: one vector operation of 128 bits a cycle and pipe, three operations
for 128 MACs. Exit code 1 if the largest tile misses the share that is asked of a core.

Usage: arm_mca.py [OBJECT]
  OBJECT  bconv2d_neon.cc.o; the default is that of build/small-aarch64 (cmake --preset small-aarch64 && cmake --build --preset
          small-aarch64 --target bnn_kernels)

Needs llvm-mca 19 or later, whose models know these cores (package llvm-19), and aarch64-linux-gnu-objdump (package
binutils-aarch64-linux-gnu). Exit code 77, with the reason, where they are missing.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "build/small-aarch64/kernels/CMakeFiles/bnn_kernels.dir/bconv2d/bconv2d_neon.cc.o"
ITERATIONS = 200
MACS_A_COUNT = 128  # one cnt on 16 bytes

# Core, vector operations of 128 bits that it starts a cycle (the vendor's optimization guides), least share asked for.
CORES = [
    ("cortex-a53", 1, None),
    ("cortex-a55", 1, 0.85),
    ("cortex-a72", 2, 0.95),
    ("cortex-a76", 2, 0.95),
    ("neoverse-n1", 2, None),
    ("neoverse-v1", 4, None),
]

BRANCH = re.compile(r"(b\.\w+|cbn?z|tbn?z)\s.*?([0-9a-f]+) <")


def tool(names, package):
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    print(f"arm_mca.py: SKIPPED: {names[0]} is missing (package {package})")
    sys.exit(77)


def functions(objdump, file):
    """{symbol: [(address, instruction)]} of an object."""
    text = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", str(file)], check=True, capture_output=True, text=True
    ).stdout
    result, body = {}, None
    for line in text.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            body = result.setdefault(match.group(1), [])
        elif body is not None and (match := re.match(r"^\s+([0-9a-f]+):\t(.*)$", line)):
            body.append((int(match.group(1), 16), match.group(2).split("//")[0].strip()))
    return result


def inner_loop(body):
    """The instructions of the loop without branches inside that counts most, or None."""
    best, most = None, 0
    for address, text in body:
        match = BRANCH.match(text)
        if not match or int(match.group(2), 16) > address:
            continue
        loop = [t for a, t in body if int(match.group(2), 16) <= a <= address]
        counts = sum(t.startswith("cnt") for t in loop)
        if counts > most and not any(BRANCH.match(t) for t in loop[:-1]):
            best, most = loop, counts
    return best


def cycles(mca, core, loop):
    """Cycles of one iteration."""
    last = re.sub(r"[0-9a-f]+ <.*", "0", loop[-1])
    source = "\n".join(loop[:-1] + [last]) + "\n"
    command = [mca, "-mtriple=aarch64", f"-mcpu={core}", f"-iterations={ITERATIONS}", "-"]
    output = subprocess.run(command, input=source, check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", output).group(1)) / ITERATIONS


def main(arguments):
    if len(arguments) > 2 or arguments[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0 if len(arguments) == 2 else 2
    file = pathlib.Path(arguments[1]) if len(arguments) == 2 else DEFAULT
    objdump = tool(["aarch64-linux-gnu-objdump"], "binutils-aarch64-linux-gnu")
    mca = tool([f"llvm-mca-{version}" for version in range(30, 18, -1)], "llvm-19")
    if not file.is_file():
        print(f"arm_mca.py: SKIPPED: {file} is not built")
        return 77

    tiles = []
    for symbol, body in functions(objdump, file).items():
        match = re.search(r"CountVectorsILi(\d+)E", symbol)
        loop = inner_loop(body) if match else None
        if loop:
            tiles.append((int(match.group(1)), loop))
    if not tiles:
        print(f"arm_mca.py: {file} has no inner loop with cnt", file=sys.stderr)
        return 1

    failures = 0
    print(f"{'pixels':>6}  {'core':12} {'operations':>10} {'cycles':>7} {'MACs/cycle':>10} {'bound':>6} {'share':>6}")
    for pixels, loop in sorted(tiles, reverse=True):
        counts = sum(t.startswith("cnt") for t in loop)
        # Vector operations: what has a vector operand and neither loads nor stores.
        operations = sum(bool(re.search(r"\bv\d+\.", t)) and not re.match(r"ld|st", t) for t in loop)
        for core, pipes, least in CORES:
            taken = cycles(mca, core, loop)
            macs, bound = counts * MACS_A_COUNT / taken, MACS_A_COUNT / 3 * pipes
            missed = least is not None and pixels == max(tiles)[0] and macs < least * bound
            failures += missed
            print(
                f"{pixels:6}  {core:12} {operations / counts:10.2f} {taken:7.1f} {macs:10.1f} {bound:6.1f}"
                f" {macs / bound:6.1%}{f'  MISSES {least:.0%}' if missed else ''}"
            )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
