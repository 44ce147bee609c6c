"""Quantizes a network for OpenVINO: NNCF's post-training quantization to int8, with its default settings for CPUs. Of a
network with BinaryConvolution it quantizes the float layers.

Usage: python -m engines.make_int8 NETWORK.onnx|NETWORK.xml CALIBRATION.npy OUTPUT.xml
"""

import sys

import nncf
import numpy
import openvino

def quantize(source: str, calibration: str, output: str) -> None:
    model = openvino.Core().read_model(source)
    images = numpy.load(calibration)
    quantized = nncf.quantize(model, nncf.Dataset([image[None] for image in images]), subset_size=len(images))
    openvino.save_model(quantized, output, compress_to_fp16=False)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    quantize(sys.argv[1], sys.argv[2], sys.argv[3])
