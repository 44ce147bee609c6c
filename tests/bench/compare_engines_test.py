#!/usr/bin/env python3
"""Checks bench/compare_engines.py without network and without other engines: bnn runs for real, the others are missing
or played by programs of this test. No time is compared with another.

Usage: compare_engines_test.py SOURCE_FOLDER BUILD_FOLDER SCRATCH_FOLDER
"""

import json
import math
import pathlib
import struct
import subprocess
import sys
import time
import unittest

SOURCE = pathlib.Path()
BUILD = pathlib.Path()
SCRATCH = pathlib.Path()

OTHERS = ["OpenVINO BinaryConvolution", "OpenVINO f32", "ONNX Runtime f32"]
INPUT_FLOATS = 28 * 28
OUTPUT_FLOATS = 10

# Stands in for the interpreter of an environment: started as `python -B -m MODULE ...`. As a worker it speaks the
# worker's protocol for an engine whose outputs are all the same and whose runs all take the same time.
PLAYED_ENGINE = """\
#!{python}
import json, struct, sys
if sys.argv[3] != "engines.worker":
    {make}
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "load":
        reply = {load}
    elif request["do"] == "output":
        with open(request["file"], "wb") as file:
            file.write(struct.pack("<{count}f", *[{output}] * {count}))
        reply = {{}}
    else:
        reply = {{"ns": [{nanoseconds}] * 3}} if request["do"] == "measure" else {{}}
    print(json.dumps(reply), flush=True)
"""
LOADED = f'{{"version": "7", "detail": "played", "input_floats": {INPUT_FLOATS}}}'


def compare(*arguments):
    """Runs the program on the small model of models/."""
    return subprocess.run(
        [
            *(sys.executable, "-B", str(SOURCE / "bench" / "compare_engines.py"), "--build", str(BUILD)),
            *("--onnx", str(SOURCE / "models" / "fashion_mnist" / "fashion_mnist.onnx")),
            *("--rounds", "2", "--seconds", "0.001", *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def play(folder, name, load=LOADED, output="1.0", nanoseconds=10**9, make="sys.exit(0)"):
    """An environment in `folder` whose engine is played."""
    python = folder / name / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    text = PLAYED_ENGINE.format(
        python=sys.executable, load=load, output=output, nanoseconds=nanoseconds, make=make, count=OUTPUT_FLOATS
    )
    python.write_text(text, encoding="utf-8")
    python.chmod(0o755)


def scratch(name):
    folder = SCRATCH / name
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    folder.mkdir(parents=True)
    return folder


class AloneTest(unittest.TestCase):
    """bnn without any other engine."""

    @classmethod
    def setUpClass(cls):
        cls.folder = scratch("compare-alone")
        cls.json_file = cls.folder / "results.json"
        cls.process = compare("--work", str(cls.folder), "--json", str(cls.json_file))
        if cls.process.returncode != 0:
            raise AssertionError(cls.process.stdout + cls.process.stderr)
        cls.results = {row["engine"]: row for row in json.loads(cls.json_file.read_text())["results"]}

    def test_bnn_is_measured(self):
        row = self.results["bnn"]
        self.assertGreaterEqual(row["runs"], 2 * 3)
        self.assertGreater(row["ms"]["median"], 0)
        self.assertLessEqual(row["ms"]["low"], row["ms"]["median"])
        self.assertLessEqual(row["ms"]["median"], row["ms"]["high"])
        self.assertRegex(self.process.stdout, r"(?m)^bnn +0\.\d")

    def test_engines_that_are_missing_are_listed_with_the_reason(self):
        self.assertEqual(list(self.results), ["bnn", *OTHERS])
        for name in OTHERS:
            self.assertIn("--setup", self.results[name]["unavailable"])
            self.assertIn(f"{name}: unavailable: no environments given", self.process.stdout)

    def test_bnn_computes_what_bnn_run_does(self):
        """The binding to the C interface, against the program."""
        values = (self.folder / f"fashion_mnist.{INPUT_FLOATS}.input").read_bytes()
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }".ljust(117) + "\n"
        npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values
        (self.folder / "input.npy").write_bytes(npy)
        output = self.folder / "output.npy"
        subprocess.run(
            [
                *(BUILD / "bin" / "bnn-run", self.folder / "fashion_mnist.bnn", "--mean", "0", "--scale", "1"),
                *("--input", self.folder / "input.npy", "--output", output),
            ],
            check=True,
            capture_output=True,
        )
        expected = output.read_bytes()[-4 * OUTPUT_FLOATS :]
        self.assertEqual(expected, (self.folder / "fashion_mnist.output").read_bytes())


class PlayedEnginesTest(unittest.TestCase):
    """What the program makes of the answers of other engines."""

    def run_with(self, name, **engines):
        folder = scratch(name)
        for engine, how in engines.items():
            play(folder / "engines", engine, **how)
        json_file = folder / "results.json"
        process = compare("--engines", str(folder / "engines"), "--work", str(folder), "--json", str(json_file))
        self.assertNotEqual(process.stdout, "", process.stderr)
        return process, {row["engine"]: row for row in json.loads(json_file.read_text())["results"]}

    def test_other_outputs_are_a_disagreement(self):
        process, results = self.run_with("compare-disagree", onnxruntime={"output": "1.0"})
        self.assertEqual(process.returncode, 1)
        self.assertTrue(results["bnn"]["disagrees"])
        self.assertEqual(results["bnn"]["reference"], "ONNX Runtime f32")
        self.assertGreater(results["bnn"]["difference"], 0.05)
        self.assertIn("DISAGREES", process.stdout)

    def test_outputs_that_are_not_numbers_are_a_disagreement(self):
        process, results = self.run_with("compare-nan", openvino={"output": 'float("nan")'})
        self.assertEqual(process.returncode, 1)
        self.assertTrue(results["bnn"]["disagrees"])

    def test_ratio_is_theirs_over_ours(self):
        process, results = self.run_with("compare-ratio", onnxruntime={"nanoseconds": 10**12})
        self.assertEqual(results["ONNX Runtime f32"]["ms"], {"median": 1e6, "low": 1e6, "high": 1e6})
        row = next(line for line in process.stdout.splitlines() if line.startswith("ONNX Runtime f32"))
        times = float(row.split("]")[1].split("[")[0].split()[1])
        self.assertGreater(times, 1e4)  # bnn needs far less than 100 ms

    def test_an_engine_that_dies_is_unavailable(self):
        process, results = self.run_with("compare-dies", onnxruntime={"load": 'sys.exit("no such instruction")'})
        self.assertEqual(process.returncode, 0)
        self.assertEqual(
            results["ONNX Runtime f32"]["unavailable"], "the process ended with code 1: no such instruction"
        )

    def test_an_engine_that_refuses_the_network_is_unavailable(self):
        process, results = self.run_with("compare-refuses", onnxruntime={"load": '{"error": "no operator Sign"}'})
        self.assertEqual(process.returncode, 0)
        self.assertEqual(results["ONNX Runtime f32"]["unavailable"], "no operator Sign")

    def test_a_network_that_cannot_be_made_is_a_reason(self):
        process, results = self.run_with("compare-make", openvino={"make": 'sys.exit("no bits")', "output": "0.0"})
        reason = results["OpenVINO BinaryConvolution"]["unavailable"]
        self.assertEqual(reason, "fashion_mnist.binary.xml cannot be made: no bits")
        self.assertIn(reason, process.stdout)

    def test_processes_are_stopped_while_others_run(self):
        sys.path.insert(0, str(SOURCE / "bench"))
        from engines.process import EngineProcess  # pylint: disable=import-outside-toplevel

        folder = scratch("compare-stop")
        play(folder, "played")
        engine = EngineProcess(str(folder / "played" / "bin" / "python"), folder / "log", {"engine": "played"})
        try:
            for _ in range(2):
                self.assertEqual(engine.measure(0.001), [10**9] * 3)
                self.assertEqual(self.state_of(engine), "T")
        finally:
            engine.close()

    def state_of(self, engine):
        process = engine._process.pid  # pylint: disable=protected-access
        for _ in range(1000):  # the signal arrives when it arrives
            state = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            if state == "T":
                break
            time.sleep(0.001)
        return state


class SetupTest(unittest.TestCase):
    def test_a_failed_installation_is_remembered(self):
        folder = scratch("compare-setup") / "engines"
        process = compare("--setup", str(folder), "--python", "/no/such/python")
        self.assertEqual(process.returncode, 0)
        self.assertIn("onnxruntime: ", process.stdout)
        process = compare("--engines", str(folder))
        self.assertEqual(process.returncode, 0, process.stderr)
        for name in OTHERS:
            self.assertRegex(process.stdout, f"{name}: unavailable: installation failed: .*/no/such/python")


class CommandLineTest(unittest.TestCase):
    def test_wrong_command_lines_are_refused(self):
        for arguments in (
            ["--threads", "0"],
            ["--rounds", "0"],
            ["--seconds", "0"],
            ["--onnx", "/no/such/file.onnx"],
            ["--cpus", "12345"],
            ["--unknown"],
        ):
            process = compare(*arguments)
            self.assertEqual(process.returncode, 2, arguments)
            self.assertIn(arguments[0], process.stderr)

    def test_an_unknown_network_is_refused(self):
        program = SOURCE / "bench" / "compare_engines.py"
        process = subprocess.run(
            [sys.executable, "-B", str(program), "--networks", "lenet"], capture_output=True, text=True, check=False
        )
        self.assertEqual(process.returncode, 2)
        self.assertIn("no network is called 'lenet'", process.stderr)

    def test_a_build_without_the_engine_is_an_error(self):
        folder = scratch("compare-no-build")
        process = compare("--build", str(folder))
        self.assertEqual(process.returncode, 1)
        self.assertIn("bnn: unavailable", process.stdout)


class FiguresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(SOURCE / "bench"))
        from engines import figures  # pylint: disable=import-outside-toplevel

        cls.figures = figures

    def row(self, *rounds):
        return self.figures.Row("network", "engine", rounds=[list(times) for times in rounds])

    def test_milliseconds_are_over_all_runs(self):
        spread = self.row([1_000_000, 2_000_000], [3_000_000, 4_000_000, 5_000_000]).milliseconds()
        self.assertEqual((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0))

    def test_ratio_is_the_median_of_the_rounds(self):
        """The second round was slow for both: the ratio does not see it."""
        ours = self.row([10], [100], [10])
        theirs = self.row([20], [200], [40])
        self.assertEqual(self.figures.ratio(ours, theirs).median, 2.0)

    def test_relative_difference(self):
        difference = self.figures.relative_difference
        self.assertEqual(difference([3.0, 4.0], [3.0, 4.0]), 0)
        self.assertAlmostEqual(difference([3.0, 4.0], [3.0, 3.5]), 0.1)
        self.assertEqual(difference([0.0], [0.0]), 0)
        for expected, actual in (([0.0], [1.0]), ([1.0], [1.0, 2.0]), ([1.0], [math.nan]), ([math.inf], [math.inf])):
            self.assertEqual(difference(expected, actual), math.inf, (expected, actual))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    SOURCE, BUILD, SCRATCH = (pathlib.Path(argument) for argument in sys.argv[1:])
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
