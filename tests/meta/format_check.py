#!/usr/bin/env python3
"""Checks that clang-format would change nothing. Exit code 77 (skipped) where the right clang-format is absent.

Versions of clang-format differ in small things, so one of them is the measure: that of Debian 12.

Usage: format_check.py ROOT
"""

import re
import shutil
import subprocess
import sys

import source_tree

MAJOR_VERSION = 14
SKIPPED = 77


def find_clang_format():
    """(path, None), or (None, why there is none)."""
    versions = []
    for name in (f"clang-format-{MAJOR_VERSION}", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        output = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
        match = re.search(r"version (\d+)\.", output)
        if match and int(match.group(1)) == MAJOR_VERSION:
            return path, None
        versions.append(output.strip())
    return None, f"clang-format {MAJOR_VERSION} is not installed (found: {'; '.join(versions) or 'none'})"


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    clang_format, reason = find_clang_format()
    if clang_format is None:
        print(f"SKIPPED: {reason}")
        return SKIPPED
    files = [str(file) for _, file in source_tree.source_files(arguments[1], source_tree.CPP_SUFFIXES)]
    if not files:
        print(f"no source files below {arguments[1]}")
        return 1
    result = subprocess.run([clang_format, "--dry-run", "--Werror", "--ferror-limit=1", *files], check=False)
    print(f"{len(files)} files: {'formatted' if result.returncode == 0 else 'run clang-format -i on the above'}")
    return 1 if result.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
