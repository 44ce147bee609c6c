"""Which files of the tree are source code: shared by the checks of this folder."""

import pathlib

SOURCE_FOLDERS = ("kernels", "formats", "engine", "tools", "bench", "tests", "models")
CPP_SUFFIXES = (".cc", ".h", ".hpp", ".c")
ALL_SUFFIXES = CPP_SUFFIXES + (".py", ".sh", ".cmake", ".proto")


def source_files(root, suffixes):
    """Yields (path relative to root with forward slashes, absolute path), sorted."""
    root = pathlib.Path(root)
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path.relative_to(root).as_posix(), path
