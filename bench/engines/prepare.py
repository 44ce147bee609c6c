"""Makes the files that the engines run, each by the program that can, in a work folder that keeps them."""

import array
import dataclasses
import fnmatch
import math
import os
import pathlib
import random
import subprocess
import sys

from engines import environments
from engines.process import BENCH


CALIBRATION_FILE = "calibration.npy"
CALIBRATION_DIMS = (16, 3, 224, 224)


class NotPrepared(Exception):
    """Why a file could not be made."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How files of one pattern are made. `arguments` may hold {stem}, {source} and {calibration}; the output file is
    appended."""

    pattern: str
    source: str  # the file that it is made of, or ""
    environment: str  # whose Python runs engines.<arguments[0]>; "": bnn-convert
    arguments: list[str]


RECIPES = [  # the first whose pattern fits
    Recipe("resnet18.onnx", "", "onnxruntime", ["make_resnet18"]),
    Recipe("*.onnx", "", "", ["--architecture", "{stem}", "--emit-onnx"]),
    Recipe(
        "*.int8.bnn",
        "{stem}.onnx",
        "",
        ["--quiet", "{source}", "--int8-float-layers", "--calibrate", "{calibration}", "-o"],
    ),
    Recipe("*.tflite.bnn", "{stem}.tflite", "", ["--quiet", "{source}", "-o"]),
    Recipe("*.bnn", "{stem}.onnx", "", ["--quiet", "{source}", "-o"]),
    Recipe("*.binary.int8.xml", "{stem}.binary.xml", "openvino", ["make_int8", "{source}", "{calibration}"]),
    Recipe("*.int8.xml", "{stem}.onnx", "openvino", ["make_int8", "{source}", "{calibration}"]),
    Recipe("*.binary.xml", "{stem}.onnx", "openvino", ["make_binary_ir", "{source}"]),
    Recipe("*.tflite", "{stem}.onnx", "larq", ["make_quicknet_tflite", "{source}"]),
]


class Workshop:
    """A folder of network files, made when they are asked for. One that is newer than what it is made of is kept; a
    failure is remembered, not tried again."""

    def __init__(
        self, folder: pathlib.Path, bnn_convert: pathlib.Path, environments_folder: pathlib.Path | None
    ) -> None:
        self._folder = folder
        self._bnn_convert = bnn_convert
        self._environments = environments_folder
        self._done: dict[str, pathlib.Path] = {}
        self._failures: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def adopt(self, source: pathlib.Path) -> None:
        """Takes a network file of somebody's own in."""
        self._done[source.name] = source

    def make(self, name: str) -> pathlib.Path:
        if name in self._failures:
            raise NotPrepared(self._failures[name])
        if name not in self._done:
            try:
                self._done[name] = self._make(name)
            except NotPrepared as error:
                self._failures[name] = str(error)
                raise
        return self._done[name]

    def _make(self, name: str) -> pathlib.Path:
        recipe = next(recipe for recipe in RECIPES if fnmatch.fnmatch(name, recipe.pattern))
        stem = name.removesuffix(recipe.pattern.removeprefix("*"))
        source = self.make(recipe.source.format(stem=stem)) if recipe.source else None
        output = self._folder / name
        values = {"stem": stem, "source": source, "calibration": self._folder / CALIBRATION_FILE}
        if "{calibration}" in recipe.arguments:
            _write_calibration(self._folder / CALIBRATION_FILE)
        arguments = [argument.format(**values) for argument in recipe.arguments]
        if recipe.environment:
            python, reason = environments.find_python(self._environments, recipe.environment)
            if not python:
                raise NotPrepared(f"{name} is made by {recipe.environment}: {reason}")
            program = BENCH / "engines" / f"{arguments[0]}.py"
            command = [python, "-B", "-m", f"engines.{arguments[0]}", *arguments[1:]]
        else:
            program = self._bnn_convert
            command = [str(self._bnn_convert), *arguments]
        if not output.exists() or any(_is_older(output, file) for file in (program, source) if file):
            _run([*command, str(output)], output)
        return output


def _write_calibration(file: pathlib.Path) -> None:
    """Images for post-training quantization: of the distribution that the comparison runs."""
    if file.exists():
        return
    generator = random.Random(0)
    values = array.array("f", (generator.gauss(0, 1) for _ in range(math.prod(CALIBRATION_DIMS))))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {CALIBRATION_DIMS}}}"
    padded = header.ljust(128 - 10 - 1) + "\n"  # numpy's format, version 1: the data begin at a multiple of 64
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + values.tobytes())


def _is_older(file: pathlib.Path, source: pathlib.Path) -> bool:
    return source.exists() and file.stat().st_mtime < source.stat().st_mtime


def _run(command: list[str], output: pathlib.Path) -> None:
    print(f"making {output.name}", file=sys.stderr, flush=True)
    environment = {**os.environ, "PYTHONPATH": str(BENCH), "TF_CPP_MIN_LOG_LEVEL": "2"}
    try:
        process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except OSError as error:
        raise NotPrepared(str(error)) from error
    if process.returncode != 0:
        output.unlink(missing_ok=True)
        lines = process.stderr.strip().splitlines() or ["no message"]
        # bnn-convert says first what is wrong; what Python's programs die of stands last.
        reason = lines[-1] if "-m" in command else lines[0]
        raise NotPrepared(f"{output.name} cannot be made: {reason}")
