// A loaded model: immutable, shared by all its sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/plan.h"
#include "formats/model_def.h"

namespace bnn::engine {

struct ModelOptions {
  int64_t batch = 0;    // 0: the source's, or 1
  int threads = 0;      // 0: 1
  std::string max_isa;  // empty: the environment's BNN_MAX_ISA, or what the CPU has
};

// One input or output as the caller sees it.
struct IoTensor {
  std::string name;
  std::vector<int64_t> dims;  // batch in front
  int64_t bytes = 0;
  formats::ImageLayout layout = formats::ImageLayout::kNotAnImage;
  formats::Preprocessing preprocessing;
};

struct LoadedModel {
  Plan plan;
  std::vector<IoTensor> inputs;
  std::vector<IoTensor> outputs;
};

inline constexpr int64_t kMaxBatch = 1 << 20;
inline constexpr int kMaxThreads = 1024;

// Compiles a validated model.
Result<LoadedModel> LoadModel(const formats::ModelDef& model, const ModelOptions& options);

}  // namespace bnn::engine
