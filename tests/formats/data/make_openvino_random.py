#!/usr/bin/env python3
"""Makes openvino_random.cases.gz: random networks of FakeQuantize, convolutions, dense layers, pooling and additions,
with what OpenVINO's CPU plugin gives.

Needs the Python packages openvino, onnx and numpy. Run it in this folder. openvino_networks.py says what the networks
are; the file is as make_openvino_fixtures.py describes. The kind of a case is "exact" (tolerance 0), "close" (1e-4 of
the largest output) or "int8" (one quantization step); tolerances are absolute here. The model of a case is an IR, or
ONNX where it has no .bin. Its layers are named by how they must run: "binary_1".
"""
import gzip
import struct

from make_cases import write_string, write_tensor
from openvino_networks import Disagreement, checked_outputs, random_network, to_ir, to_onnx

COUNTS = {"exact": 90, "close": 60, "int8": 60}


def spelling(model, kind, index):
    """IR, every third time ONNX, and every third time a compressed IR unless float16 would change its numbers."""
    if index % 3 == 1:
        return "onnx", to_onnx(model), b""
    if index % 3 == 2 and kind != "close":
        return "ir.compressed", *to_ir(model, compress=True)
    return "ir", *to_ir(model)


def main():
    cases = []
    for kind, count in COUNTS.items():
        seed = made = disagreements = 0
        while made < count:
            model, data = random_network(kind, seed)
            seed += 1
            try:
                result = checked_outputs(model, data, kind)
            except Disagreement:
                disagreements += 1
                continue
            if result is None:
                continue
            output, tolerance = result
            written, xml, weights = spelling(model, kind, made)
            blob = write_string(f"{kind}.{seed - 1}.{written}") + write_string(kind) + struct.pack("<f", tolerance)
            blob += write_string(xml) + write_string(weights)
            blob += struct.pack("<I", 1) + write_tensor("x", data) + struct.pack("<I", 1) + write_tensor("y", output)
            cases.append(blob)
            made += 1
        print(f"{kind}: {made} networks of {seed} seeds; OpenVINO differs from its definitions in {disagreements}")
    with gzip.GzipFile("openvino_random.cases.gz", "wb", 9, mtime=0) as file:
        file.write(b"BNNCASE2" + struct.pack("<I", len(cases)) + b"".join(cases))


if __name__ == "__main__":
    main()
