// What a conversion did with each layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bnn::formats {

enum class RunsAs : uint8_t { kFloat, kInt8, kBinary };

// "float", "int8", "binary".
const char* RunsAsName(RunsAs runs_as);

struct LayerReport {
  std::string name;  // of the source node
  std::string op;    // of the source node: Conv, MatMul, Gemm, ConvTranspose
  RunsAs runs_as = RunsAs::kFloat;
  std::string reason;        // why it runs as that
  int64_t macs = 0;          // multiply-adds for one sample
  int64_t source_bytes = 0;  // of the weights in the source (float32)
  int64_t model_bytes = 0;   // of the weights in the .bnn
  double sparsity = 0;       // share of its weights that are zeros

  // What the pass BinarizeWeights did, "done: " or "declined: " with the reason; "" where neither input of the layer is
  // a FakeQuantize of two levels.
  std::string binarize_weights = "";

  bool is_binary() const { return runs_as == RunsAs::kBinary; }
};

struct ConversionReport {
  std::vector<LayerReport> layers;  // layers with weights, in execution order
  std::vector<std::string> notes;   // assumptions and approximations that were made
};

// The table that bnn-convert prints.
std::string FormatReport(const ConversionReport& report);

}  // namespace bnn::formats
