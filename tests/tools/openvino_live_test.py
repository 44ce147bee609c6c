#!/usr/bin/env python3
"""Makes networks with OpenVINO, converts and runs them with our tools, and compares with OpenVINO's CPU plugin.

    openvino_live_test.py BNN_CONVERT BNN_RUN SOURCE_DIR SCRATCH_DIR

The networks are those of tests/formats/data/openvino_networks.py, from seeds that change every day, and ResNet-18 as
NNCF binarizes it at its full size (make_openvino_resnet18.py). Needs the Python packages openvino, onnx and numpy, in
the interpreter that $BNN_OPENVINO_PYTHON names, else in this one; without them it is skipped (exit code 77).
"""
import json
import os
import subprocess
import sys
import time

SKIPPED = 77
RANDOM_NETWORKS = 40


def find_openvino():
    """Goes on in the interpreter that has OpenVINO; otherwise says why not, and ends."""
    wanted = os.environ.get("BNN_OPENVINO_PYTHON")
    if wanted and os.environ.get("BNN_OPENVINO_LIVE") != "1":
        os.execve(wanted, [wanted, *sys.argv], {**os.environ, "BNN_OPENVINO_LIVE": "1"})
    try:
        import numpy, onnx, openvino  # noqa: F401
    except ImportError as error:
        print(f"SKIPPED: {error} (set BNN_OPENVINO_PYTHON to an interpreter that has OpenVINO, ONNX and numpy)")
        sys.exit(SKIPPED)


class Checker:
    def __init__(self, convert, run, scratch):
        self.convert, self.run, self.scratch = convert, run, scratch
        self.failures, self.layers = [], {"binary": 0, "int8": 0, "float": 0}

    def path(self, name):
        return os.path.join(self.scratch, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def check(self, name, source, data, expected, tolerance):
        """Converts and runs the file `source`. Returns the report's layers."""
        import numpy as np

        np.save(self.path("x.npy"), data)
        model, report, output = self.path("m.bnn"), self.path("report.json"), self.path("y.npy")
        commands = [[self.convert, source, "-o", model, "--quiet", "--report-json", report],
                    [self.run, model, "--input", self.path("x.npy"), "--output", output]]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                self.failures.append(f"{name}: {done.stderr.strip()}")
                return []
        with open(report, encoding="utf-8") as file:
            layers = json.load(file)["layers"]
        for layer in layers:
            self.layers[layer["runs_as"]] += 1
            if layer["name"].split("_")[0] != layer["runs_as"]:
                self.failures.append(f"{name}: {layer['name']} runs as {layer['runs_as']}: {layer['reason']}")
        difference = np.abs(np.load(output).reshape(expected.shape) - expected).max()
        if not difference <= tolerance:
            self.failures.append(f"{name}: differs by {difference}, allowed {tolerance}")
        return layers


def check_random(checker, first_seed):
    from openvino_networks import Disagreement, checked_outputs, random_network, to_ir, to_onnx

    compared = 0
    for i in range(RANDOM_NETWORKS):
        kind, seed = ["exact", "close", "int8"][i % 3], first_seed + i
        model, data = random_network(kind, seed)
        try:
            result = checked_outputs(model, data, kind)
        except Disagreement:
            continue  # OpenVINO does not do what its operators are defined to do
        if result is None:
            continue
        xml, weights = to_ir(model)
        checker.write("m.bin", weights)
        checker.check(f"{kind} {seed} as IR", checker.write("m.xml", xml), data, *result)
        checker.check(f"{kind} {seed} as ONNX", checker.write("m.onnx", to_onnx(model)), data, *result)
        compared += 1
    if compared < RANDOM_NETWORKS // 3:
        checker.failures.append(f"only {compared} of {RANDOM_NETWORKS} random networks could be compared")
    return compared


def check_resnet18(checker):
    from make_openvino_resnet18 import checked
    from openvino_networks import to_ir, to_onnx

    # All is exact up to the last threshold, so no bit can flip; behind it, the mean of 49 and the classifier round.
    network, expected, tolerance = checked(True, 224, [64, 128, 256, 512], 1000, 1, 0, 1e-5)
    for form in ["IR", "ONNX", "compressed IR"]:
        if form == "ONNX":
            source = checker.write("resnet18.onnx", to_onnx(network.model))
        else:
            xml, weights = to_ir(network.model, compress=form.startswith("compressed"))
            checker.write("resnet18.bin", weights)
            source = checker.write("resnet18.xml", xml)
        layers = checker.check(f"ResNet-18 as {form}", source, network.data, expected, tolerance)
        binary = sum(layer["runs_as"] == "binary" for layer in layers)
        if binary != 16:
            checker.failures.append(f"ResNet-18 as {form}: {binary} layers are binary, expected 16")


def main():
    find_openvino()
    convert, run, source, scratch = sys.argv[1:]
    sys.path.insert(0, os.path.join(source, "tests", "formats", "data"))
    os.makedirs(scratch, exist_ok=True)
    first_seed = int(time.time()) // 86400 * 1000
    print(f"seeds from {first_seed}")
    checker = Checker(convert, run, scratch)
    compared = check_random(checker, first_seed)
    check_resnet18(checker)
    print(f"{compared} random networks and ResNet-18: layers {checker.layers}")
    for failure in checker.failures:
        print("FAILED:", failure)
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())
