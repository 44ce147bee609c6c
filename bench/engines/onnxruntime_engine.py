"""ONNX Runtime on its CPU provider. Input and output are bound once, so that a run copies nothing."""

import math

import numpy
import onnxruntime


class Engine:
    def __init__(self, model: str, threads: int, options: dict[str, str]) -> None:
        session_options = onnxruntime.SessionOptions()
        session_options.intra_op_num_threads = threads
        session_options.inter_op_num_threads = 1
        session_options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = onnxruntime.InferenceSession(model, session_options, providers=["CPUExecutionProvider"])
        self._binding = self._session.io_binding()
        self.version = onnxruntime.__version__
        self.detail = "CPU provider"
        self._dims = [size if isinstance(size, int) else 1 for size in self._session.get_inputs()[0].shape]
        self.input_floats = math.prod(self._dims)

    def set_input(self, data: bytes) -> None:
        tensor = self._session.get_inputs()[0]
        values = numpy.frombuffer(data, numpy.float32).reshape(self._dims)
        self._input = onnxruntime.OrtValue.ortvalue_from_numpy(values)
        self._binding.bind_ortvalue_input(tensor.name, self._input)
        values = self._session.run(None, {tensor.name: self._input.numpy()})
        self._outputs = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values]
        for tensor, value in zip(self._session.get_outputs(), self._outputs):
            self._binding.bind_ortvalue_output(tensor.name, value)

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def output(self) -> bytes:
        return b"".join(value.numpy().tobytes() for value in self._outputs)
