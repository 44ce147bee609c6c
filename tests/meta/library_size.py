#!/usr/bin/env python3
"""Checks that the small library (presets small-*) is small and stands alone.

Usage: library_size.py STRIP READELF LIBRARY MOST_BYTES

Strips a copy of the library, prints its size and the libraries that it needs, and fails where it has more than MOST_BYTES
bytes or needs anything but the C and C++ runtimes.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

RUNTIMES = re.compile(r"^(libc|libm|libstdc\+\+|libgcc_s|ld-linux[\w-]*)\.so\.\d+$")


def problems_of(size, most, needed):
    problems = [f"needs {name}, which is no runtime of C or C++" for name in needed if not RUNTIMES.match(name)]
    if size > most:
        problems.append(f"has {size} bytes, expected at most {most}")
    return problems


def self_test():
    assert problems_of(10, 10, ["libc.so.6", "libstdc++.so.6", "ld-linux-aarch64.so.1"]) == []
    assert len(problems_of(11, 10, ["libprotobuf-lite.so.32", "libdnnl.so.2"])) == 3


def main(arguments):
    if len(arguments) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    self_test()
    strip, readelf, library, most = arguments[1:]
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "library.so"
        subprocess.run([strip, "--strip-unneeded", library, "-o", str(stripped)], check=True)
        size = stripped.stat().st_size
        dynamic = subprocess.run([readelf, "--dynamic", "--wide", str(stripped)], check=True, capture_output=True, text=True)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout)
    print(f"{library}, stripped: {size} bytes; needs {', '.join(needed)}")
    problems = problems_of(size, int(most), needed)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
