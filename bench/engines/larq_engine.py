"""Larq Compute Engine: TensorFlow Lite with binary operators. Takes networks of NHWC images; the input comes as NCHW,
as the other engines' does, and is transposed once.

Options: "kernels", "default" or "indirect" (its other binary convolution, with TensorFlow Lite's XNNPACK for floats).
"""

import math
from importlib import metadata

import numpy
from larq_compute_engine.tflite.python.interpreter import Interpreter


class Engine:
    def __init__(self, model: str, threads: int, options: dict[str, str]) -> None:
        with open(model, "rb") as file:
            data = file.read()
        indirect = options.get("kernels", "default") == "indirect"
        # The class around it runs a batch image by image; the object within runs one image without copies of lists.
        self._interpreter = Interpreter(
            data, num_threads=threads, use_indirect_bgemm=indirect, use_xnnpack=indirect
        ).interpreter
        self.input_floats = math.prod(self._interpreter.input_shapes[0])
        self.version = metadata.version("larq_compute_engine")
        self.detail = "indirect bgemm + XNNPACK" if indirect else "default kernels"

    def set_input(self, data: bytes) -> None:
        _, height, width, channels = self._interpreter.input_shapes[0]
        image = numpy.frombuffer(data, numpy.float32).reshape(1, channels, height, width)
        self._input = [numpy.ascontiguousarray(image.transpose(0, 2, 3, 1))]

    def run(self) -> None:
        self._outputs = self._interpreter.predict(self._input)

    def output(self) -> bytes:
        return b"".join(numpy.asarray(value, numpy.float32).tobytes() for value in self._outputs)
