// The working memory of one run, and the loop over the plan's steps.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "engine/aligned_buffer.h"
#include "engine/model.h"
#include "engine/plan.h"

namespace bnn::engine {

class Session {
 public:
  Session(std::shared_ptr<const LoadedModel> model, bool profile);

  // Buffers in the model's order. Checks counts, sizes and pointers; allocates nothing.
  Status Run(const bnn_buffer* inputs, size_t num_inputs, const bnn_buffer* outputs, size_t num_outputs);

  size_t memory_bytes() const { return arena_.bytes(); }
  bool profiles() const { return !step_seconds_.empty(); }
  const std::vector<double>& step_seconds() const { return step_seconds_; }

 private:
  struct Halo {
    size_t step;  // before which it is filled
    int tensor;
  };

  std::shared_ptr<const LoadedModel> model_;
  AlignedBuffer<std::byte> arena_;
  std::vector<std::unique_ptr<StepState>> states_;  // one a step, may be null
  std::vector<Halo> halos_;                         // by step
  std::vector<double> step_seconds_;                // one a step when profiling
};

}  // namespace bnn::engine
