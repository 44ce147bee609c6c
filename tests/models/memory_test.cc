// Real networks: the arena is as small as can be, and a session at another resolution computes what the network built
// for that resolution computes.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bnn/bnn.hpp"
#include "formats/convert.h"
#include "formats/writer.h"
#include "models/architectures/architectures.h"

namespace bnn::architectures {
namespace {

formats::ModelDef Convert(const char* name, int64_t resolution) {
  Result<formats::SourceGraph> graph = BuildArchitecture(name, {.resolution = resolution, .classes = 10});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
  REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
  return std::move(conversion->model);
}

Model Load(const formats::ModelDef& def) {
  const Result<std::string> bytes = formats::SerializeModel(def);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  Result<Model> model = Model::LoadMemory(std::as_bytes(std::span(*bytes)));
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  return *std::move(model);
}

std::vector<float> Run(Session& session) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(session.inputs()[0].size()), y(session.output_size(0));
  for (float& value : x) value = normal(random);
  const Status status = session.Run(x, y);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return y;
}

TEST_CASE("arena and resolution of each architecture") {
  // These flatten a map of fixed size.
  const std::set<std::string> fixed = {"cnv", "xnor-alexnet"};
  for (const Architecture& a : Architectures()) {
    CAPTURE(std::string(a.name));
    const int64_t small = a.resolution == 32 ? 32 : 64, large = small + 32;
    formats::ModelDef def = Convert(a.name, small);
    const formats::ModelDef large_def = Convert(a.name, large);
    // The generated batch-norms fit one resolution; a network has the same constants at every one.
    if (fixed.count(a.name) == 0) def.blobs = large_def.blobs;
    const Model model = Load(def);
    auto session = Session::Create(model);
    REQUIRE(session.ok());
    MemoryInfo memory = session->memory();
    CHECK(memory.arena_bytes <= memory.live_bytes + memory.live_bytes / 10);
    CHECK(memory.live_bytes > 0);
    CHECK(memory.weight_bytes > 0);

    const Status resized = session->Resize({{2, 3, large, large}});
    if (fixed.count(a.name) != 0) {
      CHECK(resized.message().find("cannot be resized") != std::string::npos);
      CHECK(session->SetBatch(5).ok());
    } else {
      REQUIRE_MESSAGE(resized.ok(), resized.message());
      const Model other = Load(large_def);
      auto expected = Session::Create(other, {.profile = false, .input_dims = {{2, 3, large, large}}});
      REQUIRE(expected.ok());
      CHECK(Run(*session) == Run(*expected));
    }
    memory = session->memory();
    CHECK(memory.arena_bytes <= memory.live_bytes + memory.live_bytes / 10);
  }
}

}  // namespace
}  // namespace bnn::architectures
