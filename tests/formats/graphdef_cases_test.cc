// The committed frozen graphs (data/make_graphdef_fixtures.py): the imported graph and the converted model give what
// TensorFlow gives.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/convert.h"
#include "formats/importers/graphdef.pb.h"
#include "formats/importers/graphdef_importer.h"
#include "formats/importers/graphdef_operators.h"
#include "tests/formats/case_check.h"
#include "tests/formats/convert_check.h"
#include "tests/formats/gz_cases.h"

namespace bnn::formats {
namespace {

using test::OnnxCase;

// Networks whose meaning is known, but of which no model can be made: operators that are for constants only where they
// do not make thresholds, and what mixes samples.
bool HasNoModel(const OnnxCase& one) {
  if (one.inputs[0].second.dims[0] != 1) return true;
  if (one.name == "select_scalars") return false;
  for (const char* name : {"cast", "gather", "prod", "select", "strided_slice_negative"}) {
    if (one.name.starts_with(name) && one.name != "cast_bool") return true;
  }
  return false;
}

std::vector<OnnxCase> Cases() { return test::ReadGzCases("graphdef.cases.gz"); }

TEST_CASE("frozen graphs give TensorFlow's outputs") {
  for (const OnnxCase& one : Cases()) {
    SUBCASE(one.name.c_str()) {
      CAPTURE(one.name);
      Result<SourceGraph> graph = ImportGraphdefBytes(one.model, one.name + ".pb", {});
      REQUIRE_MESSAGE(graph.ok(), graph.status().message());
      CHECK(LooksLikeGraphdef(std::string_view(one.model).substr(0, 64)));
      if (HasNoModel(one)) {
        CheckInterpretation(*graph, one);
      } else {
        CheckCase(*std::move(graph), one);
      }
    }
  }
}

TEST_CASE("the cases use every operator that is imported") {
  std::set<std::string> used;
  for (const OnnxCase& one : Cases()) {
    graphdef::GraphDef graph;
    REQUIRE(graph.ParseFromString(one.model));
    for (const auto& node : graph.node()) used.insert(node.op());
    for (const auto& function : graph.library().function()) {
      for (const auto& node : function.node_def()) used.insert(node.op());
    }
  }
  for (const GraphdefOperatorEntry& entry : GraphdefOperators()) {
    CAPTURE(std::string(entry.op));
    CHECK(used.count(entry.op) == 1);
  }
}

// The values of each channel's weights are -r and +r.
bool IsTwoValued(const Tensor& weights) {
  const auto per_channel = static_cast<size_t>(weights.size() / weights.dims[0]);
  for (size_t i = 0; i < weights.floats.size(); ++i) {
    if (std::fabs(weights.floats[i]) != std::fabs(weights.floats[i / per_channel * per_channel])) return false;
  }
  return true;
}

TEST_CASE("Blueoil's weights fold to two values a channel, and its maps keep their order") {
  for (const OnnxCase& one : Cases()) {
    if (!one.name.starts_with("blueoil_old") && !one.name.starts_with("blueoil_new")) continue;
    CAPTURE(one.name);
    const Result<SourceGraph> graph = ImportGraphdefBytes(one.model, one.name + ".pb", {});
    REQUIRE(graph.ok());
    CHECK(graph->batch_is_symbolic);
    CHECK(graph->inputs == std::vector<std::string>{"images_placeholder"});
    CHECK(graph->outputs == std::vector<std::string>{"output"});
    const Result<Conversion> conversion = ConvertGraph(*graph, {});
    REQUIRE(conversion.ok());
    CHECK(conversion->model.inputs[0].layout == ImageLayout::kNhwc);
    std::string two_valued;
    for (const SourceNode& node : conversion->passed.nodes) {
      if (node.op != "Conv") continue;
      const Tensor* weights = conversion->passed.FindConstant(node.inputs[1]);
      REQUIRE(weights != nullptr);
      two_valued += IsTwoValued(*weights) ? '1' : '0';
    }
    CHECK(two_valued == "01110");  // all but the first and the last layer
  }
}

}  // namespace
}  // namespace bnn::formats
