"""OpenVINO on its CPU plugin, tuned for the latency of one request. Input and output are shared, so that a run copies
nothing.

Options: "precision", the plugin's inference precision, "f32" unless given. Left to itself the plugin computes networks
of floats in bfloat16 where the processor has it.
"""

import numpy
import openvino


class Engine:
    def __init__(self, model: str, threads: int, options: dict[str, str]) -> None:
        core = openvino.Core()
        graph = core.read_model(model)
        dims = [1 if dim.is_dynamic else dim.get_length() for dim in graph.inputs[0].get_partial_shape()]
        graph.reshape(dims)
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # the affinity of this process says where
        }
        precision = options.get("precision", "f32")
        if precision != "default":
            config["INFERENCE_PRECISION_HINT"] = precision
        compiled = core.compile_model(graph, "CPU", config)
        self._request = compiled.create_infer_request()
        self._num_outputs = len(compiled.outputs)
        self.version = openvino.__version__.split("-")[0]
        self.detail = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.input_floats = self._request.get_input_tensor().size

    def set_input(self, data: bytes) -> None:
        tensor = self._request.get_input_tensor().data
        tensor[:] = numpy.frombuffer(data, numpy.float32).reshape(tensor.shape)

    def run(self) -> None:
        self._request.infer(share_outputs=True)

    def output(self) -> bytes:
        return b"".join(self._request.get_output_tensor(i).data.tobytes() for i in range(self._num_outputs))
