// Published architectures of binary neural networks, with weights from a seed instead of a training: to measure and to
// test with the shapes and operators of real networks. Each goes through the normal conversion like an imported file.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::architectures {

struct NetworkOptions {
  int64_t resolution = 0;  // height and width of the input; 0: the architecture's own
  int64_t classes = 0;     // 0: the architecture's own
  uint64_t seed = 1;       // of the weights
};

struct Architecture {
  const char* name;  // "bi-real-net-18"
  const char* title;
  const char* description;  // one line
  const char* source;       // where layers and operators are taken from
  int64_t resolution;       // of its publication
  int64_t classes;
  // Takes options without zeros.
  Result<formats::SourceGraph> (*build)(const NetworkOptions& options);
};

inline constexpr int64_t kMaxResolution = 4096;
inline constexpr int64_t kMaxClasses = 100000;

std::span<const Architecture> Architectures();
const Architecture* FindArchitecture(std::string_view name);

// The network of that name. kInvalidArgument for an unknown name and for options out of range.
Result<formats::SourceGraph> BuildArchitecture(std::string_view name, const NetworkOptions& options);

// One function an architecture; the table in architectures.cc names their sources.
// resnet.cc
Result<formats::SourceGraph> BuildBiRealNet18(const NetworkOptions& options);
Result<formats::SourceGraph> BuildXnorResNet18(const NetworkOptions& options);
// reactnet.cc
Result<formats::SourceGraph> BuildReActNetA(const NetworkOptions& options);
// quicknet.cc
Result<formats::SourceGraph> BuildQuickNetSmall(const NetworkOptions& options);
Result<formats::SourceGraph> BuildQuickNet(const NetworkOptions& options);
Result<formats::SourceGraph> BuildQuickNetLarge(const NetworkOptions& options);
// dense.cc
Result<formats::SourceGraph> BuildBinaryDenseNet28(const NetworkOptions& options);
Result<formats::SourceGraph> BuildMeliusNet22(const NetworkOptions& options);
// sequential.cc
Result<formats::SourceGraph> BuildXnorAlexNet(const NetworkOptions& options);
Result<formats::SourceGraph> BuildCnv(const NetworkOptions& options);

}  // namespace bnn::architectures
