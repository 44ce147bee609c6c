#!/usr/bin/env python3
"""Does include_rules.py see what it should? Each case is a small tree with one offence, and the same without it."""

import pathlib
import tempfile
import unittest

import include_rules

# A tree that keeps all rules.
CLEAN = {
    "kernels/bits.h": "#pragma once\n#include <cstdint>\n",
    "kernels/cpu_features.h": "#pragma once\n#include <string_view>\n",
    "kernels/x/x_avx2.cc": '#include <immintrin.h>\n#include "kernels/bits.h"\n#include "kernels/cpu_features.h"\n',
    "kernels/x/x_list.cc": '#include <array>\n#include "kernels/bits.h"\n',
    "formats/model_def.h": '#pragma once\n#include <vector>\n#include "bnn/status.h"\n',
    "formats/source_graph.h": "#pragma once\n",
    "formats/bnn_model.proto": "",
    "formats/reader.cc": '#include "formats/bnn_model.pb.h"\n#include <google/protobuf/io/coded_stream.h>\n',
    "engine/include/bnn/status.h": "#pragma once\n#include <string>\n",
    "engine/include/bnn/bnn.h": "#ifndef BNN_BNN_H_\n#include <stdint.h>\n#endif\n",
    "engine/parallel.h": "#pragma once\n#include <omp.h>\n",
    "engine/parallel.cc": "#pragma omp parallel\n",
    "engine/model.cc": '#include "formats/model_def.h"\n#include "kernels/bits.h"\n#include "bnn/bnn.h"\n',
    "engine/ops/conv_onednn.cc": "#include <dnnl.hpp>\n",
    "tools/bnn_run/main.cc": '#include "bnn/bnn.h"\n#include <CLI/CLI.hpp>\n',
    "tools/bnn_convert/main.cc": '#include "formats/source_graph.h"\n',
    "bench/bench_model.cc": '#include "bnn/bnn.h"\n#include <benchmark/benchmark.h>\n',
    "bench/bench_bits.cc": '#include "kernels/bits.h"\n',
    "tests/some_test.cc": '#include "engine/parallel.h"\n#include <doctest/doctest.h>\n',
}

# (file, line to add, a part of the message that is expected)
OFFENCES = (
    ("kernels/x/x_list.cc", '#include "engine/parallel.h"', "kernels may not include"),
    ("kernels/x/x_list.cc", '#include "bnn/status.h"', "kernels may not include"),
    ("kernels/x/x_list.cc", "#include <google/protobuf/message.h>", "kernels may not include"),
    ("kernels/x/x_list.cc", '#include "../bits.h"', "without ../"),
    ("kernels/x/x_list.cc", '#include "x.h"', "no such file"),
    ("kernels/x/x_avx2.cc", "#include <vector>", "ISA files may not include"),
    ("kernels/x/x_avx2.cc", "#include <algorithm>", "ISA files may not include"),
    ("kernels/x/x_avx2.cc", "  #  include <string>", "ISA files may not include"),
    ("kernels/bits.h", "#include <algorithm>", "reached from an ISA file (kernels/x/x_avx2.cc)"),
    ("formats/reader.cc", '#include "kernels/bits.h"', "formats may not include"),
    ("formats/reader.cc", '#include "engine/parallel.h"', "formats may not include"),
    ("formats/reader.cc", '#include "bnn/bnn.h"', "formats may not include"),
    ("formats/reader.cc", "#include <dnnl.hpp>", "formats may not include"),
    ("engine/model.cc", '#include "formats/source_graph.h"', "engine may not include"),
    ("engine/model.cc", '#include "tools/bnn_run/main.cc"', "engine may not include"),
    ("engine/model.cc", "#include <dnnl.hpp>", "engine may not include"),
    ("engine/model.cc", "#include <omp.h>", "engine may not include"),
    ("engine/model.cc", "#pragma omp parallel for", "OpenMP belongs"),
    ("engine/include/bnn/bnn.h", '#include "engine/parallel.h"', "public headers may not include"),
    ("tools/bnn_run/main.cc", '#include "engine/parallel.h"', "bnn-run may not include"),
    ("tools/bnn_run/main.cc", '#include "formats/model_def.h"', "bnn-run may not include"),
    ("tools/bnn_convert/main.cc", '#include "engine/parallel.h"', "bnn-convert may not include"),
    ("bench/bench_model.cc", '#include "kernels/bits.h"', "model benchmarks may not include"),
    ("bench/bench_bits.cc", '#include "engine/parallel.h"', "kernel benchmarks may not include"),
    ("tests/some_test.cc", '#include "../tests/some_test.cc"', "without ../"),
)


def violations_of(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return include_rules.violations(root)


class IncludeRulesTest(unittest.TestCase):
    def test_clean_tree_has_no_violations(self):
        self.assertEqual(violations_of(CLEAN), [])

    def test_each_offence_is_found_at_its_line(self):
        for path, line, message in OFFENCES:
            with self.subTest(path=path, line=line):
                found = violations_of({**CLEAN, path: CLEAN[path] + line + "\n"})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(path), found)
                self.assertIn(message, found[0])

    def test_a_comment_is_no_include(self):
        path = "kernels/x/x_avx2.cc"
        self.assertEqual(violations_of({**CLEAN, path: CLEAN[path] + "// #include <vector>\n"}), [])

    def test_header_without_guard(self):
        found = violations_of({**CLEAN, "kernels/new.h": "#include <cstdint>\n"})
        self.assertEqual(found, ["kernels/new.h: a header needs #pragma once"])


if __name__ == "__main__":
    unittest.main()
