// QONNX's quantizers, and networks with 1-bit weights that Brevitas exports
// (tests/formats/data/make_qonnx_fixtures.py): interpreted, converted and run by the engine, against the QONNX
// package's own execution.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <variant>

#include "formats/convert.h"
#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "tests/engine/case_run.h"
#include "tests/formats/case_check.h"
#include "tests/formats/gz_cases.h"

namespace bnn {
namespace {

TEST_CASE("converted QONNX networks give the outputs of the QONNX package") {
  int networks = 0, quantizers = 0;
  for (const test::OnnxCase& one : test::ReadGzCases("qonnx.cases.gz")) {
    CAPTURE(one.name);
    Result<formats::SourceGraph> graph = formats::ImportOnnxBytes(one.model, one.name, "", {});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    formats::CheckInterpretation(*graph, one);
    const Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    test::CheckKind(conversion->report, one.kind);
    test::CheckRun(test::LoadDef(conversion->model), one);
    (one.name.starts_with("Brevitas") ? networks : quantizers) += 1;
  }
  CHECK(networks == 4);
  CHECK(quantizers >= 28);
}

TEST_CASE("layers on b-bit activations read and write bit planes") {
  for (const test::OnnxCase& one : test::ReadGzCases("qonnx.cases.gz")) {
    if (!one.name.starts_with("Brevitas.W1A")) continue;
    CAPTURE(one.name);
    const int bits = one.name.back() - '0';
    Result<formats::SourceGraph> graph = formats::ImportOnnxBytes(one.model, one.name, "", {});
    REQUIRE(graph.ok());
    const Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
    REQUIRE(conversion.ok());
    int layers = 0;
    for (const formats::NodeDef& node : conversion->model.nodes) {
      if (!std::holds_alternative<formats::BConv2d>(node.op) && !std::holds_alternative<formats::BDense>(node.op))
        continue;
      CHECK(formats::BitsOf(conversion->model.tensors[static_cast<size_t>(node.inputs[0])].type) == bits);
      ++layers;
    }
    CHECK(layers == 3);
  }
}

}  // namespace
}  // namespace bnn
