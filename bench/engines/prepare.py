"""Makes the files that the engines run, each by the program that can, in a work folder that keeps them."""

import dataclasses
import fnmatch
import os
import pathlib
import subprocess
import sys

from engines import environments
from engines.process import BENCH


class NotPrepared(Exception):
    """Why a file could not be made."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How files of one pattern are made. `arguments` may hold {stem}, and {source}; the output file is appended."""

    pattern: str
    source: str  # the file that it is made of, or ""
    environment: str  # whose Python runs engines.<arguments[0]>; "": bnn-convert
    arguments: list[str]


RECIPES = [  # the first whose pattern fits
    Recipe("resnet18.onnx", "", "onnxruntime", ["make_resnet18"]),
    Recipe("*.onnx", "", "", ["--architecture", "{stem}", "--emit-onnx"]),
    Recipe("*.bnn", "{stem}.onnx", "", ["--quiet", "{source}", "-o"]),
    Recipe("*.int8.xml", "{stem}.onnx", "openvino", ["make_int8", "{source}"]),
    Recipe("*.xml", "{stem}.onnx", "openvino", ["make_binary_ir", "{source}"]),
    Recipe("*.tflite", "{stem}.onnx", "larq", ["make_quicknet_tflite", "{source}"]),
]


class Workshop:
    """A folder of network files, made when they are asked for. One that is newer than what it is made of is kept; a
    failure is remembered, not tried again."""

    def __init__(self, folder: pathlib.Path, bnn_convert: pathlib.Path, environments_folder: pathlib.Path | None) -> None:
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
        arguments = [argument.format(stem=stem, source=source) for argument in recipe.arguments]
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
        raise NotPrepared(f"{output.name} cannot be made: {lines[-1]}")
