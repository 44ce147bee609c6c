#!/usr/bin/env python3
"""Makes openvino_quantize.cases.gz: FakeQuantize alone, with all its limits, as OpenVINO's reference computes it.

Needs the Python packages openvino and numpy. Run it in this folder. The expected outputs come from Model.evaluate, the
definition in OpenVINO's core, because its CPU plugin gives something else for inverted and equal limits. The file is as
make_openvino_fixtures.py describes. The order of float32 operations differs (the plugin and we multiply and add, the
definition divides), so results may differ by roundings, and no value lies near the middle between two levels.
"""
import gzip
import struct

import numpy as np
import openvino as ov
from openvino import opset13 as op

from make_cases import write_string, write_tensor
from openvino_networks import to_ir

COUNT = 150
ROUNDINGS = 2e-6


def near_a_tie(x, low, high, levels):
    x, low, high = (v.astype(np.float64) for v in np.broadcast_arrays(x, low, high))
    between = (low != high) & (x > np.minimum(low, high)) & (x <= np.maximum(low, high))
    position = (x - low)[between] / (high - low)[between] * (levels - 1)
    return bool(np.any(np.abs(position - np.floor(position) - 0.5) < 0.01))


def limits(rng, shape):
    """Any shape that broadcasts to `shape`; multiples of 1/4, so that equal and inverted limits occur by themselves."""
    rank = int(rng.integers(len(shape) + 1))
    dims = [d if rng.integers(2) else 1 for d in shape[len(shape) - rank :]]
    scale = np.float32(rng.choice([0.25, 0.1]))
    return (rng.integers(-8, 9, dims) * scale).astype(np.float32)


def main():
    cases = []
    seed = 0
    while len(cases) < COUNT:
        seed += 1
        rng = np.random.default_rng(seed)
        shape = [int(d) for d in rng.integers(1, 5, int(rng.integers(1, 5)))]
        data = (rng.integers(-20, 21, shape) / np.float32(rng.choice([8, 10]))).astype(np.float32)
        levels = int(rng.choice([2, 3, 4, 16, 255, 256, 65536]))
        low = limits(rng, shape)
        high = low if rng.integers(4) == 0 else limits(rng, shape)
        if near_a_tie(data, low, high, levels):
            continue
        x = op.parameter(shape, np.float32, name="x")
        x.output(0).set_names({"x"})
        y = op.fake_quantize(x, *[op.constant(v) for v in (low, high, limits(rng, shape), limits(rng, shape))], levels)
        y.output(0).set_names({"y"})
        model = ov.Model([op.result(y)], [x], f"quantize.{seed}")
        expected = [ov.Tensor(ov.Type.f32, ov.Shape(shape))]
        assert model.evaluate(expected, [ov.Tensor(data)])
        xml, weights = to_ir(model)
        blob = write_string(f"quantize.{seed}") + write_string("import") + struct.pack("<f", ROUNDINGS)
        blob += write_string(xml) + write_string(weights)
        blob += struct.pack("<I", 1) + write_tensor("x", data)
        blob += struct.pack("<I", 1) + write_tensor("y", np.array(expected[0].data))
        cases.append(blob)
    with gzip.GzipFile("openvino_quantize.cases.gz", "wb", 9, mtime=0) as file:
        file.write(b"BNNCASE2" + struct.pack("<I", len(cases)) + b"".join(cases))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
