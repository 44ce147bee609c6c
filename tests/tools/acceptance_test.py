#!/usr/bin/env python3
"""bnn-convert and bnn-run on real networks: the counts, classes and raw outputs that their sources give.

Usage: acceptance_test.py BNN_CONVERT BNN_RUN SOURCE_DIR SCRATCH_DIR

Runs the networks of ../shared/data (when it is there) and those of models/ (when Debian's dataset-fashion-mnist is
there). Exit code 77 means that nothing could be run. Python's standard library only.
"""

import ast
import gzip
import json
import os
import struct
import subprocess
import sys

FASHION_DATA = "/usr/share/datasets/fashion-mnist"
# Where BNN_MAX_ISA chooses other kernels, which may be slow ones, each network runs once.
ALL_RUNS = "BNN_MAX_ISA" not in os.environ
# How the samples run.
RUNS = ([], ["--batch", "7", "--threads", "2"]) if ALL_RUNS else (["--batch", "7", "--threads", "2"],)


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if "this CPU lacks" in result.stderr:
        print(f"SKIPPED: {result.stderr.strip()}")
        sys.exit(77)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nexit code {result.returncode}: {result.stderr}")
    return result.stdout


def read_float_npy(path):
    """The values of a little-endian float32 .npy file of version 1, flat."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x93NUMPY\x01\x00", "not a .npy of version 1"
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    return struct.unpack(f"<{(len(data) - 10 - length) // 4}f", data[10 + length:])


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_run(tools, model, images, labels, flags, expected, scratch):
    output = os.path.join(scratch, "outputs.npy")
    command = [tools["run"], model, "--dataset", images, labels, "--json", "--output", output, *flags]
    report = json.loads(run(command))
    check(report["samples"] == expected["samples"], f"samples: {report['samples']}")
    # A sample may hang on the last bits of floats, so that the source itself counts otherwise in double precision.
    counts = (expected["correct"], expected.get("correct_float64", expected["correct"]))
    off = min(abs(report["correct"] - count) for count in counts)
    check(off <= expected.get("tolerance_correct", 0), f"correct: {report['correct']}, expected {expected['correct']}")
    first = report["predictions"][:20]
    check(first == expected["first20"], f"first predictions: {first}, expected {expected['first20']}")
    logits = read_float_npy(output)[:len(expected["logits0"])]
    worst = max(abs(a - b) for a, b in zip(logits, expected["logits0"]))
    tolerance = expected["tolerance_abs"]
    check(worst <= tolerance, f"raw outputs of the first sample differ by {worst}, allowed {tolerance}")
    for key in ("min", "median", "p90", "p99"):
        check(report["latency_ms"][key] > 0, f"latency_ms.{key}")
    check(report["peak_memory_bytes"] > 0, "peak_memory_bytes")
    return worst


def check_report(path, name):
    """Every layer whose activations and weights are both binarized is binary; in CNV the first one is not."""
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    floats = [layer["name"] for layer in layers if not layer["binary"]]
    fashion = dict.fromkeys(("fashion_mnist.onnx", "xnor.onnx", "dorefa.onnx", "w1a2.onnx", "w1a1.onnx"), 3)
    expected = {"cnv_w1a1_cifar10.qonnx.onnx": 1, **fashion}.get(name, 0)
    check(len(floats) == expected, f"float layers: {floats}, expected {expected}")


def check_network(tools, name, source, images, labels, flags, expected, scratch):
    model = os.path.join(scratch, name + ".bnn")
    report = os.path.join(scratch, name + ".json")
    run([tools["convert"], source, "-o", model, "--verify=2", "--quiet", "--report-json", report])
    check_report(report, name)
    for extra in RUNS:
        worst = check_run(tools, model, images, labels, flags + extra, expected, scratch)
    print(f"ok: {name}: {expected['correct']} of {expected['samples']} correct, first outputs within {worst:.2g}")


def check_fashion(tools, models, scratch):
    """The networks of models/, each as ONNX and as shipped, with its own preprocessing."""
    with open(os.path.join(models, "fashion_mnist/expected.json"), encoding="utf-8") as file:
        networks = [("fashion_mnist/fashion_mnist.onnx", "fashion_mnist.bnn", json.load(file))]
    for folder, names in (("fashion_mnist_nncf", ("xnor", "dorefa")), ("fashion_mnist_w1a2", ("w1a2", "w1a1"))):
        with open(os.path.join(models, folder, "results.json"), encoding="utf-8") as file:
            results = json.load(file)
        for name in names:
            shipped = "fashion_mnist_" + (f"nncf_{name}" if folder.endswith("nncf") else name) + ".bnn"
            networks.append((f"{folder}/{name}.onnx", shipped, results[name]))
    images = os.path.join(FASHION_DATA, "t10k-images-idx3-ubyte.gz")
    labels = os.path.join(FASHION_DATA, "t10k-labels-idx1-ubyte.gz")
    for source, shipped, expected in networks:
        source, shipped = os.path.join(models, source), os.path.join(models, shipped)
        check_network(tools, os.path.basename(source), source, images, labels, ["--scale", "1/255"], expected, scratch)
        check(os.path.getsize(shipped) < 300_000, "the shipped model is larger than 300 KB")
        if ALL_RUNS:
            check_run(tools, shipped, images, labels, [], expected, scratch)
            print(f"ok: {shipped} as shipped")


def write_calibration(path, count):
    """The first training images as .npy: what train.py calibrates with."""
    with gzip.open(os.path.join(FASHION_DATA, "train-images-idx3-ubyte.gz")) as file:
        pixels = file.read(16 + count * 28 * 28)[16:]
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 28, 28), }}".ljust(117).encode() + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pixels)


def check_binarized_without_training(tools, folder, scratch):
    """bnn-convert --binarize with a float network and images gives what PyTorch has before the first epoch. Sums of
    floats differ in their last bits, and so may a few of the values that lie at a threshold: hence the tolerance."""
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        results = json.load(file)
    calibration, model = os.path.join(scratch, "calibration.npy"), os.path.join(scratch, "without_training.bnn")
    for mode in ("xnor", "dorefa"):
        expected = results[f"{mode}_without_training"]
        write_calibration(calibration, expected["calibration_images"])
        run([tools["convert"], os.path.join(folder, "baseline.onnx"), "-o", model, "--input-scale", "1/255", "--quiet",
             "--binarize", os.path.join(folder, f"{mode}.json"), "--calibrate", calibration])
        check_run(tools, model, os.path.join(FASHION_DATA, "t10k-images-idx3-ubyte.gz"),
                  os.path.join(FASHION_DATA, "t10k-labels-idx1-ubyte.gz"), [],
                  {**expected, "tolerance_correct": 5}, scratch)
        print(f"ok: baseline.onnx binarized by {mode}.json without training: {expected['correct']} correct")


def main():
    convert, bnn_run, source_dir, scratch = sys.argv[1:]
    tools = {"convert": convert, "run": bnn_run}
    scratch = os.path.join(scratch, "acceptance." + os.environ.get("BNN_MAX_ISA", "best"))
    os.makedirs(scratch, exist_ok=True)
    ran = 0

    data = os.path.join(source_dir, "..", "shared", "data")
    if os.path.exists(os.path.join(data, "expected.json")):
        with open(os.path.join(data, "expected.json"), encoding="utf-8") as file:
            networks = json.load(file)["models"]
        for name, expected in networks.items():
            inputs = expected["input"]
            flags = ["--scale", "1/255"] if "p/255" in inputs["transform"] else []
            check_network(tools, name, os.path.join(data, expected["file"]), os.path.join(data, inputs["file"]),
                          os.path.join(data, inputs["labels"]), flags, expected, scratch)
            ran += 1
    else:
        print("SKIPPED: the networks of ../shared/data: the folder is absent")

    if os.path.exists(FASHION_DATA):
        check_fashion(tools, os.path.join(source_dir, "models"), scratch)
        check_binarized_without_training(tools, os.path.join(source_dir, "models/fashion_mnist_nncf"), scratch)
        ran += 1
    else:
        print("SKIPPED: Fashion-MNIST: Debian's dataset-fashion-mnist is not installed")
    return 0 if ran > 0 else 77


if __name__ == "__main__":
    sys.exit(main())
