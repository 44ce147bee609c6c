#!/usr/bin/env python3
"""Makes onnx_int8.cases: small networks quantized to 8 bits, with inputs and the outputs that onnxruntime gives.

Needs the Python packages onnx, onnxruntime and numpy. Run it in this folder. The file has the format of
make_onnx_fixtures.py, but a case's tolerance is absolute: one quantization step of its output, since implementations
may round a tie, or a value a float's rounding away from one, either way.
"""
import struct

import numpy as np
from onnx import helper

import make_onnx_fixtures as base
from make_onnx_fixtures import case, f32, rng

base.ONNX_TYPES.update({np.dtype(np.int8): helper.np_dtype_to_tensor_dtype(np.dtype(np.int8)),
                        np.dtype(np.uint8): helper.np_dtype_to_tensor_dtype(np.dtype(np.uint8))})
FLOAT_CLOSE = 2e-5


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def integers(name, kind, *dims):
    info = np.iinfo(kind)
    return rng(name).integers(info.min, info.max + 1, size=dims).astype(kind)


def reals(name, *dims):
    return rng(name).uniform(-2, 2, size=dims).astype(np.float32)


def linear():
    """The two operators alone, with ties, saturation and a scale for each channel."""
    x = np.concatenate([f32(-1e9, 1e9, -64.25, -0.75, -0.25, 0.25, 0.75, 1.25, 63.75, 64), reals("linear", 30)])[None]
    for kind in [np.int8, np.uint8]:
        zero = kind(3)
        for opset in [10, 13, 19, 21]:
            pair = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("DequantizeLinear", ["q", "s", "z"], "y")]
            case(f"linear.{kind.__name__}", [opset], pair, {"x": x}, {"s": np.float32(0.5), "z": zero})
    case("linear.no_zero_point", [13], [node("QuantizeLinear", ["x", "s"], "q"), node("DequantizeLinear", ["q", "s"], "y")],
         {"x": x}, {"s": np.float32(0.03)})


def conv(name, opset, x_kind, zero_point, per_channel, groups=1, out_kind=None, relu=False, **attributes):
    """QuantizeLinear, DequantizeLinear around a Conv, as exporters write it; out_kind: and behind it."""
    channels, out = 4, 6
    w = integers(name + "w", np.int8, out, channels // groups, 3, 3)
    w_scale = (f32(*rng(name).uniform(0.001, 0.01, out)) if per_channel else np.float32(0.007))
    constants = {"w": w, "ws": w_scale, "wz": np.zeros(w_scale.shape, np.int8), "xs": np.float32(0.0173),
                 "xz": x_kind(zero_point), "b": reals(name + "b", out)}
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], "xq"), node("DequantizeLinear", ["xq", "xs", "xz"], "xd"),
             node("DequantizeLinear", ["w", "ws", "wz"], "wd", **({"axis": 0} if per_channel else {})),
             node("Conv", ["xd", "wd", "b"], "c", group=groups, **attributes)]
    last = "c"
    if relu:
        nodes.append(node("Relu", [last], "r"))
        last = "r"
    tolerance = FLOAT_CLOSE
    if out_kind is not None:
        constants.update({"ys": np.float32(0.013), "yz": out_kind(5)})
        nodes += [node("QuantizeLinear", [last, "ys", "yz"], "yq"), node("DequantizeLinear", ["yq", "ys", "yz"], "d")]
        last, tolerance = "d", 0.013
    nodes.append(node("Identity", [last], "y"))
    case("conv." + name, [opset], nodes, {"x": reals(name, 1, channels, 7, 8)}, constants, tolerance=tolerance)


def convs():
    conv("per_tensor", 13, np.uint8, 128, False)
    conv("per_channel", 13, np.int8, 0, True, pads=[1, 1, 1, 1])
    conv("zero_point", 13, np.int8, -17, True, pads=[0, 1, 2, 1], strides=[2, 1])
    conv("grouped", 17, np.uint8, 77, True, groups=2, dilations=[2, 1], pads=[2, 1, 2, 1])
    conv("requantized", 13, np.uint8, 100, True, out_kind=np.uint8, relu=True, pads=[1, 1, 1, 1])
    conv("requantized_signed", 21, np.int8, 9, False, out_kind=np.int8)


def dense():
    """MatMul and Gemm; a flattened map between two quantized layers; weights that a QuantizeLinear makes."""
    w = integers("dense", np.int8, 30, 10)
    constants = {"w": w, "ws": f32(*rng("dense").uniform(0.001, 0.01, 10)), "xs": np.float32(0.0171), "xz": np.uint8(121)}
    head = [node("QuantizeLinear", ["x", "xs", "xz"], "q"), node("DequantizeLinear", ["q", "xs", "xz"], "d")]
    case("matmul", [13], head + [node("DequantizeLinear", ["w", "ws"], "wd", axis=1), node("MatMul", ["d", "wd"], "y")],
         {"x": reals("matmul", 1, 30)}, constants, tolerance=FLOAT_CLOSE)
    gemm = dict(constants, w=w.T.copy(), b=reals("gemm", 10))
    case("gemm", [13], head + [node("DequantizeLinear", ["w", "ws"], "wd", axis=0),
                               node("Gemm", ["d", "wd", "b"], "y", transB=1)],
         {"x": reals("gemm", 1, 30)}, gemm, tolerance=FLOAT_CLOSE)
    case("gemm.flattened", [13], head + [node("Flatten", ["d"], "f"), node("DequantizeLinear", ["w", "ws"], "wd", axis=0),
                                         node("Gemm", ["f", "wd", "b"], "y", transB=1)],
         {"x": reals("flat", 1, 5, 3, 2)}, gemm, tolerance=FLOAT_CLOSE)
    floats = dict(constants, w=reals("fw", 30, 10), ws=np.float32(2 / 127), wz=np.int8(0))
    case("matmul.float_weights", [13], head + [node("QuantizeLinear", ["w", "ws", "wz"], "wq"),
                                               node("DequantizeLinear", ["wq", "ws", "wz"], "wd"),
                                               node("MatMul", ["d", "wd"], "y")],
         {"x": reals("fm", 1, 30)}, floats, tolerance=FLOAT_CLOSE)
    unsigned = dict(constants, w=(w.astype(np.int16) + 128).astype(np.uint8), ws=np.float32(0.004), wz=np.uint8(128))
    case("matmul.uint8_weights", [13], head + [node("DequantizeLinear", ["w", "ws", "wz"], "wd"),
                                               node("MatMul", ["d", "wd"], "y")],
         {"x": reals("um", 1, 30)}, unsigned, tolerance=FLOAT_CLOSE)


def qlinear():
    """The operators on quantized tensors."""
    for name, kind, per_channel in [("unsigned", np.uint8, False), ("signed", np.int8, True)]:
        w = integers(name, np.int8, 6, 4, 3, 3)
        ws = f32(*rng(name).uniform(0.001, 0.01, 6)) if per_channel else f32(0.005)[0]
        constants = {"w": w, "ws": ws, "wz": np.zeros(ws.shape, np.int8), "xs": np.float32(0.02), "xz": kind(30),
                     "ys": np.float32(0.02), "yz": kind(60), "b": rng(name).integers(-9000, 9000, 6).astype(np.int32)}
        nodes = [node("QuantizeLinear", ["x", "xs", "xz"], "q"),
                 node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], "c", pads=[1, 1, 1, 1]),
                 node("QLinearConv", ["c", "ys", "yz", "w2", "ws2", "wz2", "xs", "xz"], "e"),
                 node("DequantizeLinear", ["e", "xs", "xz"], "y")]
        constants.update({"w2": integers(name + "2", np.int8, 5, 6, 1, 1), "ws2": np.float32(0.003), "wz2": np.int8(0)})
        case("qlinearconv." + name, [13], nodes, {"x": reals(name, 1, 4, 6, 5)}, constants, tolerance=0.06)
    constants = {"w": integers("qmm", np.int8, 20, 7), "ws": np.float32(0.01), "wz": np.int8(0), "xs": np.float32(0.02),
                 "xz": np.uint8(99), "ys": np.float32(0.07), "yz": np.uint8(128)}
    case("qlinearmatmul", [13], [node("QuantizeLinear", ["x", "xs", "xz"], "q"),
                                 node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], "c"),
                                 node("DequantizeLinear", ["c", "ys", "yz"], "y")],
         {"x": reals("qmm", 1, 20)}, constants, tolerance=0.07)


def residual():
    """Two convolutions around an addition whose inputs are quantized, as in a residual network."""
    constants = {"s": np.float32(0.021), "z": np.uint8(120), "ws": np.float32(0.004),
                 "w1": integers("r1", np.int8, 4, 4, 3, 3), "w2": integers("r2", np.int8, 3, 4, 1, 1)}
    nodes = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("DequantizeLinear", ["q", "s", "z"], "d"),
             node("DequantizeLinear", ["w1", "ws"], "wd1"), node("Conv", ["d", "wd1"], "c1", pads=[1, 1, 1, 1]),
             node("QuantizeLinear", ["c1", "s", "z"], "q1"), node("DequantizeLinear", ["q1", "s", "z"], "d1"),
             node("Add", ["d1", "d"], "a"), node("Relu", ["a"], "r"), node("QuantizeLinear", ["r", "s", "z"], "q2"),
             node("DequantizeLinear", ["q2", "s", "z"], "d2"), node("MaxPool", ["d2"], "p", kernel_shape=[2, 2]),
             node("DequantizeLinear", ["w2", "ws"], "wd2"), node("Conv", ["d2", "wd2"], "c2"),
             node("GlobalAveragePool", ["c2"], "y2"), node("Flatten", ["y2"], "y"), node("Identity", ["p"], "z2")]
    case("residual", [13], nodes, {"x": reals("residual", 1, 4, 6, 6)}, constants, outputs=("y", "z2"), tolerance=0.022)


def main():
    base.CASES.clear()
    base.CASES.update({opset: [] for opset in [10, 13, 17, 19, 21]})
    for family in [linear, convs, dense, qlinear, residual]:
        family()
    cases = [blob for blobs in base.CASES.values() for blob in blobs]
    with open("onnx_int8.cases", "wb") as file:
        file.write(b"BNNCASE1" + struct.pack("<I", len(cases)) + b"".join(cases))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
