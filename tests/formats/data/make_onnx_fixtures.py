#!/usr/bin/env python3
"""Makes onnx_opset*.cases: small ONNX networks with inputs and the outputs that onnxruntime gives for them.

Needs the Python packages onnx, onnxruntime and numpy; the test that reads the files needs none. Run it in this folder.
The quantizers of binary networks, which onnxruntime does not know, are computed with numpy from their definitions.

Format of a .cases file, little-endian; a string or blob is a u32 length and its bytes:
  magic "BNNCASE1", u32 number of cases; then each case:
    string name, f32 tolerance (0: exact), blob model,
    u32 number of inputs, tensors; u32 number of outputs, tensors
  tensor: string name, u8 type (0 float32, 1 int64, 2 bool), u32 rank, i64 dims..., elements (f32, or i64 each)
"""
import struct
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from make_cases import f32, i64, reals, rng, small_ints, write_string, write_tensor

ONNX_TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64,
              np.dtype(np.bool_): TensorProto.BOOL, np.dtype(np.int32): TensorProto.INT32}
OPSETS = [7, 9, 11, 13, 17, 18, 21]
CASES = {opset: [] for opset in OPSETS}
CLOSE = 1e-6


def build(opset, nodes, inputs, constants, outputs, domains, open_batch):
    def info(name, array):
        dims = list(array.shape)
        if open_batch and dims:
            dims[0] = "N"
        return helper.make_tensor_value_info(name, ONNX_TYPES[array.dtype], dims)

    graph = helper.make_graph(
        nodes, "g", [info(n, a) for n, a in inputs.items()],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        [numpy_helper.from_array(a, n) for n, a in constants.items()])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(graph, opset_imports=imports, ir_version=10 if opset >= 21 else 7)


def case(name, opsets, nodes, inputs, constants=None, outputs=("y",), tolerance=0.0, expected=None, domains=(),
         open_batch=False):
    """Adds one network at each of the opsets. `nodes` are NodeProtos or one (op, inputs, attributes)."""
    if isinstance(nodes, tuple):
        op, names, attributes = nodes
        nodes = [helper.make_node(op, names, list(outputs), **attributes)]
    for opset in opsets:
        model = build(opset, nodes, inputs, constants or {}, outputs, domains, open_batch)
        if expected is None:
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.log_severity_level = 4
            for output in model.graph.output:
                output.ClearField("type")
            session = onnxruntime.InferenceSession(model.SerializeToString(), options)
            results = session.run(list(outputs), inputs)
        else:
            results = expected
        blob = write_string(name) + struct.pack("<f", tolerance) + write_string(model.SerializeToString())
        blob += struct.pack("<I", len(inputs)) + b"".join(write_tensor(n, a) for n, a in inputs.items())
        blob += struct.pack("<I", len(results)) + b"".join(write_tensor(n, a) for n, a in zip(outputs, results))
        CASES[opset].append(blob)


SPECIAL = f32(-np.inf, -3.5, -2.5, -1.0, -0.5, -0.0, 0.0, 0.3, 0.5, 1.5, 2.5, 7.0, np.inf, np.nan)


def elementwise():
    for op in ["Abs", "Ceil", "Floor", "Neg", "Relu", "Identity"]:
        case(op, [7, 13, 21], (op, ["x"], {}), {"x": SPECIAL})
    for op in ["Sign", "Round"]:
        case(op, [11 if op == "Round" else 9, 21], (op, ["x"], {}), {"x": SPECIAL})
    for op in ["Exp", "Sigmoid", "Tanh"]:
        case(op, [7, 13], (op, ["x"], {}), {"x": reals(op, 3, 5)}, tolerance=CLOSE)
    case("Reciprocal", [7, 13], ("Reciprocal", ["x"], {}), {"x": f32(-2, 0.25, 3, np.inf)})
    case("Sqrt", [7, 13], ("Sqrt", ["x"], {}), {"x": f32(0, 2, 3, 1e-20, np.inf)})
    case("LeakyRelu", [7, 17], ("LeakyRelu", ["x"], {"alpha": 0.1}), {"x": SPECIAL})
    case("LeakyRelu.default", [7], ("LeakyRelu", ["x"], {}), {"x": SPECIAL})
    case("HardSigmoid", [7, 13], ("HardSigmoid", ["x"], {"alpha": 0.3, "beta": 0.4}), {"x": reals("hs", 20)},
         tolerance=CLOSE)
    case("HardSwish", [17, 21], ("HardSwish", ["x"], {}), {"x": reals("hsw", 20)}, tolerance=CLOSE)
    case("Clip.attributes", [7, 9], ("Clip", ["x"], {"min": -1.0, "max": 2.0}), {"x": SPECIAL})
    case("Clip.min", [7], ("Clip", ["x"], {"min": -1.0}), {"x": SPECIAL[1:12]})
    case("Clip.inputs", [11, 13, 21], ("Clip", ["x", "l", "h"], {}), {"x": SPECIAL},
         {"l": np.float32(-1), "h": np.float32(2)})
    case("Clip.max_only", [13], ("Clip", ["x", "", "h"], {}), {"x": SPECIAL}, {"h": np.float32(2)})
    for op in ["Elu", "Softplus"]:
        case(op, [7, 13], (op, ["x"], {}), {"x": reals(op, 20) * 5}, tolerance=CLOSE)
    case("Elu.alpha", [13], ("Elu", ["x"], {"alpha": 0.3}), {"x": reals("el", 20)}, tolerance=CLOSE)
    case("Erf", [9, 13], ("Erf", ["x"], {}), {"x": reals("erf", 20)}, tolerance=CLOSE)
    case("Log", [7, 13], ("Log", ["x"], {}), {"x": f32(1e-20, 0.5, 1, 3, np.inf)}, tolerance=CLOSE)
    case("Mish", [18, 21], ("Mish", ["x"], {}), {"x": reals("mish", 20) * 3}, tolerance=CLOSE)
    for approximate in ["none", "tanh"]:
        case("Gelu." + approximate, [21], ("Gelu", ["x"], {"approximate": approximate}), {"x": reals("gelu", 20)},
             tolerance=CLOSE)
    case("Neg.int", [13], ("Neg", ["x"], {}), {"x": i64(-3, 0, 5)})
    case("Not", [7, 21], ("Not", ["x"], {}), {"x": np.array([True, False])})
    for to in [TensorProto.INT64, TensorProto.BOOL, TensorProto.INT32, TensorProto.FLOAT]:
        case(f"Cast.{to}", [9, 13, 21], ("Cast", ["x"], {"to": to}), {"x": f32(-2.7, -0.5, 0, 0.5, 3.9)})
        case(f"Cast.int.{to}", [13], ("Cast", ["x"], {"to": to}), {"x": i64(-2, 0, 5)})
    case("Cast.uint8", [13], [helper.make_node("Cast", ["x"], ["u"], to=TensorProto.UINT8),
                              helper.make_node("Cast", ["u"], ["y"], to=TensorProto.INT64)], {"x": i64(0, 255, 256, -1)})
    case("Cast.bool_to_float", [7, 13], ("Cast", ["x"], {"to": TensorProto.FLOAT}), {"x": np.array([True, False])})


def binary():
    a = reals("a", 2, 3, 4)
    for op in ["Add", "Sub", "Mul", "Div"]:
        case(op, [7, 13, 21], (op, ["a", "b"], {}), {"a": a, "b": reals("b", 3, 1)})
        case(op + ".scalar", [13], (op, ["a", "b"], {}), {"a": a}, {"b": np.float32(1.7)})
        case(op + ".int", [13], (op, ["a", "b"], {}), {"a": i64(7, -7, 9)}, {"b": i64(2, 2, -4)})
    case("Pow.square", [7, 13], ("Pow", ["a", "b"], {}), {"a": a}, {"b": np.float32(2)})
    case("Pow.half", [7, 13], ("Pow", ["a", "b"], {}), {"a": np.abs(a)}, {"b": np.float32(0.5)},
         tolerance=CLOSE)
    case("Pow.int_exponent", [13], ("Pow", ["a", "b"], {}), {"a": a}, {"b": i64(3)}, tolerance=CLOSE)
    nan = f32(1, np.nan, -2, np.inf)
    for op in ["Greater", "Less", "Equal"]:
        case(op, [9 if op != "Equal" else 11, 13, 21], (op, ["a", "b"], {}), {"a": nan[:, None], "b": nan[None, :]})
    for op in ["GreaterOrEqual", "LessOrEqual"]:
        case(op, [13, 17, 21], (op, ["a", "b"], {}), {"a": nan[:, None], "b": nan[None, :]})
    case("Equal.int", [7, 13], ("Equal", ["a", "b"], {}), {"a": i64(1, 2, 3), "b": i64(3, 2, 1)})
    t = np.array([True, True, False, False])
    for op in ["And", "Or"]:
        case(op, [7, 13], (op, ["a", "b"], {}), {"a": t, "b": t[:, None]})
    case("Where", [9, 21], ("Where", ["c", "a", "b"], {}), {"c": t, "a": reals("w", 3, 4), "b": f32(5)})
    case("Where.int", [9], ("Where", ["c", "a", "b"], {}), {"c": t, "a": i64(1), "b": i64(1, 2, 3, 4)})
    case("PRelu", [7, 9, 17], ("PRelu", ["x", "s"], {}), {"x": reals("p", 2, 3, 2, 2)}, {"s": reals("ps", 3, 1, 1)})
    for op in ["Max", "Min", "Sum", "Mean"]:
        names = ["a", "b", "c"]
        case(op + ".3", [9, 13, 21], (op, names, {}), {"a": a, "b": reals("b", 3, 1), "c": reals("c", 4)},
             tolerance=CLOSE if op == "Mean" else 0.0)
        case(op + ".1", [13], (op, ["a"], {}), {"a": a})
    case("Max.nan", [13], ("Max", ["a", "b"], {}), {"a": nan[:, None], "b": nan[None, :]})
    case("Max.int", [13], ("Max", ["a", "b"], {}), {"a": i64(1, 5), "b": i64(3, 2)})


def conv():
    x = small_ints("x", 2, 4, 9, 8)

    def one(name, opsets, w, attributes, bias=None, data=x):
        constants = {"w": w}
        if bias is not None:
            constants["b"] = bias
        case("Conv." + name, opsets, ("Conv", ["x"] + list(constants), attributes), {"x": data}, constants)

    w = small_ints("w", 3, 4, 3, 2)
    one("plain", [7, 11, 21], w, {})
    one("bias", [11], w, {"kernel_shape": [3, 2]}, f32(1, -2, 3))
    one("strides_pads", [11], w, {"strides": [2, 3], "pads": [1, 0, 2, 1]})
    one("dilations", [11], w, {"dilations": [2, 3], "pads": [2, 3, 1, 0]})
    one("groups", [11], small_ints("wg", 6, 2, 3, 3), {"group": 2})
    one("depthwise", [11], small_ints("wd", 4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]})
    for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        one(pad, [7, 13], w, {"auto_pad": pad, "strides": [2, 2], "kernel_shape": [3, 2]})
    one("same_even", [11], small_ints("we", 2, 4, 4, 4), {"auto_pad": "SAME_UPPER", "strides": [3, 1]})
    one("pads_beyond_kernel", [11], small_ints("wo", 2, 4, 1, 1), {"pads": [2, 1, 0, 3]})


def maps():
    """Other sizes of maps."""
    x = small_ints("ctx", 2, 4, 5, 3)

    def transposed(name, opsets, w, attributes, b=None):
        names = ["x", "w"] + (["b"] if b is not None else [])
        case("ConvTranspose." + name, opsets, ("ConvTranspose", names, attributes), {"x": x},
             {"w": w, **({"b": b} if b is not None else {})})

    w = small_ints("ctw", 4, 6, 3, 2)
    transposed("plain", [7, 11, 21], w, {}, small_ints("ctb", 6))
    transposed("strided", [11, 13], w, {"strides": [2, 3], "pads": [1, 0, 2, 1], "output_padding": [1, 2]})
    transposed("dilated", [11], w, {"dilations": [2, 3], "pads": [1, 2, 0, 1], "kernel_shape": [3, 2]})
    transposed("group", [11], small_ints("ctg", 4, 3, 3, 3), {"group": 2, "strides": [2, 2]}, small_ints("ctgb", 6))
    transposed("depthwise", [13], small_ints("ctd", 4, 1, 3, 3), {"group": 4, "strides": [2, 2], "pads": [1, 1, 1, 1]})
    transposed("holes", [11], small_ints("cth", 4, 2, 1, 1), {"strides": [3, 2], "output_padding": [1, 1]})
    transposed("output_shape", [11], w, {"strides": [2, 2], "output_shape": [10, 5]})
    for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        transposed(pad, [11, 13], w, {"strides": [2, 1], "auto_pad": pad})

    y = reals("rs", 1, 2, 5, 6)

    def resized(name, opsets, attributes, scales=None, sizes=None, extra=(), tolerance=0.0):
        constants = {"scales": f32(*scales)} if scales else {"sizes": i64(*sizes)}
        names = ["x", "", "scales"] if scales else ["x", "", "", "sizes"]
        if opsets == [11]:  # where roi and scales had to be there
            constants = {"roi": f32(), **({} if scales else {"scales": f32()}), **constants}
            names = ["x", "roi", "scales"] + ([] if scales else ["sizes"])
        case("Resize." + name, opsets, ("Resize", names, attributes), {"x": y}, constants, tolerance=tolerance)

    for coordinates in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]:
        attributes = {"coordinate_transformation_mode": coordinates}
        resized(f"linear.{coordinates}", [13, 18, 21], {**attributes, "mode": "linear"}, scales=(1, 1, 2, 1.5),
                tolerance=1e-5)
        resized(f"linear.down.{coordinates}", [13], {**attributes, "mode": "linear"}, sizes=(1, 2, 3, 4),
                tolerance=1e-5)
        resized(f"linear.one.{coordinates}", [13], {**attributes, "mode": "linear"}, sizes=(1, 2, 1, 9), tolerance=1e-5)
        for rounding in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]:
            resized(f"nearest.{coordinates}.{rounding}", [13, 21], {**attributes, "nearest_mode": rounding},
                    scales=(1, 1, 2, 0.6))
            resized(f"nearest.sizes.{coordinates}.{rounding}", [13], {**attributes, "nearest_mode": rounding},
                    sizes=(1, 2, 3, 13))
    resized("old.scales", [11], {"mode": "linear"}, scales=(1, 1, 2, 2), tolerance=1e-5)
    resized("old.sizes", [11], {}, sizes=(1, 2, 7, 3))
    resized("tf_half_pixel_for_nn", [11], {"coordinate_transformation_mode": "tf_half_pixel_for_nn",
                                           "nearest_mode": "floor"}, scales=(1, 1, 2.6, 1.7))
    resized("channels", [13], {}, scales=(1, 2, 1, 1))
    case("Resize.axes", [18, 21], ("Resize", ["x", "", "scales"], {"axes": [3, -2]}), {"x": y},
         {"scales": f32(2, 0.5)})
    case("Upsample", [9], ("Upsample", ["x", "s"], {}), {"x": y}, {"s": f32(1, 1, 2, 3)})
    case("Upsample.linear", [9], ("Upsample", ["x", "s"], {"mode": "linear"}), {"x": y}, {"s": f32(1, 1, 2, 1.5)},
         tolerance=1e-5)
    case("Upsample.attribute", [7], ("Upsample", ["x"], {"scales": [1.0, 1.0, 2.0, 1.7]}), {"x": y})
    # What PyTorch writes for interpolate(size): the first two sizes from Shape.
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "b", "e"], ["nc"]),
        helper.make_node("Concat", ["nc", "hw"], ["sizes"], axis=0),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear"),
    ]
    case("Resize.pytorch", [13, 17], nodes, {"x": reals("rsp", 3, 2, 4, 4)},
         {"b": i64(0), "e": i64(2), "hw": i64(7, 8)}, open_batch=True, tolerance=1e-5)
    z = reals("s2d", 2, 8, 4, 6)
    case("SpaceToDepth", [7, 13], ("SpaceToDepth", ["x"], {"blocksize": 2}), {"x": z}, open_batch=True)
    case("DepthToSpace", [7, 11, 13], ("DepthToSpace", ["x"], {"blocksize": 2}), {"x": z}, open_batch=True)
    case("DepthToSpace.crd", [11, 13], ("DepthToSpace", ["x"], {"blocksize": 2, "mode": "CRD"}), {"x": z},
         open_batch=True)


def matrices():
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = small_ints("ga", *((4, 3) if trans_a else (3, 4)))
            b = small_ints("gb", *((5, 4) if trans_b else (4, 5)))
            case(f"Gemm.{trans_a}{trans_b}", [7, 11, 13],
                 ("Gemm", ["a", "b", "c"], {"transA": trans_a, "transB": trans_b, "alpha": 0.5, "beta": 2.0}),
                 {"a": a}, {"b": b, "c": small_ints("gc", 5)})
    case("Gemm.no_c", [11, 21], ("Gemm", ["a", "b"], {}), {"a": small_ints("ga", 3, 4)}, {"b": small_ints("gb", 4, 5)})
    case("Gemm.c_column", [13], ("Gemm", ["a", "b", "c"], {}), {"a": small_ints("ga", 3, 4)},
         {"b": small_ints("gb", 4, 5), "c": small_ints("gcc", 3, 1)})
    for name, a, b in [("2d", (3, 4), (4, 5)), ("batched", (2, 1, 3, 4), (3, 4, 5)), ("vector_left", (4,), (2, 4, 5)),
                       ("vector_right", (2, 3, 4), (4,)), ("dot", (4,), (4,))]:
        case("MatMul." + name, [9, 13], ("MatMul", ["a", "b"], {}), {"a": small_ints("ma", *a), "b": small_ints("mb", *b)})


def pools():
    x = reals("pool", 2, 3, 8, 7)
    for op in ["MaxPool", "AveragePool"]:
        tolerance = 0.0 if op == "MaxPool" else CLOSE

        def one(name, opsets, attributes):
            case(f"{op}.{name}", opsets, (op, ["x"], {"kernel_shape": [3, 2], **attributes}), {"x": x},
                 tolerance=tolerance)

        one("plain", [7, 11, 21], {})
        one("strided", [7, 13], {"strides": [2, 2], "pads": [1, 0, 2, 1]})
        one("ceil", [11, 13, 21], {"strides": [2, 2], "ceil_mode": 1})
        one("ceil_pads", [11, 21], {"strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1})
        for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
            one(pad, [7, 13], {"auto_pad": pad, "strides": [2, 3]})
    case("MaxPool.dilations", [11, 21], ("MaxPool", ["x"], {"kernel_shape": [3, 2], "dilations": [2, 3]}), {"x": x})
    case("AveragePool.dilations", [21], ("AveragePool", ["x"], {"kernel_shape": [3, 2], "dilations": [2, 3]}),
         {"x": x}, tolerance=CLOSE)
    for ceil in (0, 1):
        case(f"AveragePool.include_pad.{ceil}", [11, 21],
             ("AveragePool", ["x"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1],
                                     "count_include_pad": 1, "ceil_mode": ceil}), {"x": x}, tolerance=CLOSE)
    case("GlobalAveragePool", [7, 13], ("GlobalAveragePool", ["x"], {}), {"x": x}, tolerance=CLOSE)
    case("GlobalMaxPool", [7, 13], ("GlobalMaxPool", ["x"], {}), {"x": x})


def normalization():
    x = reals("bn", 2, 3, 2, 2)
    constants = {"s": f32(1, -2, 0.5), "b": f32(0, 1, -1), "m": f32(0.1, -0.2, 3), "v": f32(1, 0.5, 4)}
    names = ["x", "s", "b", "m", "v"]
    case("BatchNormalization", [7, 9, 13, 17, 21], ("BatchNormalization", names, {"epsilon": 1e-3}), {"x": x},
         constants, tolerance=CLOSE)
    case("BatchNormalization.2d", [13], ("BatchNormalization", names, {}), {"x": reals("bn2", 4, 3)}, constants,
         tolerance=CLOSE)
    many = reals("lrn", 2, 7, 3, 2)
    for size in (1, 3, 5, 9):
        case(f"LRN.{size}", [7, 13], ("LRN", ["x"], {"size": size, "alpha": 0.5, "beta": 0.6, "bias": 1.5}),
             {"x": many}, tolerance=1e-5)
    case("LRN.defaults", [13], ("LRN", ["x"], {"size": 5}), {"x": many}, tolerance=1e-5)
    for axis in (1, -1):
        case(f"LpNormalization.{axis}", [7, 13], ("LpNormalization", ["x"], {"axis": axis}),
             {"x": np.concatenate([many, np.zeros((1, 7, 3, 2), np.float32)])}, tolerance=1e-5)
    y = reals("sm", 2, 3, 4)
    for op in ["Softmax", "LogSoftmax"]:
        case(op, [7, 11, 13, 21], (op, ["x"], {}), {"x": y}, tolerance=CLOSE, open_batch=True)
        for axis in (0, 1, 2):
            case(f"{op}.{axis}", [9, 13], (op, ["x"], {"axis": axis}), {"x": y}, tolerance=CLOSE, open_batch=True)
        case(f"{op}.negative", [11, 13], (op, ["x"], {"axis": -2}), {"x": y}, tolerance=CLOSE)
    case("Dropout", [7, 11, 13, 21], ("Dropout", ["x"], {}), {"x": y})
    case("Dropout.ratio", [13], ("Dropout", ["x", "r", "t"], {}), {"x": y}, {"r": np.float32(0.3), "t": np.bool_(False)})


def reductions():
    x = small_ints("red", 2, 3, 4)
    for op in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"]:
        old = [7, 11] if op == "ReduceSum" else [7, 11, 13, 17]
        new = [13, 17, 18, 21] if op == "ReduceSum" else [18, 21]
        tolerance = CLOSE if op in ("ReduceMean", "ReduceProd") else 0.0
        case(op + ".axes", old, (op, ["x"], {"axes": [0, 2]}), {"x": x}, tolerance=tolerance)
        case(op + ".all", old + new, (op, ["x"], {"keepdims": 0}), {"x": x}, tolerance=tolerance)
        case(op + ".input", new, (op, ["x", "a"], {"keepdims": 0}), {"x": x}, {"a": i64(-1)}, tolerance=tolerance)
        case(op + ".none", new, (op, ["x"], {"noop_with_empty_axes": 1}), {"x": x}, tolerance=tolerance)


def moves():
    x = reals("mv", 2, 6, 5)
    case("Concat", [7, 11, 13], ("Concat", ["a", "b"], {"axis": 1}), {"a": x, "b": reals("cb", 2, 1, 5)})
    case("Concat.negative", [11], ("Concat", ["a", "a"], {"axis": -1}), {"a": x})
    case("Concat.one", [13], ("Concat", ["a"], {"axis": 0}), {"a": x}, open_batch=True)
    two = ("p", "q")
    case("Split.equal", [7, 11, 13, 17], ("Split", ["x"], {"axis": 1}), {"x": x}, outputs=two)
    case("Split.attribute", [7, 11], ("Split", ["x"], {"axis": 1, "split": [2, 4]}), {"x": x}, outputs=two)
    case("Split.input", [13, 18, 21], ("Split", ["x", "s"], {"axis": -1}), {"x": x}, {"s": i64(1, 4)}, outputs=two)
    case("Split.num_outputs", [18, 21], ("Split", ["x"], {"axis": 2, "num_outputs": 2}), {"x": x}, outputs=two)
    case("Slice.attributes", [7, 9], ("Slice", ["x"], {"starts": [1, -3], "ends": [100, -1], "axes": [1, 2]}), {"x": x})
    slices = {"b": i64(4, -1), "e": i64(0, -1000), "a": i64(1, -1), "s": i64(-2, -1)}
    case("Slice.inputs", [11, 13, 21], ("Slice", ["x", "b", "e", "a", "s"], {}), {"x": x}, slices)
    case("Slice.defaults", [11, 13], ("Slice", ["x", "b", "e"], {}), {"x": x}, {"b": i64(0, 1), "e": i64(1, 2**62)})
    case("Slice.steps", [13], ("Slice", ["x", "b", "e", "", "s"], {}), {"x": x},
         {"b": i64(0, 5, 0), "e": i64(2, -7, 5), "s": i64(1, -3, 2)})
    case("Slice.empty", [13], ("Slice", ["x", "b", "e"], {}), {"x": x}, {"b": i64(1), "e": i64(1)})
    case("Pad.attributes", [7, 9], ("Pad", ["x"], {"pads": [0, 1, 2, 0, 0, 1], "value": 1.5}), {"x": x})
    pads = {"p": i64(0, 1, 2, 0, 0, 1)}
    case("Pad.inputs", [11, 13, 21], ("Pad", ["x", "p", "v"], {}), {"x": x}, {**pads, "v": np.float32(1.5)})
    case("Pad.default", [13], ("Pad", ["x", "p"], {}), {"x": x}, pads)
    for mode in ["reflect", "edge"]:
        case("Pad." + mode, [11, 21], ("Pad", ["x", "p"], {"mode": mode}), {"x": x}, {"p": i64(0, 2, 3, 0, 1, 4)})
    case("Pad.axes", [18, 21], ("Pad", ["x", "p", "", "a"], {}), {"x": x}, {"p": i64(2, 1, 0, 3), "a": i64(-1, 1)})
    case("Pad.crop", [13], ("Pad", ["x", "p"], {}), {"x": x}, {"p": i64(0, -1, 2, 0, 1, -1)})
    case("Transpose", [7, 13], ("Transpose", ["x"], {"perm": [2, 0, 1]}), {"x": x})
    case("Transpose.default", [7, 21], ("Transpose", ["x"], {}), {"x": x})
    case("Gather", [7, 11, 13], ("Gather", ["x", "i"], {"axis": 1}), {"x": x}, {"i": np.array([[0, 5], [2, 2]])})
    case("Gather.negative", [11, 13], ("Gather", ["x", "i"], {"axis": -1}), {"x": x}, {"i": i64(-1, 0)})
    case("Gather.scalar", [13], ("Gather", ["x", "i"], {}), {"x": x}, {"i": np.int64(1)})
    case("Expand", [9, 13], ("Expand", ["x", "s"], {}), {"x": reals("ex", 3, 1)}, {"s": i64(2, 1, 4)})


def shapes():
    x = reals("sh", 2, 3, 4)
    case("Reshape", [7, 13, 21], ("Reshape", ["x", "s"], {}), {"x": x}, {"s": i64(0, -1, 2)}, open_batch=True)
    case("Reshape.allowzero", [17], ("Reshape", ["x", "s"], {"allowzero": 1}), {"x": x}, {"s": i64(6, 4)})
    for axis in (0, 1, 2, 3):
        case(f"Flatten.{axis}", [9, 13], ("Flatten", ["x"], {"axis": axis}), {"x": x}, open_batch=True)
    case("Flatten.negative", [11, 21], ("Flatten", ["x"], {"axis": -1}), {"x": x})
    y = reals("sq", 1, 3, 1, 2)
    case("Squeeze.attribute", [7, 11], ("Squeeze", ["x"], {"axes": [0, 2]}), {"x": y})
    case("Squeeze.input", [13, 21], ("Squeeze", ["x", "a"], {}), {"x": y}, {"a": i64(-2)})
    case("Squeeze.all", [7, 13], ("Squeeze", ["x"], {}), {"x": y})
    case("Unsqueeze.attribute", [7, 11], ("Unsqueeze", ["x"], {"axes": [1, 3]}), {"x": reals("un", 3, 2)})
    case("Unsqueeze.input", [13, 21], ("Unsqueeze", ["x", "a"], {}), {"x": reals("un", 3, 2)}, {"a": i64(-1, 0)})
    case("Shape", [7, 13, 21], ("Shape", ["x"], {}), {"x": x}, open_batch=True)
    case("Shape.range", [17], ("Shape", ["x"], {"start": 1, "end": -1}), {"x": x})
    case("ConstantOfShape", [9, 21], ("ConstantOfShape", ["s"], {
        "value": numpy_helper.from_array(f32(2.5))}), {}, {"s": i64(2, 3)})
    case("ConstantOfShape.default", [9], ("ConstantOfShape", ["s"], {}), {}, {"s": i64(2)})
    case("Range", [11, 21], ("Range", ["a", "b", "c"], {}), {}, {"a": np.int64(10), "b": np.int64(3), "c": np.int64(-2)})
    case("Range.float", [13], ("Range", ["a", "b", "c"], {}), {},
         {"a": np.float32(1), "b": np.float32(2.1), "c": np.float32(0.25)})
    for name, opsets, attributes in [("tensor", [7, 13], {"value": numpy_helper.from_array(f32(1, 2))}),
                                     ("float", [13], {"value_float": 1.5}), ("ints", [13], {"value_ints": [3, 4]}),
                                     ("floats", [13], {"value_floats": [3.5, 4]}), ("int", [21], {"value_int": 3})]:
        case("Constant." + name, opsets, [helper.make_node("Constant", [], ["c"], **attributes),
                                          helper.make_node("Identity", ["c"], ["y"])], {})


def types():
    """Initializers of all element types, in raw_data; the typed fields are covered by the tests in C++."""
    values = np.array([1, 0, 3])
    for kind in [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.uint64, np.float16, np.float64]:
        case("initializer." + np.dtype(kind).name, [13],
             [helper.make_node("Cast", ["c"], ["f"], to=TensorProto.FLOAT), helper.make_node("Add", ["x", "f"], ["y"])],
             {"x": f32(0.5, 1, 2)}, {"c": (values * (-1 if np.dtype(kind).kind in "if" else 1)).astype(kind)})


def batch_chains():
    """What exporters write for view(x.size(0), -1): the batch must stay open after folding."""
    x = reals("chain", 3, 4, 2, 2)

    def chain(opset):
        axes = {} if opset >= 13 else {"axes": [0]}
        axes_input = ["zero1"] if opset >= 13 else []
        return [
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
            helper.make_node("Unsqueeze", ["batch"] + axes_input, ["batch1"], **axes),
            helper.make_node("Concat", ["batch1", "rest"], ["target"], axis=0),
            helper.make_node("Reshape", ["x", "target"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["y"]),
        ]

    constants = {"zero": np.int64(0), "zero1": i64(0), "rest": i64(-1), "w": small_ints("cw", 16, 3)}
    for opset in OPSETS:
        case("chain.view", [opset], chain(opset), {"x": np.round(x)}, constants, open_batch=True)
    # The batch at another place than axis 0: [N, C, H, W] -> [C * H, W * N], both computed.
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "b0", "b1"], ["n"]),
        helper.make_node("Slice", ["shape", "b3", "b4"], ["w"]),
        helper.make_node("Mul", ["n", "w"], ["nw"]),
        helper.make_node("Concat", ["open", "nw"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    case("chain.batch_last", [11, 21], nodes, {"x": x},
         {"b0": i64(0), "b1": i64(1), "b3": i64(3), "b4": i64(4), "open": i64(-1)}, open_batch=True)
    # ShuffleNet's channel shuffle, with all dims from Shape.
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "i0"], ["n"], axis=0),
        helper.make_node("Gather", ["shape", "i1"], ["c"], axis=0),
        helper.make_node("Div", ["c", "two"], ["half"]),
        helper.make_node("Concat", ["n", "two", "half", "hw"], ["split"], axis=0),
        helper.make_node("Reshape", ["x", "split"], ["five"]),
        helper.make_node("Transpose", ["five"], ["swapped"], perm=[0, 2, 1, 3, 4]),
        helper.make_node("Reshape", ["swapped", "shape"], ["y"]),
    ]
    case("chain.shuffle", [9, 13, 18], nodes, {"x": x}, {"i0": i64(0), "i1": i64(1), "two": i64(2), "hw": i64(2, 2)},
         open_batch=True)
    # A tensor made for the batch.
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("Add", ["x", "zeros"], ["y"]),
    ]
    case("chain.zeros", [9, 21], nodes, {"x": x}, open_batch=True)


def bipolar(x, scale):
    return np.where(x >= 0, scale, -scale).astype(np.float32)


def fake_quantize(x, il, ih, ol, oh, levels):
    il, ih, ol, oh = (np.asarray(v, dtype=np.float32) for v in (il, ih, ol, oh))
    steps = np.float32(levels - 1)

    def multiply_add(a, b, c):  # OpenVINO's CPU plugin: the product is exact, the sum rounded
        return (a.astype(np.float64) * np.float64(b) + np.float64(c)).astype(np.float32)

    with np.errstate(all="ignore"):
        scale = steps / (ih - il)
        middle = multiply_add(np.round(multiply_add(x, scale, -il * scale)), (oh - ol) / steps, ol)
    return np.where(x <= np.minimum(il, ih), ol, np.where(x > np.maximum(il, ih), oh, middle)).astype(np.float32)


def quantizers():
    x = np.concatenate([reals("bq", 3, 5), f32(0, -0.0, np.nan, np.inf, -1e-30)[None]])
    for domain in ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"]:
        node = helper.make_node("BipolarQuant", ["x", "s"], ["y"], domain=domain)
        case("BipolarQuant." + domain, [9, 13], [node], {"x": x}, {"s": np.float32(0.5)}, expected=[bipolar(x, 0.5)],
             domains=[domain])
        case("BipolarQuant.no_import." + domain, [11], [node], {"x": x}, {"s": f32(0.5)}, expected=[bipolar(x, 0.5)])
    scale = f32(1, 2, 3, 4, 5)
    case("BipolarQuant.channels", [13], [helper.make_node("BipolarQuant", ["x", "s"], ["y"], domain="onnx.brevitas")],
         {"x": x}, {"s": scale}, expected=[bipolar(x, scale)])
    y = np.concatenate([reals("fq", 3, 5), f32(0, 0.5, -0.5, 1, 2)[None]])

    def one(name, limits, levels, extra=None):
        node = helper.make_node("FakeQuantize", ["x", "il", "ih", "ol", "oh"], ["y"], domain="org.openvinotoolkit",
                                levels=levels, **(extra or {}))
        values = dict(zip(["il", "ih", "ol", "oh"], limits))
        case("FakeQuantize." + name, [13, 17], [node], {"x": y}, values, expected=[fake_quantize(y, *limits, levels)],
             domains=["org.openvinotoolkit"])

    one("threshold", (np.float32(0.5), np.float32(0.5), np.int64(0), np.float32(0.7)), 2)
    one("threshold_columns", (f32(0, 0.5, -0.5, 1, 2),) * 2 + (np.int64(0), np.float32(0.7)), 2)
    one("levels2", (np.float32(-1), np.float32(1), np.float32(-0.3), np.float32(0.3)), 2)
    one("levels4", (np.float32(-1), np.float32(1.5), np.float32(-1), np.float32(1.5)), 4, {"auto_broadcast": "numpy"})
    one("levels255", (np.float32(-2), np.float32(2), np.float32(-2), np.float32(2)), 255)
    one("inverted", (np.float32(1), np.float32(-1), np.float32(0), np.float32(3)), 4)


def main():
    warnings.simplefilter("ignore")
    for family in [elementwise, binary, conv, maps, matrices, pools, normalization, reductions, moves, shapes, types,
                   batch_chains, quantizers]:
        family()
    for opset, cases in CASES.items():
        with open(f"onnx_opset{opset}.cases", "wb") as file:
            file.write(b"BNNCASE1" + struct.pack("<I", len(cases)) + b"".join(cases))
        print(f"opset {opset}: {len(cases)} cases")


if __name__ == "__main__":
    main()
