#!/usr/bin/env python3
"""Checks that each object of an ISA file exports its table entry and nothing else.

The entry is named like the file. Beside it there may be entries of the same code tuned otherwise, with a suffix.

Such an object is compiled with options like -mavx512f. If it contained a weak symbol (an inline function or template
that the compiler did not inline), the linker could pick that copy for code that runs on every CPU, and older CPUs would
crash on it. And whatever else it exports could be called without asking the CPU first.

Usage: isa_symbols.py NM ROOT OBJECT_LIST ISA...
  NM           the nm program
  ROOT         the root of the source tree
  OBJECT_LIST  a file that names the objects of the library, one a line
  ISA...       the suffixes of the ISA files that must be among the objects, for example avx2 avx512
"""

import pathlib
import re
import subprocess
import sys

# nm's letters for data: initialized, read-only, zero-initialized, and the same for small objects.
DATA = "DdRrBbGgSs"
# The suffixes of entries: that of the file itself, by carry-save adders, and on 256-bit registers.
TUNINGS = ("", "csa", "ymm")
# What sanitized builds add: a marker beside each variable, type information, and the pointer to the unwinder's routine.
# All of it is data without instructions that is the same in every object.
SANITIZER = re.compile(r"^(__odr_asan|__asan_|___asan|typeinfo (name )?for |DW\.ref\.__gxx_personality_v0$)")


def external_symbols(nm, file):
    """[(letter, demangled name)] of what the object defines for others, weak symbols included."""
    output = subprocess.run(
        [nm, "--defined-only", "--extern-only", "--demangle", str(file)], check=True, capture_output=True, text=True
    ).stdout
    symbols = []
    for line in output.splitlines():
        match = re.match(r"^[0-9a-fA-F]*\s+(\S)\s+(.*)$", line)
        if match and not SANITIZER.match(match.group(2)):
            symbols.append((match.group(1), match.group(2)))
    return symbols


def isa_of(source_name, isas):
    """The instruction set in a file name such as bitpack_avx2.cc, or None."""
    match = re.match(r"^\w+_([a-z0-9]+)\.cc$", source_name)
    return match.group(1) if match and match.group(1) in isas else None


def problems_of(source_name, symbols):
    """What is wrong with the symbols of one ISA object, as printable lines."""
    stem = source_name.removesuffix(".cc")
    wanted = "bnn::kernels::k" + stem.replace("_", "")  # up to upper and lower case
    problems = []
    entries = 0
    for letter, name in symbols:
        if letter in "WwVvu":
            problems.append(f"{source_name}: weak symbol {name}")
        elif letter in DATA and name.lower() in [(wanted + tuning).lower() for tuning in TUNINGS]:
            entries += name.lower() == wanted.lower()
        else:
            problems.append(f"{source_name}: exports {name}, which is not its table entry")
    if entries != 1:
        problems.append(f"{source_name}: exports {entries} table entries named like the file, expected 1")
    return problems


def check(nm, root, objects, isas):
    """All problems of the library, as printable lines, and the number of ISA objects."""
    problems = []
    seen = set()
    for file in objects:
        source_name = re.sub(r"\.(o|obj)$", "", file.name)
        if not isa_of(source_name, isas):
            continue
        seen.add(source_name)
        if not file.is_file():
            problems.append(f"{source_name}: {file} is not built")
        else:
            problems.extend(problems_of(source_name, external_symbols(nm, file)))
    for source in sorted((root / "kernels").rglob("*.cc")):
        if isa_of(source.name, isas) and source.name not in seen:
            problems.append(f"{source.relative_to(root)}: not compiled into the library")
    return problems, len(seen)


def main(arguments):
    if len(arguments) < 5:
        print(__doc__, file=sys.stderr)
        return 2
    nm, root, object_list, isas = arguments[1], pathlib.Path(arguments[2]), pathlib.Path(arguments[3]), arguments[4:]
    objects = [pathlib.Path(line) for line in object_list.read_text(encoding="utf-8").split("\n") if line]
    problems, checked = check(nm, root, objects, isas)
    for problem in problems:
        print(problem)
    print(f"{checked} objects for {', '.join(isas)}: {len(problems)} problems")
    return 1 if problems or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
