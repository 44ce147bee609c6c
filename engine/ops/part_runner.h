// Runs oneDNN kernels over the parts of an operation, several threads at once.
//
// A float operation is cut into parts by its shape alone, never by the number of threads; each part runs on one thread.
// So every output element is computed by the same instructions whatever the number of threads, and results are equal
// bit by bit. Parts are large enough (kPartMacs) that the call of a part costs little beside its work.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/ops/make_step.h"
#include "engine/ops/onednn.h"
#include "engine/ops/strips.h"
#include "engine/ops/window_parts.h"
#include "engine/parallel.h"
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

  int64_t slot_bytes() const { return slot_bytes_; }  // of scratch_bytes()
  int64_t src_bytes() const { return plan_.src_bytes; }
  int64_t dst_bytes() const { return plan_.dst_bytes; }
  int64_t slots() const { return slots_; }  // parts that may run at once
  const std::vector<Part>& parts() const { return plan_.parts; }
  const onednn::Kernel& kernel_of(const Part& part) const { return plan_.kernels[static_cast<size_t>(part.kernel)]; }
  // The largest source and destination of a part, in bytes.
  int64_t part_src_bytes() const;
  int64_t part_dst_bytes() const;

  std::unique_ptr<StepState> MakeState() const;
  Status Run(ThreadPool& pool, StepState* state, const void* src, void* dst, std::byte* scratch) const;

  // run(slot, index, is_first) for every part; those of a slot on one thread, in order. Returns what oneDNN said.
  template <typename Fn>
  Status ForParts(ThreadPool& pool, const Fn& run) const {
    const auto count = static_cast<int64_t>(plan_.parts.size());
    std::atomic<int> failure{dnnl_success};
    ParallelFor(pool, slots_, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        const int64_t first = count * slot / slots_, last = count * (slot + 1) / slots_;
        for (int64_t i = first; i < last; ++i) {
          const dnnl_status_t status = run(slot, i, i == first);
          if (status != dnnl_success) failure = status;
        }
      }
    });
    return StatusOf(failure);
  }
  // One part; `scratch` is the slot's.
  dnnl_status_t RunPart(const StepState* state, int64_t slot, const Part& part, const void* src, void* dst,
                        std::byte* scratch) const;

 private:
  Status StatusOf(int failure) const;

  std::string node_;
  PartPlan plan_;
  int64_t slots_;
  int64_t slot_bytes_;
};

// A step of one input and one output that is nothing but its parts.
class PartStep final : public StripStep {
 public:
  // What the parts are whole numbers of; whole rows may come from other steps and be passed on to others.
  enum class PartsOf : uint8_t { kElements, kRows };

  PartStep(StepContext& context, const FloatNode& node, PartPlan plan, PartsOf unit);

  std::unique_ptr<StepState> MakeState() const override { return runner_.MakeState(); }
  Status Run(const RunContext& context) const override;

  bool passes_rows_on() const override { return out_row_bytes_ > 0; }
  bool TakesMaker(const StepContext& context) const override;
  void TakeMaker(StepContext* context, StepPtr maker) override;

 protected:
  void PlaceScratch(StepContext* context) override;

 private:
  const float* MadeRows(const RunContext& context, int64_t index, bool is_first, std::byte* strip) const;
  int64_t src_strip_bytes() const { return maker_ != nullptr ? runner_.part_src_bytes() : 0; }
  int64_t dst_strip_bytes() const { return keeps_map() ? 0 : runner_.part_dst_bytes(); }

  PartRunner runner_;
  int64_t src_bytes_, dst_bytes_;                 // of an element
  int64_t in_row_bytes_ = 0, out_row_bytes_ = 0;  // 0: parts are no rows, or no floats
  int64_t slot_bytes_ = 0;
  StepPtr maker_;
};

// Builds the kernels of parts of one operation: make(shape) is called once for each distinct shape. Throws what make
// throws.
template <typename Make>
PartPlan PlanParts(const std::vector<WindowPart>& parts, const Make& make) {
  PartPlan plan;
  std::vector<WindowShape> made;
  for (const WindowPart& part : parts) {
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

// The same, of a window operation cut by window_parts.h.
template <typename Make>
PartPlan PlanWindow(const WindowShape& shape, int64_t work, const Make& make) {
  return PlanParts(CutWindow(shape, work), make);
}

}  // namespace bnn::engine
