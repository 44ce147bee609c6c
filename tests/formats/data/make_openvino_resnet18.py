#!/usr/bin/env python3
"""Makes openvino_resnet18.cases.gz: ResNet-18 as NNCF binarizes it, small, with what OpenVINO's CPU plugin gives.

Needs the Python packages openvino, onnx and numpy. Run it in this folder. The file is as make_openvino_random.py
describes. The 16 3x3 convolutions of the blocks are binary: activations {0, s} with a threshold per channel, weights
+-s[c] per filter, both by FakeQuantize of two levels. The first convolution, those of the shortcuts and the classifier
are float, as NNCF's ignored scopes leave them.

"exact": all weights, scales, shifts and thresholds are multiples of powers of two, s and s[c] powers of two, so that
every sum is exact and no order of operations can flip a bit. "close": s[c] = mean|W| and other numbers of any kind; the
script makes sure that no value lies within 1e-5 of its threshold, ten times what float sums here may differ by.
"""
import gzip
import struct

import numpy as np
import openvino as ov
from openvino import opset1
from openvino import opset13 as op

from make_cases import write_string, write_tensor
from openvino_networks import compute, constant, run_numpy, run_openvino, to_ir, to_onnx


class ResNet18:
    """Built and run at once: what a value holds decides its batch-norm and thresholds, so that bits are balanced."""

    def __init__(self, exact, resolution, channels, classes, seed):
        self.exact, self.rng = exact, np.random.default_rng(seed)
        shape = [1, 3, resolution, resolution]
        self.data = (self.rng.integers(-4, 5, shape) if exact else self.rng.uniform(-2, 2, shape)).astype(np.float32)
        x = op.parameter(shape, np.float32, name="x")
        x.output(0).set_names({"x"})
        self.values = {x.get_name(): self.data.astype(np.float64)}
        y = self.norm(self.convolution(x, channels[0], 7, 2, 3, "float_conv1"))
        y = self.run(opset1.max_pool(self.run(op.relu(y)), [2, 2], [1, 1], [1, 1], [3, 3]))
        for stage in range(4):
            for block in range(2):
                stride = 2 if stage > 0 and block == 0 else 1
                y = self.block(y, channels[stage], stride, f"layer{stage + 1}.{block}")
        y = self.run(op.reduce_mean(y, constant([2, 3], np.int64), True))
        y = self.run(op.reshape(y, constant([1, channels[3]], np.int64), False))
        y = self.run(op.matmul(y, constant(self.numbers(0.25, channels[3], classes)), False, False))
        y.set_friendly_name("float_fc")
        y = op.add(y, constant(self.numbers(1, 1, classes)))
        y.output(0).set_names({"y"})
        self.model = ov.Model([op.result(y)], [x], "resnet18")

    def value(self, node):
        if node.get_type_name() == "Constant":
            return np.array(node.get_data())
        return self.values[node.get_name()]

    def run(self, node):
        self.values[node.get_name()] = compute(node, [self.value(i.get_source_output().get_node()) for i in node.inputs()])
        return node

    def numbers(self, size, *dims):
        """About `size` large."""
        if self.exact:
            return (self.rng.integers(-4, 5, dims) * (size / 4)).astype(np.float32)
        return (np.round(self.rng.normal(0, 64 * size, dims)) / 64).astype(np.float32)  # a small file

    def rounded(self, values):
        return np.round(values * 8) / 8 if self.exact else values

    def convolution(self, x, out, kernel, stride, pad, name):
        channels = x.get_output_shape(0)[1]
        w = self.numbers(0.5, out, channels, kernel, kernel)
        if self.exact:
            # Few digits, since those of one layer come on top of those before it: signs, and where 1x1 not many, so
            # that norm() divides by little.
            w = np.sign(w)
            if kernel == 1:
                w *= self.rng.uniform(0, channels, w.shape) < 4
        w = constant(w)
        node = self.run(op.convolution(x, w, [stride] * 2, [pad] * 2, [pad] * 2, [1, 1]))
        node.set_friendly_name(name)
        return node

    def binary_convolution(self, x, out, stride, name):
        value, channels = self.values[x.get_name()], x.get_output_shape(0)[1]
        t = constant(self.rounded(np.median(value, (0, 2, 3), keepdims=True)) + 1 / 64)
        s = 0.5 if self.exact else 0.9
        bits = self.run(op.fake_quantize(x, t, t, constant([[[[0]]]]), constant([[[[s]]]]), 2))
        w = self.numbers(0.5, out, channels, 3, 3)
        scale = np.abs(w).mean((1, 2, 3), keepdims=True)
        if self.exact:
            scale = np.exp2(self.rng.integers(-3, 1, scale.shape))
        zero = constant([[[[0]]]])
        weights = self.run(op.fake_quantize(constant(w), zero, zero, constant(-scale), constant(scale), 2))
        node = self.run(op.convolution(bits, weights, [stride] * 2, [1, 1], [1, 1], [1, 1]))
        node.set_friendly_name(name)
        return node

    def norm(self, x):
        """A batch-norm as OpenVINO writes it: about mean 0 and deviation 1."""
        value = self.values[x.get_name()]
        scale = 1 / (value.std((0, 2, 3), keepdims=True) + 0.1)
        scale = np.exp2(np.round(np.log2(scale))) if self.exact else scale
        x = self.run(op.multiply(x, constant(scale)))
        mean = self.values[x.get_name()].mean((0, 2, 3), keepdims=True)
        return self.run(op.add(x, constant(self.rounded(-mean))))

    def block(self, x, channels, stride, name):
        shortcut = x
        if stride == 2:
            shortcut = self.norm(self.convolution(x, channels, 1, 2, 0, f"float_{name}.downsample"))
        y = self.norm(self.binary_convolution(x, channels, stride, f"binary_{name}.conv1"))
        y = self.norm(self.binary_convolution(self.run(op.relu(y)), channels, 1, f"binary_{name}.conv2"))
        return self.run(op.relu(self.run(op.add(y, shortcut))))


def checked(exact, resolution, channels, classes, seed, margin, relative):
    """A network, OpenVINO's output and the tolerance, relative to the largest output; the first seed from `seed` on with
    that margin to thresholds."""
    while True:
        network = ResNet18(exact, resolution, channels, classes, seed)
        expected, found = run_numpy(network.model, network.data)
        seed += 1
        if not exact and found < margin:
            continue
        output = run_openvino(network.model, network.data)
        tolerance = relative * float(np.abs(expected).max())
        assert np.all(np.abs(output - expected) <= tolerance), np.abs(output - expected).max()
        return network, output, tolerance


def main():
    cases = []
    for kind in ["exact", "close"]:
        network, output, tolerance = checked(kind == "exact", 64, [8, 8, 16, 16], 10, 1, 1e-5,
                                             {"exact": 0, "close": 1e-4}[kind])
        forms = {"ir": to_ir(network.model), "onnx": (to_onnx(network.model), b"")}
        if kind == "exact":
            forms["ir.compressed"] = to_ir(network.model, compress=True)
        for form, (xml, weights) in forms.items():
            blob = write_string(f"resnet18.{kind}.{form}") + write_string(kind) + struct.pack("<f", tolerance)
            blob += write_string(xml) + write_string(weights)
            blob += struct.pack("<I", 1) + write_tensor("x", network.data)
            blob += struct.pack("<I", 1) + write_tensor("y", output)
            cases.append(blob)
    with gzip.GzipFile("openvino_resnet18.cases.gz", "wb", 9, mtime=0) as file:
        file.write(b"BNNCASE2" + struct.pack("<I", len(cases)) + b"".join(cases))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
