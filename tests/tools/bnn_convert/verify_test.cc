// --verify passes where engine and source agree, and finds a model that does not compute its source.
#include "tools/bnn_convert/verify.h"

#include <doctest/doctest.h>

#include "formats/writer.h"
#include "tests/formats/graph_builder.h"

namespace bnn::convert {
namespace {

using formats::GraphBuilder;

formats::Conversion Convert(float bias) {
  GraphBuilder g;
  const std::string bits = g.Node("BipolarQuant", {g.Input("x", {2, 8}), g.Floats({}, {1})});
  const std::string sums =
      g.Node("MatMul", {bits, g.Floats({8, 2}, {1, -1, 1, 1, -1, 1, 1, 1, 1, 1, -1, -1, 1, 1, 1, 1})});
  g.Output(g.Node("Add", {sums, g.Floats({2}, {0, bias})}));
  Result<formats::Conversion> conversion = formats::ConvertGraph(g.graph(), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  return *std::move(conversion);
}

VerifyResult Run(const formats::Conversion& source, const formats::Conversion& model) {
  const Result<std::string> bytes = formats::SerializeModel(model.model);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  const Result<VerifyResult> result = Verify(source, *bytes, {});
  REQUIRE_MESSAGE(result.ok(), result.status().message());
  return *result;
}

TEST_CASE("a right model passes exactly, at the batch that the source fixes") {
  const VerifyResult result = Run(Convert(0.5f), Convert(0.5f));
  CHECK(result.passed);
  CHECK(result.largest_difference == 0);
  CHECK(result.samples == 8);
  CHECK(FormatVerifyResult(result, 1e-3).find("passed") != std::string::npos);
}

TEST_CASE("a wrong model fails, and the place is named") {
  const VerifyResult result = Run(Convert(0.5f), Convert(1.5f));
  CHECK(!result.passed);
  CHECK(result.largest_difference == 1);
  CHECK(result.element % 2 == 1);
  CHECK(result.actual == result.expected + 1);
  CHECK(FormatVerifyResult(result, 1e-3).find("FAILED") != std::string::npos);
}

}  // namespace
}  // namespace bnn::convert
