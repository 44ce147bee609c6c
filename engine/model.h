// A loaded model: immutable, shared by all its sessions. It keeps what a compilation needs, so that sessions may run it
// at other batch sizes and resolutions; the weights exist once, whatever plans there are.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/compile/compile.h"
#include "engine/cpu_list.h"
#include "engine/plan.h"
#include "engine/weight_store.h"
#include "formats/model_def.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {

struct ModelOptions {
  int64_t batch = 0;      // 0: the source's, or 1
  int threads = 0;        // 0: 1
  std::string max_isa;    // empty: the environment's BNN_MAX_ISA, or what the CPU has
  std::string cpus = {};  // empty: the fastest ones (cpu_list.h)
};

using Dims = std::vector<int64_t>;

// One input or output as the caller sees it.
struct IoTensor {
  std::string name;
  Dims dims;  // batch in front
  int64_t bytes = 0;
  formats::ImageLayout layout = formats::ImageLayout::kNotAnImage;
  formats::Preprocessing preprocessing;
};

// A plan and what it takes and gives.
struct SizedPlan {
  Plan plan;
  std::vector<IoTensor> inputs;
  std::vector<IoTensor> outputs;
};

class LoadedModel {
 public:
  // Compiles a validated model. Takes the data of its weights, which are never in memory twice as a whole.
  static Result<std::shared_ptr<const LoadedModel>> Load(formats::ModelDef def, const ModelOptions& options);

  // For the sizes of the model file and the batch that Load was asked for.
  const std::shared_ptr<const SizedPlan>& default_plan() const { return default_plan_; }

  // The plan for inputs of these dims, in the model's order, batch in front. Compiles it unless somebody runs it
  // already. Any number of threads may ask.
  Result<std::shared_ptr<const SizedPlan>> PlanFor(const std::vector<Dims>& input_dims) const;

  // Where threads of sessions run; empty: anywhere.
  const CpuList& cpus() const { return cpus_; }

  // Of the weights that are in memory for all plans together.
  int64_t weight_bytes() const { return weights_.bytes(); }

 private:
  LoadedModel(formats::ModelDef def, const CompileOptions& options)
      : def_(std::move(def)), options_(options), weights_(&def_) {}

  // `def`: this model, or this model resized.
  Result<std::shared_ptr<const SizedPlan>> MakePlan(const formats::ModelDef& def, int64_t batch) const;

  formats::ModelDef def_;         // without the data that weights_ took
  const CompileOptions options_;  // but for the batch
  CpuList cpus_;
  mutable WeightStore weights_;  // grows and shrinks with the plans; what it holds is immutable
  std::shared_ptr<const SizedPlan> default_plan_;

  mutable std::mutex mutex_;                                   // one compilation at a time
  mutable std::vector<std::weak_ptr<const SizedPlan>> plans_;  // of sessions
};

inline constexpr int64_t kMaxBatch = 1 << 20;
inline constexpr int kMaxThreads = 1024;

}  // namespace bnn::engine
