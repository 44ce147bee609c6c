// Networks of OpenVINO's Intermediate Representation (tests/formats/data/make_openvino_fixtures.py), converted and run
// by the engine, against OpenVINO's CPU plugin: exactly for binary layers, within one quantization step for int8.
#include <doctest/doctest.h>

#include "formats/convert.h"
#include "formats/importers/openvino_importer.h"
#include "tests/engine/case_run.h"
#include "tests/formats/openvino_cases.h"

namespace bnn {
namespace {

using formats::Conversion;
using test::OnnxCase;

TEST_CASE("converted IRs give OpenVINO's outputs") {
  int binary = 0, int8 = 0;
  for (const OnnxCase& one : test::ReadOpenvinoCases()) {
    if (one.kind == "import" || one.kind == "refused") continue;
    CAPTURE(one.name);
    Result<formats::SourceGraph> graph = formats::ImportOpenvinoBytes(one.model, one.weights, one.name, {});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const Result<Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
    CHECK_MESSAGE(conversion.ok(), conversion.status().message());
    if (!conversion.ok()) continue;
    test::CheckKind(conversion->report, one.kind);
    binary += one.kind == "binary" ? 1 : 0;
    int8 += one.kind == "int8" ? 1 : 0;
    test::CheckRun(test::LoadDef(conversion->model), one);
  }
  CHECK(binary >= 15);
  CHECK(int8 >= 6);
}

}  // namespace
}  // namespace bnn
