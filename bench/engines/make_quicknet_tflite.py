"""Writes QuickNet for Larq Compute Engine, from Larq Zoo's own definition, with the weights of an ONNX file.

The layers of Larq Zoo's Keras model and the nodes of `bnn-convert --architecture quicknet --emit-onnx` come in the same
order, so each layer takes the next weights of its kind; a wrong assignment fails by shape, or by outputs that differ.

Usage: python -m engines.make_quicknet_tflite NETWORK.onnx OUTPUT.tflite
"""

import sys
from collections.abc import Iterator

import larq_compute_engine
import larq_zoo
import numpy
import onnx
import tensorflow
from onnx import numpy_helper


def _onnx_weights(model: onnx.ModelProto) -> Iterator[tuple[str, list[numpy.ndarray]]]:
    """The operators that have weights, in order."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        values = [constants[name] for name in node.input if name in constants]
        if node.op_type in ("Conv", "BatchNormalization", "MatMul"):
            yield node.op_type, values
        elif node.op_type == "Add" and values and values[0].size > 1:
            yield "Add", values


def _keras_weights(layer: tensorflow.keras.layers.Layer, weights: Iterator[tuple[str, list[numpy.ndarray]]]) -> None:
    def take(op: str) -> list[numpy.ndarray]:
        found, values = next(weights)
        if found != op:
            raise ValueError(f"{layer.name}: expected the weights of {op}, the next ones are of {found}")
        return values

    layers = tensorflow.keras.layers
    if isinstance(layer, layers.BatchNormalization):
        gamma, beta, mean, variance = take("BatchNormalization")
        learned = ([gamma] if layer.scale else []) + ([beta] if layer.center else [])
        layer.set_weights([*learned, mean, variance])
    elif isinstance(layer, layers.DepthwiseConv2D):  # before Conv2D, of which it is a subclass
        layer.set_weights([take("Conv")[0].transpose(2, 3, 0, 1)])
    elif isinstance(layer, layers.Conv2D):
        layer.set_weights([take("Conv")[0].transpose(2, 3, 1, 0)])
    elif isinstance(layer, layers.Dense):
        layer.set_weights([take("MatMul")[0], take("Add")[0].reshape(-1)])
    elif layer.weights:
        raise ValueError(f"{layer.name}: no rule for the weights of a {type(layer).__name__}")


def convert(source: str, output: str) -> None:
    network = onnx.load(source)
    dims = [dim.dim_value for dim in network.graph.input[0].type.tensor_type.shape.dim]
    model = larq_zoo.sota.QuickNet(weights=None, input_shape=(dims[2], dims[3], dims[1]))
    weights = _onnx_weights(network)
    for layer in model.layers:
        _keras_weights(layer, weights)
    left_over = next(weights, None)
    if left_over is not None:
        raise ValueError(f"{source} has more layers with weights than QuickNet: {left_over[0]}")
    with open(output, "wb") as file:
        file.write(larq_compute_engine.convert_keras_model(model))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(sys.argv[1], sys.argv[2])
