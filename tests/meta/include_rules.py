#!/usr/bin/env python3
"""Checks who may include whom. The rules are those of ARCHITECTURE.md, written here as data.

Usage: include_rules.py ROOT
Prints one line a violation and exits with 1 when there is any.
"""

import dataclasses
import re
import sys

import source_tree

# Headers of the C library and the system that anybody may include; C++'s own have no suffix and are recognized by that.
SYSTEM_HEADERS = re.compile(r"[a-z0-9_]+$|(stddef|stdint|stdio|stdlib|string|math|assert|time|unistd|fcntl|errno)\.h$|sys/.*")
INTRINSICS = re.compile(r"(immintrin|arm_neon|arm_sve|cpuid)\.h$")


@dataclasses.dataclass(frozen=True)
class Rule:
    """The first rule whose `files` matches a path decides about that file."""

    name: str
    files: str  # regular expression over the path of the including file
    project: str  # ... over the project's headers that it may include, root-relative
    libraries: str = r"(?!)"  # ... over the other headers that it may include; the default matches none
    only_system: str = ""  # when given, replaces SYSTEM_HEADERS


RULES = (
    Rule(
        # A template or inline function that is compiled with -mavx512f becomes a weak symbol, which the linker may pick
        # for baseline code too. So these files, and what they include, stay away from headers full of templates.
        name="ISA files",
        files=r"kernels/.*_(avx2|avxvnni|avx512|avx512vnni|avx512vpopcnt|neon|neonsha3|sve)\.(cc|h)$",
        project=r"kernels/",
        libraries=INTRINSICS.pattern,
        only_system=r"(cstddef|cstdint|cstring|type_traits)$",
    ),
    Rule(name="kernels", files=r"kernels/", project=r"kernels/", libraries=INTRINSICS.pattern),
    Rule(
        name="formats",
        files=r"formats/",
        project=r"formats/|bnn/status\.h$",
        libraries=r"google/protobuf/|onnx/|pugixml\.hpp$|flatbuffers/|nlohmann/",
    ),
    Rule(name="public headers", files=r"engine/include/bnn/", project=r"bnn/"),
    Rule(
        name="engine, oneDNN adapter",
        files=r"engine/ops/\w*onednn\w*\.(cc|h)$",
        project=r"engine/|kernels/|bnn/|formats/(model_def|reader|resize|validate)\.h$",
        libraries=r"(oneapi/dnnl/)?dnnl\w*\.(h|hpp)$",
    ),
    Rule(
        name="engine, Eigen adapter",
        files=r"engine/ops/\w*eigen\w*\.(cc|h)$",
        project=r"engine/|kernels/|bnn/|formats/(model_def|reader|resize|validate)\.h$",
        libraries=r"Eigen/",
    ),
    Rule(
        name="engine, threads",
        files=r"engine/parallel\.(cc|h)$",
        project=r"engine/|bnn/",
        libraries=r"omp\.h$",
    ),
    Rule(
        name="engine, CPUs",
        files=r"engine/cpu_list\.(cc|h)$",
        project=r"engine/|bnn/",
        libraries=r"sched\.h$",
    ),
    Rule(
        name="engine",
        files=r"engine/",
        project=r"engine/|kernels/|bnn/|formats/(model_def|reader|resize|validate)\.h$",
    ),
    Rule(
        name="bnn-convert",
        files=r"tools/bnn_convert",
        project=r"tools/|formats/|models/|bnn/",
        libraries=r"fmt/|CLI/|nlohmann/",
    ),
    Rule(
        name="bnn-run",
        files=r"tools/",
        project=r"tools/|bnn/",
        libraries=r"fmt/|CLI/|nlohmann/|stb/|zlib\.h$",
    ),
    Rule(
        name="model benchmarks",
        files=r"bench/\w*model\w*\.(cc|h)$",
        project=r"bench/|bnn/",
        libraries=r"benchmark/|fmt/|CLI/|nlohmann/",
    ),
    Rule(
        name="kernel benchmarks",
        files=r"bench/",
        project=r"bench/|kernels/|bnn/",
        libraries=INTRINSICS.pattern + r"|benchmark/|fmt/|CLI/|nlohmann/|(oneapi/dnnl/)?dnnl\w*\.(h|hpp)$|omp\.h$|sched\.h$",
    ),
    Rule(name="tests", files=r"tests/", project=r"", libraries=r""),
    Rule(name="models", files=r"models/", project=r"models/|formats/|bnn/status\.h$"),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PRAGMA_OMP = re.compile(r"^\s*#\s*pragma\s+omp\b")


def rule_of(path):
    for rule in RULES:
        if re.match(rule.files, path):
            return rule
    return None


def exists(root, header):
    """A project header is found from the root or from the public include folder; those of schemas are generated."""
    if header.endswith(".pb.h"):
        return (root / header).with_suffix("").with_suffix(".proto").is_file()
    if header.endswith("_generated.h"):
        return (root / (header[: -len("_generated.h")] + ".fbs")).is_file()
    return (root / header).is_file() or (root / "engine" / "include" / header).is_file()


def check_include(root, rule, quote, header):
    """Returns what is wrong with one include, or None."""
    if "../" in header:
        return "includes are relative to the root, without ../"
    is_project = quote == '"' or header.startswith("bnn/")
    if is_project:
        if not exists(root, header):
            return "no such file from the root of the tree"
        return None if re.match(rule.project, header) else f"{rule.name} may not include it"
    system = re.compile(rule.only_system) if rule.only_system else SYSTEM_HEADERS
    if system.match(header) or re.match(rule.libraries, header):
        return None
    return f"{rule.name} may not include it"


def check_file(root, path, text):
    rule = rule_of(path)
    if rule is None:
        yield f"{path}: no rule covers this file; add one to tests/meta/include_rules.py"
        return
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            problem = check_include(root, rule, *match.groups())
            if problem:
                yield f"{path}:{number}: {match.group(2)}: {problem}"
        if PRAGMA_OMP.match(line) and rule.name not in ("engine, threads", "tests"):
            yield f"{path}:{number}: OpenMP belongs to engine/parallel"
    if path.endswith((".h", ".hpp")) and "#pragma once" not in text and "#ifndef BNN_" not in text:
        yield f"{path}: a header needs #pragma once"


def violations(root):
    """All violations below `root`, a pathlib.Path, as printable lines."""
    found = []
    for path, file in source_tree.source_files(root, source_tree.CPP_SUFFIXES):
        found.extend(check_file(root, path, file.read_text(encoding="utf-8")))
    found.extend(isa_closure_violations(root))
    return found


def isa_closure_violations(root):
    """ISA files reach only template-poor headers, also through other headers of kernels/."""
    rule = RULES[0]
    allowed = re.compile(rule.only_system + "|" + rule.libraries + r"|string_view$")  # named in cpu_features.h
    found = set()
    for path, _ in source_tree.source_files(root, (".cc",)):
        if rule_of(path) is not rule:
            continue
        pending, seen = [path], set()
        while pending:
            current = pending.pop()
            if current in seen or not (root / current).is_file():
                continue
            seen.add(current)
            for line in (root / current).read_text(encoding="utf-8").splitlines():
                match = INCLUDE.match(line)
                if match and match.group(1) == '"':
                    pending.append(match.group(2))
                elif match and not allowed.match(match.group(2)) and current != path:
                    found.add(f"{current}: {match.group(2)}: reached from an ISA file ({path})")
    return sorted(found)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = violations(source_tree.pathlib.Path(arguments[1]))
    for line in found:
        print(line)
    print(f"{len(found)} violations of the include rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
