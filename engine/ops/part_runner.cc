#include "engine/ops/part_runner.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/aligned_buffer.h"
#include "engine/parallel.h"

namespace bnn::engine {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// executors[slot * kernels + kernel]
struct PartState final : StepState {
  std::vector<onednn::Executor> executors;
};

}  // namespace

int64_t PartPlan::scratch_bytes() const {
  int64_t bytes = 0;
  for (const onednn::Kernel& kernel : kernels) bytes = std::max(bytes, kernel.scratch_bytes());
  constexpr auto kLine = static_cast<int64_t>(kAlignment);
  return CeilDiv(bytes, kLine) * kLine;
}

int64_t PartPlan::weight_bytes() const {
  int64_t bytes = 0;
  std::vector<dnnl_memory_t> counted;  // kernels may share their constants
  for (const onednn::Kernel& kernel : kernels) {
    for (const dnnl::memory* constant : {&kernel.weights, &kernel.bias}) {
      if (!*constant || std::find(counted.begin(), counted.end(), constant->get()) != counted.end()) continue;
      counted.push_back(constant->get());
      bytes += static_cast<int64_t>(constant->get_desc().get_size());
    }
  }
  return bytes;
}

PartRunner::PartRunner(std::string node, PartPlan plan, int threads)
    : node_(std::move(node)),
      plan_(std::move(plan)),
      slots_(std::clamp<int64_t>(static_cast<int64_t>(plan_.parts.size()), 1, std::max(threads, 1))),
      slot_bytes_(plan_.scratch_bytes()) {}

std::unique_ptr<StepState> PartRunner::MakeState() const {
  auto state = std::make_unique<PartState>();
  try {
    state->executors.reserve(static_cast<size_t>(slots_) * plan_.kernels.size());
    for (int64_t slot = 0; slot < slots_; ++slot) {
      for (const onednn::Kernel& kernel : plan_.kernels) state->executors.emplace_back(kernel);
    }
  } catch (const dnnl::error&) {
    throw std::bad_alloc();  // nothing else can fail in making handles of valid descriptors
  }
  return state;
}

Status PartRunner::Run(ThreadPool& pool, StepState* state, const void* src, void* dst, std::byte* scratch) const {
  const auto* src_begin = static_cast<const std::byte*>(src);
  auto* dst_begin = static_cast<std::byte*>(dst);
  const auto& executors = static_cast<const PartState*>(state)->executors;
  const auto parts = static_cast<int64_t>(plan_.parts.size());
  std::atomic<int> failure{dnnl_success};
  ParallelFor(pool, slots_, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      const onednn::Executor* own = executors.data() + slot * static_cast<int64_t>(plan_.kernels.size());
      for (int64_t i = parts * slot / slots_; i < parts * (slot + 1) / slots_; ++i) {
        const Part& part = plan_.parts[static_cast<size_t>(i)];
        const dnnl_status_t status =
            own[part.kernel].Run(src_begin + part.src_offset * plan_.src_bytes,
                                 dst_begin + part.dst_offset * plan_.dst_bytes, scratch + slot * slot_bytes_);
        if (status != dnnl_success) failure = status;
      }
    }
  });
  if (failure == dnnl_success) return OkStatus();
  return InternalError(node_ + ": oneDNN failed to run " + plan_.kernels.front().impl + " with status " +
                       std::to_string(failure));
}

PartStep::PartStep(StepContext& context, const FloatNode& node, PartPlan plan)
    : runner_(node.name, std::move(plan), context.plan.threads) {
  inputs = node.inputs;
  outputs = {node.output};
  if (runner_.scratch_bytes() > 0) scratch = context.AddScratch(runner_.scratch_bytes());
  description.name = node.name;
  description.kernel = runner_.kernel_name();
  description.weight_bytes = runner_.weight_bytes();
  if (runner_.is_reference_code()) description.reason = "oneDNN has no optimized kernel for this shape on this CPU";
}

Status PartStep::Run(const RunContext& context) const {
  return runner_.Run(*context.pool, context.state, context.Bytes(inputs[0]), context.Bytes(outputs[0]),
                     scratch < 0 ? nullptr : context.Bytes(scratch));
}

}  // namespace bnn::engine
