#!/usr/bin/env python3
"""Runs bench_kernels shortly and checks that its JSON is valid and complete. No number is compared with another: a test
that depends on the speed of the machine would fail for reasons that are no defects.

Usage: bench_kernels_test.py BENCH_KERNELS SCRATCH_FOLDER
"""

import json
import math
import pathlib
import subprocess
import sys
import unittest

PROGRAM = ""
SCRATCH = pathlib.Path()

SECTIONS = ["limits", "conv", "dense", "planes", "stream", "networks", "threads"]
CONTEXT = ["cpu", "cores", "isas", "compiler", "flags", "peers", "date", "repetitions", "command"]
NETWORKS = [
    "Bi-Real-Net-18",
    "ReActNet-A",
    "QuickNet-Small",
    "QuickNet",
    "QuickNet-Large",
    "BinaryDenseNet-28",
    "MeliusNet-22",
    "XNOR-AlexNet",
    "CNV",
]


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


def results(name, *arguments):
    """Runs the program and returns its JSON."""
    file = SCRATCH / name
    file.unlink(missing_ok=True)
    process = run("--quick", "--json", str(file), *arguments)
    if process.returncode != 0:
        raise AssertionError(f"exit code {process.returncode}: {process.stderr}")
    if file.with_suffix(".json.part").exists():
        raise AssertionError("the temporary file is left over")
    return json.loads(file.read_text(encoding="utf-8")), process.stdout


class BenchKernelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all, cls.table = results("bench_all.json")
        cls.sections = {section["name"]: section for section in cls.all["sections"]}
        cls.isas = cls.all["context"]["isas"].split()

    def rows(self, section):
        return self.sections[section]["rows"]

    def test_context_says_what_the_numbers_depend_on(self):
        self.assertEqual(list(self.all["context"]), CONTEXT)
        for key in CONTEXT:
            self.assertNotEqual(self.all["context"][key], "" if key not in ("isas", "flags") else None, key)

    def test_every_section_has_rows(self):
        self.assertEqual([section["name"] for section in self.all["sections"]], SECTIONS)
        for name in SECTIONS:
            if self.sections[name]["notes"]:  # says why it is skipped
                self.assertEqual(name, "threads")
                continue
            self.assertGreater(len(self.rows(name)), 0, name)

    def test_numbers_are_positive(self):
        for section in self.all["sections"]:
            for row in section["rows"]:
                for key, value in row.items():
                    if isinstance(value, (int, float)):
                        self.assertTrue(math.isfinite(value) and value > 0, f"{section['name']}: {key} of {row}")

    def test_each_kernel_is_measured_against_its_limit_and_its_peers(self):
        for name in ("conv", "dense"):
            cases = {}
            for row in self.rows(name):
                cases.setdefault(row["case"], []).append(row)
            for case, rows in cases.items():
                kernels = [row for row in rows if not row["kernel"].startswith("onednn")]
                peers = [row for row in rows if row["kernel"].startswith("onednn")]
                outputs = {"conv": {"floats", "bits", "residual", "in-place", "shortcut"}, "dense": {"floats", "bits"}}[name]
                self.assertEqual({row["output"] for row in kernels}, outputs, case)
                self.assertEqual(len({(row["kernel"], row["output"]) for row in kernels}), len(kernels), case)
                self.assertTrue(any(row["kernel"].startswith("onednn f32") for row in peers), case)
                for row in kernels:
                    for key in ("us", "gmac_per_s", "limit_gmac_per_s", "share_percent", "times_onednn_f32"):
                        self.assertIsNotNone(row[key], f"{key} of {row}")

    def test_every_number_of_planes_is_measured_against_one(self):
        cases = {}
        for row in self.rows("planes"):
            cases.setdefault((row["case"], row["kernel"], row["output"]), []).append(row)
        for case, rows in cases.items():
            self.assertEqual([row["planes"] for row in rows], [1, 2, 3, 4], case)
            self.assertEqual(rows[0]["relative"], 1, case)

    def test_every_instruction_set_has_a_limit(self):
        self.assertEqual(sorted(row["isa"] for row in self.rows("limits")), sorted(self.isas))

    def test_every_network_is_summed_up(self):
        rows = self.rows("networks")
        totals = [row for row in rows if row["layer"] == "all binary layers"]
        self.assertEqual([row["network"] for row in totals], NETWORKS)
        for total in totals:
            layers = [row for row in rows if row["network"] == total["network"] and row is not total]
            self.assertEqual(sum(row["count"] for row in layers), total["count"])
            for key in ("million_macs", "us"):
                self.assertAlmostEqual(sum(row[key] for row in layers) / total[key], 1, places=6)

    def test_the_table_shows_every_row(self):
        for section in self.all["sections"]:
            self.assertIn(f"\n{section['name']}: ", self.table)
            for row in section["rows"]:
                self.assertIn(next(iter(row.values())), self.table)

    def test_options_choose_rows(self):
        if not self.isas:
            self.skipTest("this CPU has none of the instruction sets")
        isa = self.isas[0]
        chosen, _ = results(
            "bench_some.json", "--section", "conv,dense", "--isa", isa, "--output", "bits", "--filter", "3x3/28x28x128|/1x512"
        )
        self.assertEqual([section["name"] for section in chosen["sections"]], ["conv", "dense"])
        for section in chosen["sections"]:
            kernels = [row for row in section["rows"] if not row["kernel"].startswith("onednn")]
            self.assertGreater(len(kernels), 0)
            for row in kernels:
                self.assertTrue(row["kernel"].endswith("_" + isa), row)
                self.assertEqual(row["output"], "bits")
                self.assertRegex(row["case"], "^3x3/28x28x128|^1x512")

    def test_wrong_command_lines_are_refused(self):
        for arguments in (
            ["--section", "nothing"],
            ["--isa", "sse9"],
            ["--filter", "("],
            ["--output", "images"],
            ["--repetitions", "0"],
            ["--unknown"],
        ):
            process = run("--quick", *arguments)
            self.assertEqual(process.returncode, 2, arguments)
            self.assertIn(arguments[0], process.stderr)
            self.assertEqual(process.stdout, "")

    def test_a_file_that_cannot_be_written_is_an_error(self):
        process = run("--quick", "--section", "limits", "--json", str(SCRATCH / "no-such-folder" / "x.json"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("x.json: No such file", process.stderr)

    def test_help(self):
        process = run("--help")
        self.assertEqual(process.returncode, 0)
        for option in ("--section", "--filter", "--isa", "--output", "--repetitions", "--json", "--quick"):
            self.assertIn(option, process.stdout)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    PROGRAM = sys.argv[1]
    SCRATCH = pathlib.Path(sys.argv[2])
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
