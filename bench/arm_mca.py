#!/usr/bin/env python3
"""Static throughput of the NEON inner loops: what LLVM's models of ARM cores make of them, without a board.

Finds the inner loop of each tile of CountNeon, CountNeonSha3 and CountSve (kernels/arm) in cross-built kernels, runs
llvm-mca on it for each core, and prints binary multiply-adds (MACs) a cycle beside the bound: one vector operation a cycle
and pipe, 3 operations for as many MACs as a vector has bits, or 2.5 with EOR3, of which one is EOR3 and has one pipe on
the cores of Arm. Exit code 1 if the largest tile misses the share that is asked of a core.

Usage: arm_mca.py [FILE...]
  FILE  objects or archives; the default is build/small-aarch64/lib/libbnn_kernels.a and, for EOR3 and SVE, the same
        of build/aarch64 (cmake --preset aarch64 && cmake --build --preset aarch64 --target bnn_kernels)

Needs llvm-mca 19 or later, whose models know these cores (package llvm-19), and aarch64-linux-gnu-objdump (package
binutils-aarch64-linux-gnu). Exit code 77, with the reason, where they are missing.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT = [ROOT / f"build/{preset}/lib/libbnn_kernels.a" for preset in ("small-aarch64", "aarch64")]
ITERATIONS = 200

# Core, vector operations that it starts a cycle (the vendor's optimization guides), least share asked for.
# Of the cores with EOR3 those are asked that BestIsa (kernels/cpu_features.cc) lets use it; the others show why not.
NEON_CORES = [
    ("cortex-a53", 1, None),
    ("cortex-a55", 1, 0.85),
    ("cortex-a72", 2, 0.95),
    ("cortex-a76", 2, 0.95),
    ("neoverse-n1", 2, None),
    ("neoverse-v1", 4, None),
    ("cortex-a510", 2, None),
    ("cortex-a710", 2, None),
    ("neoverse-n2", 2, None),
    ("neoverse-v2", 4, None),
]
SHA3_CORES = [
    ("cortex-a510", 2, None),
    ("cortex-a710", 2, 0.95),
    ("neoverse-n2", 2, 0.95),
    ("neoverse-n3", 2, 0.95),
    ("neoverse-v1", 4, None),
    ("neoverse-v2", 4, None),
]
SVE_CORES = [
    ("a64fx", 2, 0.95),
    ("neoverse-v1", 2, None),
]
VECTOR_BITS = {"a64fx": 512, "neoverse-v1": 256}  # of SVE

BRANCH = re.compile(r"(b\.\w+|cbn?z|tbn?z)\s.*?([0-9a-f]+) <")


def tool(names, package):
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    print(f"arm_mca.py: SKIPPED: {names[0]} is missing (package {package})")
    sys.exit(77)


def functions(objdump, file):
    """{symbol: [(address, instruction)]} of an object, or of the first object of an archive that has the symbol."""
    text = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", str(file)], check=True, capture_output=True, text=True
    ).stdout
    result, body = {}, None
    for line in text.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            body = [] if match.group(1) in result else result.setdefault(match.group(1), [])
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
    command = [mca, "-mtriple=aarch64", f"-mcpu={core}", "-mattr=+sha3", f"-iterations={ITERATIONS}", "-"]
    output = subprocess.run(command, input=source, check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", output).group(1)) / ITERATIONS


def find_tiles(objdump, files):
    """{(counter, pixels): inner loop} of the files."""
    tiles = {}
    for file in files:
        for symbol, body in functions(objdump, file).items():
            match = re.search(r"(CountNeon|CountNeonSha3|CountSve)12CountVectorsILi(\d+)E", symbol)
            loop = inner_loop(body) if match else None
            if loop:
                tiles.setdefault((match.group(1), int(match.group(2))), loop)
    return tiles


def show(mca, tiles, counter, cores, blocks_a_count, operations_a_block, blocks_at_most):
    """Prints the tiles of a counter; `blocks_at_most`: in a cycle, or None. Returns the number of shares missed."""
    failures = 0
    pixels_of = sorted((pixels for name, pixels in tiles if name == counter), reverse=True)
    for pixels in pixels_of:
        loop = tiles[counter, pixels]
        blocks = sum(text.startswith("cnt") for text in loop) * blocks_a_count
        # Vector operations: what has a vector operand and neither loads nor stores.
        operations = sum(bool(re.search(r"\b[vz]\d+\.", text)) and not re.match(r"ld|st", text) for text in loop)
        for core, pipes, least in cores:
            bits = VECTOR_BITS[core] if counter == "CountSve" else 128
            taken = cycles(mca, core, loop)
            bound = bits * min(pipes / operations_a_block, blocks_at_most or pipes)
            macs = blocks * bits / taken
            missed = least is not None and pixels == pixels_of[0] and macs < least * bound
            failures += missed
            print(
                f"{counter:14} {pixels:6}  {core:12} {operations / blocks:10.2f} {taken:7.1f} {macs:10.1f} {bound:6.1f}"
                f" {macs / bound:6.1%}{f'  MISSES {least:.0%}' if missed else ''}"
            )
    return failures


def main(arguments):
    if arguments[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    files = [pathlib.Path(file) for file in arguments[1:]] or [file for file in DEFAULT if file.is_file()]
    objdump = tool(["aarch64-linux-gnu-objdump"], "binutils-aarch64-linux-gnu")
    mca = tool([f"llvm-mca-{version}" for version in range(30, 18, -1)], "llvm-19")
    if not files:
        print(f"arm_mca.py: SKIPPED: neither {DEFAULT[0]} nor that of preset aarch64 is built")
        return 77

    tiles = find_tiles(objdump, files)
    if not tiles:
        print(f"arm_mca.py: no inner loop with cnt in {' '.join(map(str, files))}", file=sys.stderr)
        return 1
    print(f"{'counter':14} {'pixels':>6}  {'core':12} {'operations':>10} {'cycles':>7} {'MACs/cycle':>10} {'bound':>6} {'share':>6}")
    failures = show(mca, tiles, "CountNeon", NEON_CORES, 1, 3, None)
    # Every second block is counted, and each needs an EOR3.
    failures += show(mca, tiles, "CountNeonSha3", SHA3_CORES, 2, 2.5, 1)
    failures += show(mca, tiles, "CountSve", SVE_CORES, 1, 3, None)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
