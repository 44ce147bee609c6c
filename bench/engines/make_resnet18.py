"""Writes ResNet-18 as ONNX: the float network that Bi-Real-Net-18 and XNOR-ResNet-18 are binary forms of.

He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1, with the layer sizes of
torchvision's resnet18. Batch-norms are folded into the convolutions, as exporters do it. The weights come from a seed:
of variance 2 / fan-in, and half of that in the second convolution of a block, so that activations neither vanish nor
explode.

Usage: python -m engines.make_resnet18 OUTPUT.onnx
"""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

RESOLUTION = 224
CLASSES = 1000
STAGE_CHANNELS = [64, 128, 256, 512]


class _Graph:
    """Nodes and weights so far."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._generator = numpy.random.default_rng(seed)

    def node(self, op: str, name: str, inputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def normal(self, name: str, dims: tuple[int, ...], deviation: float) -> str:
        values = self._generator.normal(0.0, deviation, dims).astype(numpy.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, name: str, x: str, sizes: tuple[int, int, int], stride: int, gain: float = 2.0) -> str:
        """`sizes`: input channels, output channels, height and width of the kernel."""
        inputs, outputs, kernel = sizes
        deviation = (gain / (inputs * kernel * kernel)) ** 0.5
        weight = self.normal(name + ".weight", (outputs, inputs, kernel, kernel), deviation)
        bias = self.normal(name + ".bias", (outputs,), 0.1)
        pads = [kernel // 2] * 4
        return self.node(
            "Conv", name, [x, weight, bias], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads
        )

    def relu(self, x: str) -> str:
        return self.node("Relu", x + ".relu", [x])


def _block(graph: _Graph, name: str, x: str, channels: tuple[int, int], stride: int) -> str:
    inputs, outputs = channels
    y = graph.relu(graph.conv(name + ".conv1", x, (inputs, outputs, 3), stride))
    y = graph.conv(name + ".conv2", y, (outputs, outputs, 3), 1, gain=1.0)
    shortcut = x
    if stride != 1 or inputs != outputs:
        shortcut = graph.conv(name + ".downsample", x, (inputs, outputs, 1), stride, gain=1.0)
    return graph.relu(graph.node("Add", name + ".add", [y, shortcut]))


def resnet18(seed: int = 1) -> onnx.ModelProto:
    graph = _Graph(seed)
    x = graph.relu(graph.conv("conv1", "input", (3, 64, 7), 2))
    x = graph.node("MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    inputs = 64
    for stage, outputs in enumerate(STAGE_CHANNELS, start=1):
        x = _block(graph, f"layer{stage}.0", x, (inputs, outputs), 1 if stage == 1 else 2)
        x = _block(graph, f"layer{stage}.1", x, (outputs, outputs), 1)
        inputs = outputs
    x = graph.node("Flatten", "flatten", [graph.node("GlobalAveragePool", "avgpool", [x])], axis=1)
    weight = graph.normal("fc.weight", (CLASSES, inputs), inputs**-0.5)
    graph.node("Gemm", "logits", [x, weight, graph.normal("fc.bias", (CLASSES,), 0.1)], transB=1)
    onnx_graph = helper.make_graph(
        graph.nodes,
        "resnet18",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, RESOLUTION, RESOLUTION])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])],
        graph.weights,
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    onnx.save(resnet18(), sys.argv[1])
