// The table of architectures, their options, and the generated weights.
#include "models/architectures/architectures.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <span>
#include <string>

#include "formats/crc32c.h"
#include "models/architectures/weight_generator.h"

namespace bnn::architectures {
namespace {

formats::SourceGraph Build(const char* name, const NetworkOptions& options) {
  Result<formats::SourceGraph> graph = BuildArchitecture(name, options);
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return *std::move(graph);
}

uint32_t ChecksumOfConstants(const formats::SourceGraph& graph) {
  uint32_t crc = 0;
  for (const auto& [name, tensor] : graph.constants) {
    crc = formats::Crc32c(std::as_bytes(std::span(name)), crc);
    crc = formats::Crc32c(std::as_bytes(std::span(tensor.floats)), crc);
  }
  return crc;
}

TEST_CASE("the generator is SplitMix64") {
  // The first outputs of the published algorithm from the state that the name gives.
  WeightGenerator random(0, "");
  uint64_t state = 0xcbf29ce484222325u;  // FNV-1a of nothing
  for (int i = 0; i < 3; ++i) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    CHECK(random.Next() == (z ^ (z >> 31)));
  }
}

TEST_CASE("generated numbers have the distribution that their names say") {
  constexpr int kCount = 200000;
  WeightGenerator random(1, "x");
  double sum = 0, squares = 0, magnitudes = 0, signs = 0, least = 1, most = 0;
  for (int i = 0; i < kCount; ++i) {
    const double normal = random.Normal(), uniform = random.Uniform(0, 1);
    sum += normal;
    squares += normal * normal;
    magnitudes += std::fabs(normal);
    signs += random.Sign();
    least = std::min(least, uniform);
    most = std::max(most, uniform);
  }
  // Standard errors: 1/sqrt(count) = 0.0022 and about as much for the squares.
  CHECK(std::fabs(sum / kCount) < 0.01);
  CHECK(std::fabs(squares / kCount - 1) < 0.01);
  CHECK(std::fabs(magnitudes / kCount - 0.807) < 0.01);
  CHECK(std::fabs(signs / kCount) < 0.01);
  CHECK(least >= 0);
  CHECK(least < 0.001);
  CHECK(most < 1);
  CHECK(most > 0.999);
}

TEST_CASE("weights depend on seed and name only, and are the same everywhere") {
  const formats::SourceGraph cnv = Build("cnv", {});
  CHECK(ChecksumOfConstants(cnv) == 3714754666u);  // of this algorithm, on any platform
  CHECK(ChecksumOfConstants(Build("cnv", {.seed = 1})) == ChecksumOfConstants(cnv));
  CHECK(ChecksumOfConstants(Build("cnv", {.seed = 2})) != ChecksumOfConstants(cnv));
  const formats::SourceGraph small = Build("quicknet", {.resolution = 32, .classes = 3, .seed = 5});
  const formats::SourceGraph large = Build("quicknet-large", {.resolution = 64, .classes = 3, .seed = 5});
  const char* shared = "section1/block2/quant_conv2d.weight";
  CHECK(small.FindConstant(shared)->floats == large.FindConstant(shared)->floats);
}

TEST_CASE("the table") {
  std::set<std::string> names;
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    CHECK(names.insert(a.name).second);
    CHECK(FindArchitecture(a.name) == &a);
    CHECK(std::string(a.source).find("arXiv:") + std::string(a.source).find("Open Model Zoo") != 0);
  }
  CHECK(names.size() == 10);
  CHECK(FindArchitecture("resnet") == nullptr);
}

TEST_CASE("resolution and classes are those asked for; batch stays open") {
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    const int64_t resolution = a.resolution == 32 ? 32 : 64;
    const formats::SourceGraph graph = Build(a.name, {.resolution = resolution, .classes = 7});
    CHECK(graph.batch_is_symbolic);
    REQUIRE(graph.inputs.size() == 1);
    REQUIRE(graph.outputs.size() == 1);
    CHECK(graph.FindValue(graph.inputs[0])->dims == formats::Dims{1, 3, resolution, resolution});
    CHECK(graph.FindValue(graph.outputs[0])->dims == formats::Dims{1, 7});
  }
}

TEST_CASE("what cannot be built is an error that says why") {
  const auto message = [](const char* name, const NetworkOptions& options) {
    const Result<formats::SourceGraph> graph = BuildArchitecture(name, options);
    CHECK(!graph.ok());
    return graph.ok() ? "" : graph.status().message();
  };
  CHECK(message("lenet", {}).find("known are bi-real-net-18") != std::string::npos);
  CHECK(message("cnv", {.resolution = -1}).find("expected 1 to 4096") != std::string::npos);
  CHECK(message("cnv", {.resolution = kMaxResolution + 1}).find("resolution") != std::string::npos);
  CHECK(message("cnv", {.classes = kMaxClasses + 1}).find("classes") != std::string::npos);
  // Too small for the convolutions without padding, and for shortcuts that halve an odd map.
  CHECK(message("cnv", {.resolution = 16}).find("cnv: node") != std::string::npos);
  CHECK(message("bi-real-net-18", {.resolution = 40}).find("bi-real-net-18: node") != std::string::npos);
  for (const Architecture& a : Architectures()) {
    for (const int64_t resolution : {1, 2, 3, 5, 17, 33}) {
      const Result<formats::SourceGraph> graph = BuildArchitecture(a.name, {.resolution = resolution, .classes = 2});
      if (graph.ok()) CHECK(ValidateSourceGraph(*graph).ok());
    }
  }
}

}  // namespace
}  // namespace bnn::architectures
