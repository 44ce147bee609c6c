#!/usr/bin/env python3
"""Makes openvino.cases.gz: small networks of OpenVINO's Intermediate Representation, with inputs and outputs.

Needs the Python packages openvino and numpy; the tests that read the file need none. Run it in this folder. Networks
are built with OpenVINO's own Python interface, written by its own serializer, read back and run by its CPU plugin in
float32 with one thread. Where the plugin does not do what the operator means, a case brings its expected outputs,
computed with numpy, and says why.

The file is compressed with gzip. Inside it is as make_onnx_fixtures.py describes, with another head of each case:
  magic "BNNCASE2", u32 number of cases; then each case:
    string name, string kind, f32 tolerance (relative to max(1, |expected|); 0: exact; absolute for "int8"), blob .xml, blob .bin,
    u32 number of inputs, tensors; u32 number of outputs, tensors
The kind says how the engine must run all its layers: "binary", "int8" or "float"; "16 of 21 binary" where not all are; or
"import", where the network is only imported and interpreted, because a part of it has no counterpart in the engine; or
"refused", where the importer must refuse it.
"""
import gzip
import os
import struct
import tempfile

import numpy as np
import openvino as ov
from openvino import opset1, opset2, opset5, opset8, opset13, opset14, opset15, opset16

import openvino_detection_cases
import openvino_map_cases
from make_cases import f32, i64, reals, rng, small_ints, write_string, write_tensor

CORE = ov.Core()
CONFIG = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
CASES = []
CLOSE = 1e-4
KEEP = []  # tensors of sub-byte types borrow the memory of their arrays


def serialize(model):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.xml")
        ov.serialize(model, path)
        with open(path, "rb") as xml, open(path[:-3] + "bin", "rb") as weights:
            return xml.read(), weights.read()


def parameter(name, array, open_batch):
    dims = ([-1] + list(array.shape[1:])) if open_batch else list(array.shape)
    node = opset13.parameter(ov.PartialShape(dims), array.dtype.type, name=name)
    node.output(0).set_names({name})
    return node


def case(name, build, inputs, kind="float", tolerance=CLOSE, expected=None, edit=None,
         open_batch=False):
    """Adds one network. `build` gets the Parameters by name and returns the node or nodes whose outputs count. `edit`
    changes the text of the .xml, for spellings that the serializer does not write."""
    parameters = {n: parameter(n, a, open_batch) for n, a in inputs.items()}
    built = build(**parameters)
    outputs = [n if isinstance(n, ov.Output) else n.output(0) for n in (built if isinstance(built, list) else [built])]
    names = [f"y{i}" for i in range(len(outputs))]
    for i, output in enumerate(outputs):
        if output.get_node().get_type_name() == "Parameter":
            names[i] = output.get_node().get_friendly_name()
        else:
            output.set_names({names[i]})
    model = ov.Model([opset13.result(o) for o in outputs], list(parameters.values()), name)
    xml, weights = serialize(model)
    if edit is not None:
        assert edit(xml) != xml, name
        xml = edit(xml)
    if expected is None:
        compiled = CORE.compile_model(CORE.read_model(xml, weights), "CPU", CONFIG)
        results = compiled(dict(inputs))
        expected = [np.array(results[i]) for i in range(len(outputs))]
    blob = write_string(name) + write_string(kind) + struct.pack("<f", tolerance)
    blob += write_string(xml) + write_string(weights)
    blob += struct.pack("<I", len(inputs)) + b"".join(write_tensor(n, a) for n, a in inputs.items())
    blob += struct.pack("<I", len(expected)) + b"".join(write_tensor(n, np.array(a)) for n, a in zip(names, expected))
    CASES.append(blob)


def constant(values, dtype=np.float32):
    return opset13.constant(np.array(values, dtype=dtype))


def packed(element_type, shape, data):
    """A constant of a type below 8 bits from its bytes."""
    KEEP.append(np.ascontiguousarray(data, dtype=np.uint8))
    return ov.op.Constant(ov.Tensor(KEEP[-1], ov.Shape(list(shape)), element_type))


def levels2(x, threshold, low, high):
    return opset13.fake_quantize(x, constant(threshold), constant(threshold), constant(low), constant(high), 2)


# ---- Layers

def convolutions():
    x = reals("conv.x", 1, 4, 9, 7)
    w = reals("conv.w", 6, 4, 3, 3) / 6
    for auto_pad in ["explicit", "same_upper", "same_lower", "valid"]:
        case(f"Convolution.{auto_pad}",
             lambda x, a=auto_pad: opset13.convolution(x, constant(w), [2, 1], [1, 0], [2, 1], [1, 2], a), {"x": x})
    bias = reals("conv.b", 1, 6, 1, 1)
    case("Convolution.bias_relu", lambda x: opset13.relu(opset13.add(
        opset13.convolution(x, constant(w), [1, 1], [1, 1], [1, 1], [1, 1]), constant(bias))), {"x": x})
    case("Convolution.f16_weights", lambda x: opset13.convolution(
        x, opset13.convert(constant(w, np.float16), np.float32), [1, 1], [0, 0], [0, 0], [1, 1]), {"x": x})
    grouped = reals("conv.g", 2, 3, 2, 3, 3) / 4
    case("GroupConvolution", lambda x: opset13.group_convolution(
        x, constant(grouped), [1, 2], [1, 1], [1, 1], [1, 1]), {"x": x})
    depthwise = reals("conv.d", 4, 1, 1, 3, 3) / 2
    case("GroupConvolution.depthwise", lambda x: opset13.group_convolution(
        x, constant(depthwise), [1, 1], [0, 0], [0, 0], [1, 1], "same_upper"), {"x": x})


def binary_convolutions():
    """The plugin reads {0,1} and {1,0} data as bits, value > 0. It (2026.4) reads data of {-1,1} as all zeros, numbers of
    channels that are no multiple of 8 wrongly, and crashes on pooled bits: there, the sums come from numpy."""

    def sums(signs, bits, pad_value):
        padded = np.pad(signs, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=pad_value)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        return np.einsum("nchwij,ocij->nohw", windows, bits * 2.0 - 1).astype(np.float32)

    def net(x, bits, low, high, pad_value, strides=(1, 1), begin=(1, 1), end=(1, 1), dilations=(1, 1),
            auto_pad="explicit"):
        weights = packed(ov.Type.u1, bits.shape, np.packbits(bits.reshape(-1), bitorder="little"))
        return opset1.binary_convolution(levels2(x, 0.25, low, high), weights, list(strides), list(begin), list(end),
                                         list(dilations), "xnor-popcount", float(pad_value), auto_pad)

    x, odd = reals("bconv.x", 1, 40, 6, 5), reals("bconv.o", 1, 33, 6, 5)
    bits, odd_bits = (rng("bconv.w").integers(0, 2, (17, c, 3, 3)) for c in (40, 33))
    for pad_value in [-1, 0, 1]:
        case(f"BinaryConvolution.pad{pad_value}", lambda x, p=pad_value: net(x, bits, 0.0, 1.0, p), {"x": x}, "binary", 0)
        case(f"BinaryConvolution.strided.pad{pad_value}", lambda x, p=pad_value: net(
            x, bits, 0.0, 1.0, p, (2, 1), (2, 0), (1, 1), (1, 2)), {"x": x}, "binary", 0)
        case(f"BinaryConvolution.signs.pad{pad_value}", lambda x, p=pad_value: net(x, bits, -1.0, 1.0, p), {"x": x},
             "binary", 0, expected=[sums(np.where(x > 0.25, 1.0, -1.0), bits, pad_value)])
        case(f"BinaryConvolution.odd.pad{pad_value}", lambda x, p=pad_value: net(x, odd_bits, 0.0, 1.0, p), {"x": odd},
             "binary", 0, expected=[sums(np.where(odd > 0.25, 1.0, -1.0), odd_bits, pad_value)])
    for auto_pad in ["same_upper", "same_lower", "valid"]:
        case(f"BinaryConvolution.{auto_pad}", lambda x, a=auto_pad: net(
            x, bits, 0.0, 1.0, -1, (2, 2), (0, 0), (0, 0), (1, 1), a), {"x": x}, "binary", 0)
    case("BinaryConvolution.inverted", lambda x: net(x, bits, 1.0, 0.0, 0), {"x": x}, "binary", 0)
    case("BinaryConvolution.u1_precision", lambda x: net(x, bits, 0.0, 1.0, 0), {"x": x}, "binary", 0,
         edit=lambda xml: xml.replace(b'precision="BIN"', b'precision="U1"'))
    case("BinaryConvolution.bits", lambda x: net(x, bits, 0.0, 1.0, 0), {"x": x}, "binary", 0,
         edit=lambda xml: xml.replace(b'<port id="5" precision="FP32">', b'<port id="5" precision="BIN">'),
         expected=[sums(np.where(x > 0.25, 1.0, -1.0), bits, 0)])  # FakeQuantize states bits as its output
    pooled = np.lib.stride_tricks.sliding_window_view(x, (2, 2), (2, 3)).max((4, 5))
    case("BinaryConvolution.pooled", lambda x: net(opset8.max_pool(
        levels2(x, 0.25, 0.0, 1.0), [1, 1], [1, 1], [0, 0], [0, 0], [2, 2]).output(0), bits, 0.0, 1.0, 0), {"x": x},
        "binary", 0, expected=[sums(np.where(pooled > 0.25, 1.0, -1.0), bits, 0)])


def products():
    a, b = reals("mm.a", 3, 8), reals("mm.b", 8, 5) / 4
    case("MatMul", lambda x: opset13.matmul(x, constant(b), False, False), {"x": a})
    case("MatMul.transpose_b", lambda x: opset13.matmul(x, constant(b.T), False, True), {"x": a})
    case("MatMul.transpose_a", lambda x: opset13.matmul(x, constant(b), True, False), {"x": a.T.copy()}, "import")
    case("MatMul.vector", lambda x: opset13.matmul(x, constant(b[:, 0]), False, True), {"x": a}, "import")
    case("MatMul.batched", lambda x, w: opset13.matmul(x, w, False, True),
         {"x": reals("mm.c", 2, 3, 4), "w": reals("mm.d", 2, 5, 4)}, "import")


def pools():
    x = reals("pool.x", 1, 3, 8, 7)
    case("MaxPool.opset1", lambda x: opset1.max_pool(x, [2, 2], [1, 1], [0, 1], [3, 3], "floor"), {"x": x})
    case("MaxPool.opset8", lambda x: opset8.max_pool(x, [1, 1], [2, 1], [0, 0], [0, 0], [2, 3]).output(0), {"x": x})
    case("MaxPool.ceil", lambda x: opset1.max_pool(x, [2, 2], [0, 0], [0, 0], [3, 3], "ceil"), {"x": x})
    case("MaxPool.ceil_torch", lambda x: opset14.max_pool(x, [2, 2], [1, 1], [0, 0], [1, 1], [2, 2], "ceil_torch").output(0),
         {"x": x})
    for auto_pad in ["same_upper", "same_lower", "valid"]:
        case(f"MaxPool.{auto_pad}", lambda x, a=auto_pad: opset1.max_pool(
            x, [2, 3], [0, 0], [0, 0], [3, 4], "floor", a), {"x": x})
    for exclude in [False, True]:
        case(f"AvgPool.exclude_pad_{exclude}", lambda x, e=exclude: opset1.avg_pool(
            x, [2, 2], [1, 1], [1, 0], [3, 3], e, "floor"), {"x": x})
        case(f"AvgPool.same_upper.exclude_pad_{exclude}", lambda x, e=exclude: opset1.avg_pool(
            x, [3, 3], [0, 0], [0, 0], [4, 4], e, "floor", "same_upper"), {"x": x})
        case(f"AvgPool.ceil.exclude_pad_{exclude}", lambda x, e=exclude: opset1.avg_pool(
            x, [2, 2], [0, 0], [0, 0], [3, 3], e, "ceil"), {"x": x}, "float" if exclude else "import")


def normalizations():
    x = reals("norm.x", 2, 4, 3, 3)
    gamma, beta, mean = reals("norm.g", 4), reals("norm.b", 4), reals("norm.m", 4)
    variance = np.abs(reals("norm.v", 4)) + 0.5
    case("BatchNormInference", lambda x: opset5.batch_norm_inference(
        x, constant(gamma), constant(beta), constant(mean), constant(variance), 1e-3), {"x": x})
    case("BatchNormInference.opset1", lambda x: opset1.batch_norm_inference(
        x, constant(gamma), constant(beta), constant(mean), constant(variance), 1e-3), {"x": x})
    case("SoftMax", lambda x: opset1.softmax(x, 1), {"x": x})
    case("SoftMax.opset8", lambda x: opset8.softmax(x, -1), {"x": x})
    case("LogSoftmax", lambda x: opset5.log_softmax(x, 1), {"x": x})


def reductions():
    x = reals("reduce.x", 2, 3, 4, 5)
    for op in ["mean", "max", "min", "sum", "prod", "l1", "l2"]:
        reduce = getattr(opset13, f"reduce_{op}")
        kind = "import" if op == "prod" else "float"
        case(f"Reduce.{op}", lambda x, r=reduce: r(x, constant([2, 3], np.int64), True), {"x": x}, kind)
        case(f"Reduce.{op}.dropped", lambda x, r=reduce: r(x, constant([-1, 2], np.int32), False), {"x": x}, kind)
    case("Reduce.no_axes", lambda x: opset13.reduce_mean(x, constant([], np.int64), False), {"x": x},
         expected=[x])  # the plugin refuses it; without axes nothing is reduced


# ---- Elementwise

def unary():
    x = reals("unary.x", 2, 3, 4, 4)
    for op in ["relu", "sigmoid", "tanh", "exp", "floor", "negative", "abs", "hswish", "hsigmoid", "sign", "ceiling"]:
        kind = "import" if op in ("exp", "ceiling") else "float"
        case(op, lambda x, o=op: getattr(opset13, o)(x), {"x": x}, kind)
    case("sqrt", lambda x: opset13.sqrt(x), {"x": np.abs(x)}, "import")
    case("Clamp", lambda x: opset13.clamp(x, -0.5, 1.25), {"x": x})
    case("Clamp.doubles", lambda x: opset13.clamp(x, 0.0, 1.7976931348623157e308), {"x": x})
    case("HardSigmoid", lambda x: opset13.hard_sigmoid(x, constant(0.3), constant(0.4)), {"x": x})
    case("PReLU.scalar", lambda x: opset13.prelu(x, constant([0.25])), {"x": x})
    case("PReLU.channels", lambda x: opset13.prelu(x, constant([0.25, -1, 2])), {"x": x})
    case("PReLU.broadcast", lambda x: opset13.prelu(x, constant(reals("unary.p", 3, 1, 1))), {"x": x})
    halves = f32(-2.5, -1.5, -0.5, -0.3, 0.0, 0.3, 0.5, 1.5, 2.5, 7.3).reshape(1, 10)
    case("Round.even", lambda x: opset5.round(x, "half_to_even"), {"x": halves}, tolerance=0)
    case("Round.away", lambda x: opset5.round(x, "half_away_from_zero"), {"x": halves}, "import", 0)
    for op in ["mish", "softplus", "erf"]:
        case(op, lambda x, o=op: getattr(opset13, o)(x), {"x": x})
    case("Gelu.erf", lambda x: opset13.gelu(x, "erf"), {"x": x})
    case("Gelu.tanh", lambda x: opset13.gelu(x, "tanh"), {"x": x})
    case("Gelu.opset2", lambda x: opset2.gelu(x), {"x": x})
    case("Elu", lambda x: opset13.elu(x, 0.75), {"x": x})
    case("Log", lambda x: opset13.log(opset13.add(opset13.abs(x), constant(0.5))), {"x": x})
    case("Swish", lambda x: opset13.swish(x), {"x": x})
    case("Swish.beta", lambda x: opset13.swish(x, constant(0.75)), {"x": x})
    case("FakeQuantize.16_levels", lambda x: opset13.fake_quantize(
        x, constant(-1.5), constant(1.5), constant(-1.5), constant(1.5), 16), {"x": x}, "import")


def binary():
    x, y = reals("binary.x", 2, 3, 4, 4), reals("binary.y", 2, 3, 4, 4)
    column = reals("binary.c", 1, 3, 1, 1)
    for op in ["add", "subtract", "multiply", "divide", "maximum", "minimum", "squared_difference"]:
        case(f"{op}.data", lambda x, y, o=op: getattr(opset13, o)(x, y), {"x": x, "y": y},
             "float" if op != "divide" else "import")
        case(f"{op}.constant", lambda x, o=op: getattr(opset13, o)(x, constant(column)), {"x": x})
    case("power.2", lambda x: opset13.power(x, constant(2)), {"x": x})
    for op in ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"]:
        case(op, lambda x, y, o=op: getattr(opset13, o)(opset13.round(x, "half_to_even"),
                                                        opset13.round(y, "half_to_even")),
             {"x": x, "y": y}, "import", 0)
    case("logic", lambda x, y: [
        opset13.logical_and(opset13.less(x, y), opset13.less(x, constant(0.5))),
        opset13.logical_or(opset13.less(x, y), opset13.less(x, constant(0.5))),
        opset13.logical_xor(opset13.less(x, y), opset13.less(x, constant(0.5))),
        opset13.logical_not(opset13.less(x, y))], {"x": x, "y": y}, "import", 0)
    case("Select", lambda x, y: opset13.select(opset13.less(x, y), x, constant(-1.5)), {"x": x, "y": y}, "import")
    integers = [i64(7, -7, 9, -9, 6, 0), i64(2, 2, -4, -4, 3, 5)]
    case("Divide.integers", lambda x: opset13.add(x, opset13.convert(opset13.divide(
        constant(integers[0], np.int64), constant(integers[1], np.int64)), np.float32)),
        {"x": reals("binary.i", 1, 6)}, tolerance=0)
    case("Convert", lambda x: [opset13.convert(x, np.int32), opset13.convert(x, np.bool_),
                               opset13.convert_like(x, constant(1, np.int64))], {"x": x * 3}, "import", 0)


# ---- Movement and shapes

def movement():
    x = reals("move.x", 2, 4, 6, 5)
    y = reals("move.y", 2, 3, 6, 5)
    case("Concat", lambda x, y: opset13.concat([x, y], 1), {"x": x, "y": y}, tolerance=0)
    case("Split", lambda x: [opset13.split(x, constant(1, np.int64), 2).output(i) for i in range(2)], {"x": x},
         tolerance=0)
    case("VariadicSplit", lambda x: [opset13.variadic_split(
        x, constant(-2, np.int64), constant([1, -1, 2], np.int64)).output(i) for i in range(3)], {"x": x}, tolerance=0)
    case("Transpose", lambda x: opset13.transpose(x, constant([0, 2, 3, 1], np.int64)), {"x": x}, tolerance=0)
    case("Transpose.reversed", lambda x: opset13.transpose(x, constant([], np.int64)), {"x": x}, "import", 0)
    for mode in ["constant", "edge", "reflect"]:
        kind = "float" if mode == "constant" else "import"
        case(f"Pad.{mode}", lambda x, m=mode: opset1.pad(
            x, constant([0, 0, 1, 2], np.int64), constant([0, 0, 2, 0], np.int64), m,
            constant(0.5) if m == "constant" else None), {"x": x}, kind, 0)
    case("Gather.opset8", lambda x: opset8.gather(x, constant([2, -1, 0], np.int64), constant(1, np.int64)), {"x": x},
         "import", 0)
    case("Gather.opset1", lambda x: opset1.gather(x, constant([3, 1], np.int64), constant(3, np.int64)), {"x": x},
         "import", 0)
    case("ShuffleChannels", lambda x: opset13.shuffle_channels(x, 1, 2), {"x": x}, tolerance=0)
    case("ShuffleChannels.rows", lambda x: opset13.shuffle_channels(x, -2, 3), {"x": x}, "import", 0)
    case("Identity", lambda x: opset16.identity(x), {"x": x}, tolerance=0)
    case("Tile", lambda x: opset13.tile(x, constant([1, 2, 1, 3], np.int64)), {"x": x}, tolerance=0)
    case("Tile.leading", lambda x: opset13.tile(x, constant([2, 1, 1, 1, 2], np.int64)), {"x": x}, "import", 0)


def slices():
    x = reals("slice.x", 2, 4, 6, 5)
    case("Slice", lambda x: opset8.slice(x, constant([1, -2], np.int64), constant([6, -6], np.int64),
                                         constant([2, -1], np.int64), constant([2, 3], np.int64)), {"x": x}, "import", 0)
    case("Slice.no_axes", lambda x: opset8.slice(x, constant([0, 1], np.int64), constant([2, 3], np.int64),
                                                 constant([1, 1], np.int64)), {"x": x}, tolerance=0)

    def strided(name, begin, end, strides, kind="float", **masks):
        lists = {key: masks.get(key, []) for key in
                 ["begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask"]}
        case(f"StridedSlice.{name}", lambda x: opset1.strided_slice(
            x, constant(begin, np.int64), constant(end, np.int64), constant(strides, np.int64), **lists), {"x": x}, kind, 0)

    strided("plain", [0, 1, 2, 0], [2, 3, 6, 5], [1, 1, 1, 1], begin_mask=[0, 0, 0, 0], end_mask=[0, 0, 0, 0])
    strided("masks", [1, 1, 2, 3], [1, 3, 1, 1], [1, 1, 2, 1], begin_mask=[1, 0, 1, 1], end_mask=[1, 0, 1, 1])
    strided("reversed", [0, 0, 0, -1], [0, 0, 0, -6], [1, 1, -1, -2], "import", begin_mask=[1, 1, 1], end_mask=[1, 1, 1])
    strided("shrink", [0, -1, 0], [0, 0, 0], [1, 1, 1], begin_mask=[1, 0, 1], end_mask=[1, 0, 1],
            shrink_axis_mask=[0, 1, 0])
    strided("new_axis", [0, 0, 1], [0, 0, 3], [1, 1, 1], begin_mask=[1, 1, 0], end_mask=[1, 1, 0],
            new_axis_mask=[0, 1, 0])
    strided("ellipsis", [0, 0, 1], [0, 0, 4], [1, 1, 2], "import", begin_mask=[1, 0, 0], end_mask=[1, 0, 0],
            ellipsis_mask=[0, 1, 0])
    strided("all", [0, 0, 0, 1, 2], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], "import", begin_mask=[1, 0, 0, 0, 0],
            end_mask=[1, 0, 0, 0, 1], ellipsis_mask=[0, 1, 0, 0, 0], new_axis_mask=[0, 0, 1, 0, 0],
            shrink_axis_mask=[0, 0, 0, 1, 0])


def shapes():
    x = reals("shape.x", 2, 4, 6, 5)
    case("Reshape.special_zero", lambda x: opset13.reshape(x, constant([0, -1, 5], np.int64), True), {"x": x}, tolerance=0)
    case("Reshape.plain", lambda x: opset13.reshape(x, constant([2, 4, 30], np.int32), False), {"x": x}, tolerance=0)
    ones = reals("shape.o", 2, 1, 4, 1)
    case("Squeeze", lambda x: opset13.squeeze(x, constant([-1], np.int64)), {"x": ones}, tolerance=0)
    case("Squeeze.all", lambda x: opset13.squeeze(x, constant([], np.int64)), {"x": ones}, tolerance=0)
    case("Squeeze.skip", lambda x: opset15.squeeze(x, constant([0, 1], np.int64), True), {"x": ones}, tolerance=0)
    case("Unsqueeze", lambda x: opset13.unsqueeze(x, constant([1, -1], np.int64)), {"x": reals("shape.u", 2, 3)},
         tolerance=0)
    case("Unsqueeze.scalar", lambda x: opset13.unsqueeze(x, constant(2, np.int64)), {"x": reals("shape.u", 2, 3)},
         tolerance=0)

    def flatten(x):
        batch = opset13.gather(opset13.shape_of(x), constant([0], np.int64), constant(0, np.int64))
        return opset13.reshape(x, opset13.concat([batch, constant([-1], np.int64)], 0), False)

    case("ShapeOf.flatten", flatten, {"x": x}, tolerance=0)
    case("Broadcast.numpy", lambda x: opset13.broadcast(x, constant([2, 4, 6, 5], np.int64)),
         {"x": reals("shape.b", 4, 1, 5)}, "import", 0)
    case("Broadcast.bidirectional", lambda x: opset13.broadcast(
        x, constant([1, 1, 5], np.int64), broadcast_spec="BIDIRECTIONAL"), {"x": reals("shape.b", 2, 4, 1)}, "import", 0)
    case("Broadcast.explicit", lambda x: opset13.broadcast(
        x, constant([2, 4, 3], np.int64), constant([1], np.int64), "EXPLICIT"), {"x": reals("shape.e", 4)}, "import", 0)
    case("Range", lambda x: opset13.add(x, opset13.range(
        constant(0, np.int64), constant(10, np.int64), constant(2, np.int64), "f32")), {"x": reals("shape.r", 1, 5)},
        tolerance=0)
    case("Result.of_input", lambda x: [x, opset13.relu(x)], {"x": x}, tolerance=0)


def batches():
    """With an open batch: 3 samples, where the importer assumes 1."""
    x = reals("batch.x", 3, 4, 3, 2)

    def dim(x, axis):
        return opset13.gather(opset13.shape_of(x), constant([axis], np.int64), constant(0, np.int64))

    case("Batch.flatten", lambda x: opset13.matmul(
        opset13.reshape(x, opset13.concat([dim(x, 0), constant([-1], np.int64)], 0), False),
        constant(reals("batch.w", 24, 5)), False, False), {"x": x}, "import", open_batch=True)
    case("Batch.known_dims", lambda x: opset13.variadic_split(x, constant(1, np.int64), opset13.concat([
        opset13.divide(dim(x, 1), constant([2], np.int64)), constant([-1], np.int64)], 0)).output(1), {"x": x}, "import",
        open_batch=True)
    case("DecidedByBatch", lambda x: opset13.variadic_split(x, constant(1, np.int64), opset13.concat([
        dim(x, 0), constant([-1], np.int64)], 0)).output(1), {"x": x}, "refused", open_batch=True)


# ---- Constants

def constants():
    x = reals("const.x", 1, 16)
    for dtype in [np.float16, np.float64, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64,
                  np.uint64, np.bool_]:
        values = rng("const").integers(0, 100, 16).astype(dtype)
        if np.issubdtype(dtype, np.signedinteger):
            values = -values
        case(f"Const.{np.dtype(dtype).name}", lambda x, v=values, d=dtype: opset13.add(
            x, opset13.convert(constant(v, d), np.float32)), {"x": x})
    raw = rng("const.raw").integers(0, 256, 8)
    for kind, count in [(ov.Type.u1, 2), (ov.Type.u4, 8), (ov.Type.i4, 8)]:
        case(f"Const.{kind.get_type_name()}", lambda x, k=kind, n=count: opset13.add(
            x, opset13.convert(packed(k, [16], raw[:n]), np.float32)), {"x": x})
    halves = (reals("const.bf", 16).view(np.uint32) >> 16).astype(np.uint16)
    KEEP.append(halves)
    case("Const.bf16", lambda x: opset13.add(x, opset13.convert(ov.op.Constant(ov.Tensor(
        KEEP[-1], ov.Shape([16]), ov.Type.bf16)), np.float32)), {"x": x})
    case("Version.10", lambda x: opset13.add(x, constant(reals("const.v", 16))), {"x": x},
         edit=lambda xml: xml.replace(b'version="11"', b'version="10"'))


# ---- Quantized

def quantized_data(x, levels=256, low=-2.0, high=2.0):
    return opset13.fake_quantize(x, constant(low), constant(high), constant(low), constant(high), levels)


def quantized():
    """One step of an output is what one step of an input, rounded the other way, makes of it."""
    x = reals("quant.x", 1, 8, 7, 7)
    w8 = rng("quant.w").integers(-127, 128, (12, 8, 3, 3))
    scales = np.abs(reals("quant.s", 12, 1, 1, 1)) / 127
    step = float(4 / 255 * (127 * np.abs(scales)).max())

    def convolve(data, weights):
        return opset13.convolution(data, weights, [1, 1], [1, 1], [1, 1], [1, 1])

    zero = float(-128 * 4 / 255)
    data = lambda x: quantized_data(x, 256, zero, zero + 4)
    case("int8.Convert_Multiply", lambda x: convolve(data(x), opset13.multiply(
        opset13.convert(constant(w8, np.int8), np.float32), constant(scales))), {"x": x}, "int8", step)
    u8 = rng("quant.u").integers(0, 256, (12, 8, 3, 3))
    case("int8.Convert_Subtract_Multiply", lambda x: convolve(data(x), opset13.multiply(opset13.subtract(
        opset13.convert(constant(u8, np.uint8), np.float32), constant(128.0)), constant(scales))), {"x": x}, "int8", step)
    case("int8.Convert_FakeQuantize", lambda x: convolve(data(x), opset13.fake_quantize(
        opset13.convert(constant(w8, np.int8), np.float32), constant(-127.0), constant(127.0),
        constant(-127 * scales), constant(127 * scales), 255)), {"x": x}, "int8", step)
    case("int8.float_FakeQuantize", lambda x: convolve(quantized_data(opset13.relu(x), 256, 0.0, 4.0),
         opset13.fake_quantize(constant(w8 * scales), constant(-127 * scales), constant(127 * scales),
                               constant(-127 * scales), constant(127 * scales), 255)), {"x": x}, "int8", step)
    wm = rng("quant.m").integers(-127, 128, (6, 32))
    row = reals("quant.r", 3, 32)
    case("int8.MatMul", lambda x: opset13.matmul(data(x), opset13.multiply(
        opset13.convert(constant(wm, np.int8), np.float32), constant(np.abs(reals("quant.sm", 6, 1)) / 127)), False, True),
        {"x": row}, "int8", 0.05)
    sparse = np.where(rng("quant.z").random(w8.shape) < 0.7, 0, w8)
    case("int8.sparse", lambda x: convolve(data(x), opset13.multiply(
        opset13.convert(constant(sparse, np.int8), np.float32), constant(scales))), {"x": x}, "int8", step)
    case("u1.Convert", lambda x: opset13.convolution(levels2(x, 0.5, 0.0, 1.0), opset13.multiply(opset13.subtract(
        opset13.convert(packed(ov.Type.u1, [12, 8, 3, 3], rng("quant.b").integers(0, 256, 108)), np.float32),
        constant(0.5)), constant(2.0)), [1, 1], [0, 0], [0, 0], [1, 1]), {"x": x}, "binary", 0)


# ---- A whole network

def resnet18(x, width, classes):
    """ResNet-18 as NNCF binarizes it (XNOR): in each block both 3x3 convolutions have {0, s} activations with a threshold
    a channel and weights of +-scale a filter; first, last and downsampling layers stay float."""
    counter = iter(range(1000))

    def weights(*dims):
        # Few different values, so that the file stays small.
        values = rng(f"resnet{next(counter)}").integers(-4, 5, size=dims).astype(np.float32)
        return values / np.float32(4 * np.sqrt(np.prod(dims[1:])))

    def convolution(x, w, stride, padding):
        return opset13.convolution(x, w, [stride] * 2, [padding] * 2, [padding] * 2, [1, 1])

    def batch_norm(x, channels):
        one = lambda: 1 + weights(channels, 1)[:, 0]
        return opset5.batch_norm_inference(x, constant(one()), constant(weights(channels, 1)[:, 0]),
                                           constant(weights(channels, 1)[:, 0]), constant(one() ** 2), 1e-5)

    def binary_convolution(x, channels, out, stride):
        scale = np.float32(0.7 + 0.01 * next(counter))
        threshold = (scale * (0.5 + weights(1, channels, 1, 1) / 4)).astype(np.float32)
        limit = lambda value: constant(np.full((1, 1, 1, 1), value))  # the plugin crashes on scalars here
        data = opset13.fake_quantize(x, constant(threshold), constant(threshold), limit(0), limit(scale), 2)
        w = weights(out, channels, 3, 3) + np.float32(1e-3)  # no zeros, whose sign conventions differ
        mean = np.abs(w).mean(axis=(1, 2, 3), keepdims=True)
        binary = opset13.fake_quantize(constant(w), limit(0), limit(0), constant(-mean), constant(mean), 2)
        return convolution(data, binary, stride, 1)

    x = opset13.relu(batch_norm(convolution(x, constant(weights(width, 3, 7, 7)), 2, 3), width))
    x = opset8.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
    channels = width
    for stage in range(4):
        out = width << stage
        for block in range(2):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = x
            if stride == 2:
                shortcut = batch_norm(convolution(x, constant(weights(out, channels, 1, 1)), 2, 0), out)
            y = opset13.relu(batch_norm(binary_convolution(x, channels, out, stride), out))
            y = batch_norm(binary_convolution(y, out, out, 1), out)
            x = opset13.relu(opset13.add(y, shortcut))
            channels = out
    x = opset13.reduce_mean(x, constant([2, 3], np.int64), False)
    return opset13.add(opset13.matmul(x, constant(weights(classes, channels)), False, True),
                       constant(weights(1, classes)))


def networks():
    case("ResNet18.xnor", lambda x: resnet18(x, 8, 10), {"x": reals("resnet.x", 1, 3, 64, 64)}, "16 of 21 binary")


def main():
    for group in [convolutions, binary_convolutions, products, pools, normalizations, reductions, unary, binary,
                  movement, slices, shapes, batches, constants, quantized, networks]:
        group()
    for group in [openvino_map_cases.sizes, openvino_map_cases.along_axes, openvino_detection_cases.priors,
                  openvino_detection_cases.detections, openvino_detection_cases.networks]:
        group(case, constant)
    data = b"BNNCASE2" + struct.pack("<I", len(CASES)) + b"".join(CASES)
    with open("openvino.cases.gz", "wb") as stream:
        stream.write(gzip.compress(data, 9, mtime=0))
    print(f"{len(CASES)} cases, {len(data)} bytes, compressed {os.path.getsize('openvino.cases.gz')}")


if __name__ == "__main__":
    main()
