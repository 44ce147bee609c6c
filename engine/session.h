// The working memory of one run, and the loop over the plan's steps. A session runs the model's own plan, or one for
// other input sizes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "engine/aligned_buffer.h"
#include "engine/model.h"
#include "engine/plan.h"
#include "engine/thread_pool.h"

namespace bnn::engine {

class Session {
 public:
  // Throws std::bad_alloc, and std::system_error where the system has no more threads.
  Session(std::shared_ptr<const LoadedModel> model, std::shared_ptr<const SizedPlan> plan, bool profile);

  // From now on runs inputs of these dims (LoadedModel::PlanFor). On failure, and when it throws as the constructor
  // does, the session stays as it was.
  Status Resize(const std::vector<Dims>& input_dims);

  // Buffers in the model's order. Checks counts, sizes and pointers; allocates nothing.
  Status Run(const bnn_buffer* inputs, size_t num_inputs, const bnn_buffer* outputs, size_t num_outputs);

  const LoadedModel& model() const { return *model_; }
  const SizedPlan& plan() const { return *plan_; }
  size_t memory_bytes() const { return arena_.bytes(); }
  bool profiles() const { return profiles_; }
  const std::vector<double>& step_seconds() const { return step_seconds_; }

 private:
  struct Halo {
    size_t step;  // before which it is filled
    int tensor;
  };

  std::shared_ptr<const LoadedModel> model_;
  std::shared_ptr<const SizedPlan> plan_;
  bool profiles_;
  std::unique_ptr<ThreadPool> pool_;
  AlignedBuffer<std::byte> arena_;
  std::vector<std::unique_ptr<StepState>> states_;  // one a step, may be null
  std::vector<Halo> halos_;                         // by step
  std::vector<double> step_seconds_;                // one a step when profiling
};

}  // namespace bnn::engine
