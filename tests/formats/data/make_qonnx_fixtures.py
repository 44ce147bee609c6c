#!/usr/bin/env python3
"""Makes qonnx.cases.gz: QONNX's Quant in all its variants, and networks with 1-bit weights and activations of 1, 2 and 4
bits that Brevitas exports, with inputs and the outputs that the QONNX package gives.

Needs the Python packages brevitas, onnxoptimizer, qonnx and torch. Run it in this folder. The file has the format of
make_openvino_fixtures.py (compressed too), with an empty .bin; the kind says how many layers run on bits.
"""
import gzip
import struct
import tempfile
import warnings

import brevitas.nn as qnn
import numpy as np
import onnx
import torch
from brevitas.export import export_qonnx
from brevitas.quant import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst, Uint8ActPerTensorFloat
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from make_cases import f32, reals, rng, write_string, write_tensor

DOMAIN = "qonnx.custom_op.general"
CASES = []


def add(name, model, inputs, kind, tolerance):
    wrapper = ModelWrapper(onnx.ModelProto.FromString(model)).transform(InferShapes())
    outputs = execute_onnx(wrapper, inputs)
    blob = write_string(name) + write_string(kind) + struct.pack("<f", tolerance)
    blob += write_string(model) + write_string(b"")
    for tensors in (inputs, outputs):
        blob += struct.pack("<I", len(tensors)) + b"".join(write_tensor(n, np.array(a)) for n, a in tensors.items())
    CASES.append(blob)


def quant(name, width, signed=1, narrow=0, mode="ROUND", scale=0.3, zero=0.0):
    """One Quant; x holds ties, limits and what is beyond them."""
    scale = np.array(scale, np.float32)
    ties = (np.arange(-20, 21, dtype=np.float32) / 2 * scale.reshape(-1)[0]).astype(np.float32)
    x = np.concatenate([ties, reals(name, 38), f32(-0.0, 1e30, -1e30, 3, -3)]).reshape(1, 3, 7, 4)
    constants = {"s": scale, "z": np.array(zero, np.float32), "w": np.float32(width)}
    node = helper.make_node("Quant", ["x", "s", "z", "w"], ["y"], domain=DOMAIN, signed=signed, narrow=narrow,
                            rounding_mode=mode)
    value = lambda n: helper.make_tensor_value_info(n, TensorProto.FLOAT, x.shape)
    graph = helper.make_graph([node], "g", [value("x")], [value("y")],
                              [numpy_helper.from_array(np.array(a), n) for n, a in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)])
    model.ir_version = 8
    add(name, model.SerializeToString(), {"x": x}, "float", 0)


def quants():
    for width in [1, 2, 3, 4, 8]:
        for signed in [0, 1]:
            for narrow in [0, 1]:
                if width == 1 and narrow and signed:
                    continue
                quant(f"Quant.{width}.{'signed' if signed else 'unsigned'}{'.narrow' if narrow else ''}", width, signed,
                      narrow)
    for mode in ["ROUND", "HALF_EVEN", "FLOOR", "CEIL", "round"]:
        quant(f"Quant.{mode}", 3, mode=mode, scale=0.7)
    quant("Quant.zero_point", 4, signed=0, zero=3.0)
    quant("Quant.fractional_zero_point", 2, signed=0, zero=0.25)
    quant("Quant.scale_per_channel", 2, scale=np.reshape([0.5, 0.1, 1.25], (1, 3, 1, 1)))
    quant("Quant.zero_point_per_channel", 3, zero=np.reshape([0.0, 1.0, -2.0], (1, 3, 1, 1)))


def activation(bits, limit):
    if bits == 1:
        return qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst)
    return qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits, scaling_impl_type="const",
                         scaling_init=limit, max_val=limit)


def binary(kind, *sizes, **options):
    return kind(*sizes, bias=False, weight_quant=SignedBinaryWeightPerTensorConst, **options)


def network(bits):
    """A float layer, two convolutions with a pool between, odd channels, and a dense layer."""
    layers = [torch.nn.Conv2d(3, 12, 3, padding=1), torch.nn.BatchNorm2d(12), activation(bits, 1.5),
              binary(qnn.QuantConv2d, 12, 33, 3, padding=0 if bits == 1 else 1), torch.nn.BatchNorm2d(33),
              activation(bits, 2.0), torch.nn.MaxPool2d(2),
              binary(qnn.QuantConv2d, 33, 20, 3, stride=2, padding=0 if bits == 1 else 1), torch.nn.BatchNorm2d(20),
              activation(bits, 1.0), torch.nn.Flatten()]
    body = torch.nn.Sequential(*layers)
    for layer in layers:
        if isinstance(layer, torch.nn.BatchNorm2d):
            values = rng(f"bn.{bits}.{layer.num_features}")
            channels = layer.num_features
            layer.running_mean.copy_(torch.from_numpy(f32(*values.normal(0, 1, channels))))
            layer.running_var.copy_(torch.from_numpy(f32(*values.uniform(4, 12, channels))))
            layer.weight.data.copy_(torch.from_numpy(f32(*values.uniform(-1.5, 2, channels))))
            layer.bias.data.copy_(torch.from_numpy(f32(*values.normal(0.3, 0.5, channels))))
    features = body.eval()(torch.zeros(1, 3, 10, 9)).shape[1]
    return torch.nn.Sequential(body, binary(qnn.QuantLinear, features, 10))


def networks():
    for bits in [1, 2, 3, 4]:
        torch.manual_seed(bits)
        x = reals(f"network.{bits}", 1, 3, 10, 9)
        net = network(bits).eval()
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file, torch.no_grad():
            export_qonnx(net, args=torch.from_numpy(x), export_path=file.name)
            model = onnx.load(file.name)
        name = model.graph.input[0].name
        add(f"Brevitas.W1A{bits}", model.SerializeToString(), {name: x}, "3 of 4 binary", 1e-4)


def main():
    warnings.filterwarnings("ignore")
    quants()
    networks()
    data = b"BNNCASE2" + struct.pack("<I", len(CASES)) + b"".join(CASES)
    with open("qonnx.cases.gz", "wb") as stream:
        stream.write(gzip.compress(data, 9, mtime=0))
    print(f"{len(CASES)} cases, {len(data)} bytes")


if __name__ == "__main__":
    main()
