#!/usr/bin/env python3
"""Checks that the shared library exports the functions of bnn.h, all of them, and nothing else.

Usage: library_exports.py NM LIBRARY HEADER
"""

import pathlib
import re
import subprocess
import sys

# Added by the toolchain: the version node itself ('A') and what sanitizers keep beside variables.
SANITIZER = re.compile(r"^(__odr_asan|__asan_|___asan)")


def exported(nm, library):
    output = subprocess.run(
        [nm, "--dynamic", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout
    names = set()
    for line in output.splitlines():
        match = re.match(r"^[0-9a-fA-F]*\s+(\S)\s+([^\s@]+)", line)
        if match and match.group(1) != "A" and not SANITIZER.match(match.group(2)):
            names.add(match.group(2))
    return names


def declared(header_text):
    """The functions that a header marks with BNN_API."""
    return set(re.findall(r"^BNN_API\b[^;(]*?\b(\w+)\s*\(", header_text, flags=re.MULTILINE))


def problems_of(exports, declarations):
    problems = [f"exported, but not of the C interface: {name}" for name in sorted(exports) if name[:4] != "bnn_"]
    problems += [f"exported, but not declared in bnn.h: {n}" for n in sorted(exports - declarations) if n[:4] == "bnn_"]
    problems += [f"declared in bnn.h, but not exported: {name}" for name in sorted(declarations - exports)]
    if not declarations:
        problems.append("bnn.h declares no BNN_API function")
    return problems


def self_test():
    header = "#define BNN_API\nBNN_API int bnn_a(int x);\nBNN_API const char*\nbnn_b(void);\n"
    assert declared(header) == {"bnn_a", "bnn_b"}, declared(header)
    assert problems_of({"bnn_a", "bnn_b"}, declared(header)) == []
    assert len(problems_of({"bnn_a", "bnn_b", "_ZN3bnn5ModelC1Ev"}, declared(header))) == 1
    assert len(problems_of({"bnn_a", "bnn_b", "bnn_c"}, declared(header))) == 1
    assert len(problems_of({"bnn_a"}, declared(header))) == 1


def main(arguments):
    if len(arguments) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    self_test()
    nm, library, header = arguments[1:]
    if not pathlib.Path(library).is_file():
        print(f"{library} is not built")
        return 1
    declarations = declared(pathlib.Path(header).read_text(encoding="utf-8"))
    exports = exported(nm, library)
    problems = problems_of(exports, declarations)
    for problem in problems:
        print(problem)
    print(f"{len(exports)} exported symbols, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
