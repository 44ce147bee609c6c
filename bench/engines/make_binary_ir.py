"""Writes a binary network as OpenVINO IR that uses the operation BinaryConvolution.

OpenVINO's ONNX reader takes signs and convolutions with weights of two values for ordinary float layers. Here each
convolution of binarized data with weights +-alpha[c] becomes what NNCF's binarization exports: FakeQuantize with two
levels, BinaryConvolution with weights of one bit, and a multiplication by alpha[c]. All else stays as it was read.

Usage: python -m engines.make_binary_ir NETWORK.onnx OUTPUT.xml
"""

import sys
from typing import NamedTuple

import numpy
import openvino
from openvino import opset1

# FakeQuantize gives its high level where x > t. That x >= 0 is x > -(smallest normal float), but for subnormal x.
SIGN_THRESHOLD = -numpy.finfo(numpy.float32).tiny


class BinaryInput(NamedTuple):
    """Where the bits of a convolution's input come from: x >= 0, then padded."""

    source: openvino.Output
    pad_value: float
    pads_begin: list[int]
    pads_end: list[int]


def _constant(output: openvino.Output) -> numpy.ndarray | None:
    node = output.get_node()
    return node.data if node.get_type_name() == "Constant" else None


def _signed(output: openvino.Output) -> openvino.Output | None:
    """x, if `output` is +1 where x >= 0 and -1 elsewhere."""
    node = output.get_node()
    kind = node.get_type_name()
    if kind == "Sign":
        inner = node.input_value(0).get_node()
        if inner.get_type_name() == "Add" and inner.input_value(0).get_node().get_type_name() == "Sign":
            return _signed(inner.input_value(0))  # Larq: sign(sign(x) + 0.1)
        return node.input_value(0)
    if kind == "Select":
        comparison = node.input_value(0).get_node()
        values = [_constant(node.input_value(i)) for i in (1, 2)]
        if comparison.get_type_name() != "GreaterEqual" or any(value is None for value in values):
            return None
        zero = _constant(comparison.input_value(1))
        if zero is not None and not zero.any() and (values[0] == 1).all() and (values[1] == -1).all():
            return comparison.input_value(0)
    return None


def _binary_input(convolution: openvino.Node) -> BinaryInput | None:
    value = convolution.input_value(0)
    attributes = convolution.get_attributes()
    begin, end = list(attributes["pads_begin"]), list(attributes["pads_end"])
    pad_value = 0.0
    node = value.get_node()
    if node.get_type_name() == "Pad" and not any(begin + end):
        pads = [_constant(node.input_value(i)) for i in (1, 2, 3)]
        if any(pad is None for pad in pads) or pads[0][:2].any() or pads[1][:2].any():
            return None
        begin, end, pad_value = [int(p) for p in pads[0][2:]], [int(p) for p in pads[1][2:]], float(pads[2].item())
        value = node.input_value(0)
    source = _signed(value)
    return None if source is None else BinaryInput(source, pad_value, begin, end)


def _binary_convolution(convolution: openvino.Node) -> openvino.Output | None:
    """The same result by BinaryConvolution, or None where that is not possible."""
    weights = _constant(convolution.input_value(1))
    data = _binary_input(convolution)
    if weights is None or data is None:
        return None
    alpha = numpy.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    if not (numpy.abs(weights) == alpha).all():
        return None
    threshold = numpy.full((1, 1, 1, 1), SIGN_THRESHOLD, numpy.float32)
    bits = opset1.fake_quantize(data.source, threshold, threshold, numpy.float32(0), numpy.float32(1), 2)
    packed = openvino.Tensor(openvino.Type.u1, openvino.Shape(weights.shape))
    packed.data[:] = numpy.packbits(weights > 0, bitorder="little")
    filters = openvino.op.Constant(packed)
    attributes = convolution.get_attributes()
    result = opset1.binary_convolution(
        bits,
        filters,
        attributes["strides"],
        data.pads_begin,
        data.pads_end,
        attributes["dilations"],
        "xnor-popcount",
        data.pad_value,
    )
    if (alpha != 1).any():
        result = opset1.multiply(result, alpha.reshape(1, -1, 1, 1))
    result.set_friendly_name(convolution.get_friendly_name())
    return result.output(0)


def convert(source: str, output: str) -> int:
    """Returns the number of binary convolutions."""
    model = openvino.Core().read_model(source)
    model.reshape([1 if dim.is_dynamic else dim.get_length() for dim in model.inputs[0].get_partial_shape()])
    count = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        replacement = _binary_convolution(node)
        if replacement is None:
            continue
        for reader in node.output(0).get_target_inputs():
            reader.replace_source_output(replacement)
        count += 1
    model.validate_nodes_and_infer_types()
    openvino.save_model(model, output, compress_to_fp16=False)
    return count


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    number = convert(sys.argv[1], sys.argv[2])
    if number == 0:
        sys.exit(f"{sys.argv[1]} has no binary convolution that this program knows")
    print(f"{number} binary convolutions")
