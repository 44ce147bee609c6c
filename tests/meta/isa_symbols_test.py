#!/usr/bin/env python3
"""Does isa_symbols.py see what it should? Compiles small objects that keep and break the rule.

Usage: isa_symbols_test.py NM CXX
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import isa_symbols

NM, CXX = sys.argv[1:3] if len(sys.argv) >= 3 else ("nm", "c++")

ENTRY = "namespace bnn::kernels { struct Entry { void (*run)(); }; extern const Entry kThingAvx2; "
GOOD = ENTRY + "namespace { void Run() {} } const Entry kThingAvx2 = {Run}; }"
WEAK = ENTRY + "inline void Run() {} const Entry kThingAvx2 = {Run}; }"
EXTRA = ENTRY + "void Run() {} const Entry kThingAvx2 = {Run}; }"
MISSING = ENTRY + "namespace { void Run() {} } extern const Entry kOtherAvx2; const Entry kOtherAvx2 = {Run}; }"


def problems_with(code, source_name="thing_avx2.cc"):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "kernels").mkdir()
        source = root / "kernels" / source_name
        source.write_text(code, encoding="utf-8")
        compiled = root / (source_name + ".o")
        subprocess.run([CXX, "-std=c++20", "-O0", "-c", str(source), "-o", str(compiled)], check=True)
        return isa_symbols.check(NM, root, [compiled], ["avx2"])[0]


class IsaSymbolsTest(unittest.TestCase):
    def test_one_entry_is_fine(self):
        self.assertEqual(problems_with(GOOD), [])

    def test_entry_tuned_otherwise_is_fine_beside_the_file_s_own(self):
        other = "extern const Entry kThingAvx2Csa; const Entry kThingAvx2Csa = {Run}; }"
        self.assertEqual(problems_with(GOOD.removesuffix("}") + other), [])
        self.assertEqual(len(problems_with(GOOD.replace("kThingAvx2", "kThingAvx2Csa"))), 1)

    def test_weak_function_is_found(self):
        self.assertEqual(problems_with(WEAK), ["thing_avx2.cc: weak symbol bnn::kernels::Run()"])

    def test_second_export_is_found(self):
        self.assertEqual(
            problems_with(EXTRA), ["thing_avx2.cc: exports bnn::kernels::Run(), which is not its table entry"]
        )

    def test_entry_of_another_name_is_found(self):
        self.assertEqual(len(problems_with(MISSING)), 2)

    def test_baseline_files_may_export_anything(self):
        self.assertEqual(problems_with(WEAK, "thing_list.cc"), [])

    def test_source_that_is_not_built_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "kernels").mkdir()
            (root / "kernels" / "thing_avx2.cc").write_text("", encoding="utf-8")
            problems, _ = isa_symbols.check(NM, root, [], ["avx2"])
        self.assertEqual(problems, ["kernels/thing_avx2.cc: not compiled into the library"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
