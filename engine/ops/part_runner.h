// Runs oneDNN kernels over the parts of an operation, several threads at once.
//
// A float operation is cut into parts by its shape alone, never by the number of threads; each part runs on one thread.
// So every output element is computed by the same instructions whatever the number of threads, and results are equal
// bit by bit. Parts are large enough (kPartMacs) that the call of a part costs little beside its work.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/window_parts.h"
#include "engine/plan.h"
#include "engine/thread_pool.h"
#include "engine/weight_store.h"

namespace bnn::engine {

// One call of a kernel. Offsets are elements.
struct Part {
  int kernel = 0;
  int64_t src_offset = 0;
  int64_t dst_offset = 0;
};

struct PartPlan {
  std::vector<onednn::Kernel> kernels;
  std::vector<Part> parts;
  int64_t src_bytes = 4, dst_bytes = 4;                  // of an element
  std::vector<std::shared_ptr<const WeightForm>> forms;  // keep the weights of the kernels in the model's store

  // Of one thread; a multiple of the cache line.
  int64_t scratch_bytes() const;
  int64_t weight_bytes() const;
};

class PartRunner {
 public:
  PartRunner(std::string node, PartPlan plan, int threads);

  // Scratch bytes that Run needs, for all threads together.
  int64_t scratch_bytes() const { return slots_ * slot_bytes_; }
  int64_t weight_bytes() const { return plan_.weight_bytes(); }
  // "onednn jit:avx512_core": of the first kernel, the one most parts use.
  std::string kernel_name() const { return "onednn " + plan_.kernels.front().impl; }
  bool is_reference_code() const { return plan_.kernels.front().impl.rfind("ref", 0) == 0; }

  std::unique_ptr<StepState> MakeState() const;
  Status Run(ThreadPool& pool, StepState* state, const void* src, void* dst, std::byte* scratch) const;

 private:
  std::string node_;
  PartPlan plan_;
  int64_t slots_;  // parts that may run at once
  int64_t slot_bytes_;
};

// A step of one input and one output that is nothing but its parts.
class PartStep : public Step {
 public:
  PartStep(StepContext& context, const FloatNode& node, PartPlan plan);

  std::unique_ptr<StepState> MakeState() const override { return runner_.MakeState(); }
  Status Run(const RunContext& context) const override;

 private:
  PartRunner runner_;
};

// Cuts a window operation (window_parts.h) and builds the kernels of its parts: make(shape) is called once for each
// distinct shape. Throws what make throws.
template <typename Make>
PartPlan PlanWindow(const WindowShape& shape, int64_t work, const Make& make) {
  PartPlan plan;
  std::vector<WindowShape> made;
  for (const WindowPart& part : CutWindow(shape, work)) {
    size_t kernel = 0;
    while (kernel < made.size() && !SameShape(made[kernel], part.shape)) ++kernel;
    if (kernel == made.size()) {
      made.push_back(part.shape);
      plan.kernels.push_back(make(part.shape));
    }
    plan.parts.push_back({static_cast<int>(kernel), part.src_offset, part.dst_offset});
  }
  return plan;
}

}  // namespace bnn::engine
