#include "engine/ops/part_runner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/aligned_buffer.h"
#include "engine/compile/geometry.h"
#include "engine/ops/selection.h"

namespace bnn::engine {
namespace {

// A strip that stays in the second level of a core's cache beside what else is read and written.
constexpr int64_t kMostStripBytes = int64_t{512} << 10;
// Parts a thread, so that few rows at their borders are made twice.
constexpr int64_t kLeastParts = 4;

// executors[slot * kernels + kernel]
struct PartState final : StepState {
  std::vector<onednn::Executor> executors;
};

}  // namespace

int64_t PartPlan::scratch_bytes() const {
  int64_t bytes = 0;
  for (const onednn::Kernel& kernel : kernels) bytes = std::max(bytes, kernel.scratch_bytes());
  return WholeLines(bytes);
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

int64_t PartRunner::part_src_bytes() const {
  int64_t bytes = 0;
  for (const onednn::Kernel& kernel : plan_.kernels) {
    bytes = std::max(bytes, static_cast<int64_t>(kernel.src.get_size()));
  }
  return bytes;
}

int64_t PartRunner::part_dst_bytes() const {
  int64_t bytes = 0;
  for (const onednn::Kernel& kernel : plan_.kernels) {
    bytes = std::max(bytes, static_cast<int64_t>(kernel.dst.get_size()));
  }
  return bytes;
}

dnnl_status_t PartRunner::RunPart(const StepState* state, int64_t slot, const Part& part, const void* src, void* dst,
                                  std::byte* scratch) const {
  const auto& executors = static_cast<const PartState*>(state)->executors;
  const auto executor = static_cast<size_t>(slot) * plan_.kernels.size() + static_cast<size_t>(part.kernel);
  return executors[executor].Run(src, dst, scratch);
}

Status PartRunner::StatusOf(int failure) const {
  if (failure == dnnl_success) return OkStatus();
  return InternalError(node_ + ": oneDNN failed to run " + plan_.kernels.front().impl + " with status " +
                       std::to_string(failure));
}

Status PartRunner::Run(ThreadPool& pool, StepState* state, const void* src, void* dst, std::byte* scratch) const {
  const auto* src_begin = static_cast<const std::byte*>(src);
  auto* dst_begin = static_cast<std::byte*>(dst);
  return ForParts(pool, [&](int64_t slot, int64_t index, bool) {
    const Part& part = plan_.parts[static_cast<size_t>(index)];
    return RunPart(state, slot, part, src_begin + part.src_offset * plan_.src_bytes,
                   dst_begin + part.dst_offset * plan_.dst_bytes, scratch + slot * slot_bytes_);
  });
}

PartStep::PartStep(StepContext& context, const FloatNode& node, PartPlan plan, PartsOf unit)
    : StripStep(node.output),
      runner_(node.name, std::move(plan), context.plan.threads),
      src_bytes_(runner_.src_bytes()),
      dst_bytes_(runner_.dst_bytes()) {
  inputs = node.inputs;
  outputs = {node.output};
  PlaceScratch(&context);
  description.name = node.name;
  description.kernel = runner_.kernel_name();
  description.weight_bytes = runner_.weight_bytes();
  if (runner_.is_reference_code()) description.reason = "oneDNN has no optimized kernel for this shape on this CPU";
  const auto row_bytes = [&](int tensor) {
    const PlanTensor& of = context.Tensor(tensor);
    if (unit != PartsOf::kRows || of.type != formats::ElementType::kFloat32) return int64_t{0};
    const Geometry geometry = GeometryOf(of.dims);
    return geometry.w * geometry.c * static_cast<int64_t>(sizeof(float));
  };
  in_row_bytes_ = row_bytes(node.inputs[0]);
  out_row_bytes_ = row_bytes(node.output);
}

bool PartStep::TakesMaker(const StepContext& context) const {
  return maker_ == nullptr && in_row_bytes_ > 0 && runner_.part_src_bytes() <= kMostStripBytes &&
         std::ssize(runner_.parts()) >= kLeastParts * context.plan.threads;
}

void PartStep::TakeMaker(StepContext* context, StepPtr maker) {
  StepDescription joined = maker->description;
  joined.op += "+" + description.op;
  joined.reason = JoinReasons(joined.reason, description.kernel + " strip by strip: " + description.shape);
  joined.reason = JoinReasons(joined.reason, description.reason);
  joined.weight_bytes += description.weight_bytes;
  description = std::move(joined);
  inputs = maker->inputs;
  maker_ = std::move(maker);
  PlaceScratch(context);
}

// A thread's scratch: the kernel's, a strip of the source, a strip of the destination.
void PartStep::PlaceScratch(StepContext* context) {
  slot_bytes_ = runner_.slot_bytes() + WholeLines(src_strip_bytes()) + WholeLines(dst_strip_bytes());
  scratch = slot_bytes_ > 0 ? context->AddScratch(slot_bytes_ * runner_.slots()) : -1;
}

// The rows that a part reads. Those that it shares with the thread's part before are there already.
const float* PartStep::MadeRows(const RunContext& context, int64_t index, bool is_first, std::byte* strip) const {
  const auto begin_of = [&](const Part& part) { return part.src_offset * src_bytes_ / in_row_bytes_; };
  const auto end_of = [&](const Part& part) {
    return begin_of(part) + static_cast<int64_t>(runner_.kernel_of(part).src.get_size()) / in_row_bytes_;
  };
  const Part& part = runner_.parts()[static_cast<size_t>(index)];
  const int64_t begin = begin_of(part), end = end_of(part);
  int64_t made = begin;
  if (!is_first) {
    const Part& before = runner_.parts()[static_cast<size_t>(index) - 1];
    if (begin_of(before) <= begin && begin < end_of(before)) {
      made = std::min(end, end_of(before));
      std::memmove(strip, strip + (begin - begin_of(before)) * in_row_bytes_,
                   static_cast<size_t>((made - begin) * in_row_bytes_));
    }
  }
  maker_->row_maker()->MakeRows(context, made, end, reinterpret_cast<float*>(strip + (made - begin) * in_row_bytes_));
  return reinterpret_cast<const float*>(strip);
}

Status PartStep::Run(const RunContext& context) const {
  const std::byte* src = maker_ == nullptr ? context.Bytes(inputs[0]) : nullptr;
  std::byte* dst = keeps_map() ? context.Bytes(map()) : nullptr;
  std::byte* memory = scratch < 0 ? nullptr : context.Bytes(scratch);
  return runner_.ForParts(*context.pool, [&](int64_t slot, int64_t index, bool is_first) {
    const Part& part = runner_.parts()[static_cast<size_t>(index)];
    std::byte* own = memory + slot * slot_bytes_;
    std::byte* src_strip = own + runner_.slot_bytes();
    std::byte* dst_strip = src_strip + WholeLines(src_strip_bytes());
    const void* from = maker_ == nullptr ? static_cast<const void*>(src + part.src_offset * src_bytes_)
                                         : MadeRows(context, index, is_first, src_strip);
    std::byte* to = keeps_map() ? dst + part.dst_offset * dst_bytes_ : dst_strip;
    const dnnl_status_t status = runner_.RunPart(context.state, slot, part, from, to, own);
    if (status == dnnl_success && has_readers()) {
      const int64_t row = part.dst_offset * dst_bytes_ / out_row_bytes_;
      const int64_t rows = static_cast<int64_t>(runner_.kernel_of(part).dst.get_size()) / out_row_bytes_;
      PassOn(context, row, row + rows, reinterpret_cast<const float*>(to));
    }
    return status;
  });
}

}  // namespace bnn::engine
