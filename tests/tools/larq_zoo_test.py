#!/usr/bin/env python3
"""Whole networks of Larq Zoo, at reduced resolution and with random weights: converted by Larq Compute Engine, imported,
run, and compared with its interpreter.

Usage: larq_zoo_test.py BNN_CONVERT BNN_RUN SCRATCH_DIR [NETWORK...]

Needs larq-compute-engine and larq-zoo: in the Python that BNN_LARQ_PYTHON names, or else in the one that runs this.
Exit code 77 means that they are not there.
"""

import json
import os
import pathlib
import subprocess
import sys

# Height and width; the last layers of some networks need large maps. Where the last maps would be 2x2 and are padded with
# zeros, larger ones: Larq Compute Engine's interpreter gives other sums there than Keras and bnn.
SIZES = {
    "QuickNet": 64,
    "QuickNetLarge": 64,
    "BiRealNet": 128,
    "BinaryDenseNet28": 128,
    "RealToBinaryNet": 128,
    "XNORNet": 224,
    "BinaryAlexNet": 64,
    "MeliusNet22": 128,
    "DoReFaNet": 64,
}
CLASSES = 10
SAMPLES = 4
TOLERANCE = 1e-4  # relative to the largest output


def random_network(zoo, tensorflow, numpy, name: str):
    """The network without its softmax, which would hide differences. Batch-norm statistics are those of data, roughly:
    activations neither vanish nor grow from layer to layer."""
    module = zoo.sota if hasattr(zoo.sota, name) else zoo.literature
    model = getattr(module, name)(weights=None, input_shape=(SIZES[name], SIZES[name], 3), num_classes=CLASSES)
    generator = numpy.random.default_rng(1)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, tensorflow.keras.layers.BatchNormalization):
            for i, variable in enumerate(layer.weights):
                positive = "variance" in variable.name or "gamma" in variable.name
                low, high = (0.5, 1.5) if positive else (-0.5, 0.5)
                weights[i] = generator.uniform(low, high, variable.shape)
        else:
            weights = [w + generator.normal(0, 0.1, w.shape) for w in weights]
        layer.set_weights(weights)
    last = model.layers[-1]
    if isinstance(last, (tensorflow.keras.layers.Activation, tensorflow.keras.layers.Softmax)):
        return tensorflow.keras.Model(model.input, last.input)
    if getattr(last, "activation", None) is tensorflow.keras.activations.softmax:
        last.activation = tensorflow.keras.activations.linear
    return model


def run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nexit code {result.returncode}: {result.stderr}")
    return result.stdout


def check_network(name: str, bnn_convert: str, bnn_run: str, scratch: pathlib.Path) -> str:
    """What was found out about the network; raises AssertionError where it differs."""
    import larq_compute_engine
    import larq_zoo
    import numpy
    import tensorflow
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    model = larq_compute_engine.convert_keras_model(random_network(larq_zoo, tensorflow, numpy, name))
    files = {kind: scratch / f"{name}.{kind}" for kind in ("tflite", "bnn", "json", "in.npy", "out.npy")}
    files["tflite"].write_bytes(model)
    images = numpy.random.default_rng(2).normal(0, 1, (SAMPLES, SIZES[name], SIZES[name], 3)).astype(numpy.float32)
    numpy.save(files["in.npy"], images)
    expected = numpy.asarray(Interpreter(model).predict(images)).reshape(SAMPLES, -1)

    run([bnn_convert, str(files["tflite"]), "-o", str(files["bnn"]), "--quiet", "--report-json", str(files["json"])])
    run([bnn_run, str(files["bnn"]), "--input", str(files["in.npy"]), "--output", str(files["out.npy"])])
    actual = numpy.load(files["out.npy"]).reshape(SAMPLES, -1)

    differences = numpy.abs(actual - expected).max(1) / numpy.abs(expected).max(1)
    # Engines add floats in another order. A value next to a threshold (or, in DoReFaNet, next to a rounding step) may
    # then fall to the other side, and that sample's outputs differ: not those of most samples.
    agreeing = int((differences <= TOLERANCE).sum())
    layers = json.loads(files["json"].read_text())["layers"]
    binary = sum(layer["runs_as"] == "binary" for layer in layers)
    in_file = model.count(b"LceBconv2d") > 0
    summary = f"{name}: {binary} of {len(layers)} layers binary; {agreeing} of {SAMPLES} samples agree {differences}"
    if 2 * agreeing < SAMPLES:
        raise AssertionError(f"{summary}: expected at least half")
    if in_file != (binary > 0):
        raise AssertionError(f"{summary}: the file has LceBconv2d: {in_file}")
    plan = run([bnn_run, str(files["bnn"]), "--plan", "--repeat", "1"])
    for step in ("transpose", "reorder"):
        if step in plan.lower():
            raise AssertionError(f"{summary}: the plan has a {step}\n{plan}")
    return summary


def worker(arguments: list[str]) -> int:
    bnn_convert, bnn_run, scratch, *names = arguments
    folder = pathlib.Path(scratch) / "larq_zoo"
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for name in names or SIZES:
        try:
            print(check_network(name, bnn_convert, bnn_run, folder), flush=True)
        except AssertionError as error:
            failures += 1
            print(f"FAILED: {name}: {error}", flush=True)
    return 1 if failures else 0


def main() -> int:
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "--worker":
        return worker(sys.argv[2:])
    python = os.environ.get("BNN_LARQ_PYTHON", sys.executable)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    probe = [python, "-c", "import larq_compute_engine, larq_zoo"]
    try:
        found = subprocess.run(probe, capture_output=True, text=True, env=environment, check=False)
        reason = (found.stderr.strip().splitlines() or ["no message"])[-1] if found.returncode else ""
    except OSError as error:
        reason = str(error)
    if reason:
        print(f"SKIPPED: {python} cannot import larq_compute_engine and larq_zoo ({reason}); see BNN_LARQ_PYTHON")
        return 77
    return subprocess.run([python, __file__, "--worker", *sys.argv[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
