// Element-wise operators of two operands with numpy broadcasting.
//
// An operand that is broadcast along an axis has stride 0 there. Neighbouring axes along which both operands advance
// alike are merged, so that most operators become rows of one of four kinds: both operands run along the row, or one of
// them stands still. Those four loops are what the compiler vectorizes. Each operation rounds once.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

using formats::BinaryKind;

constexpr size_t kMaxAxes = formats::kMaxRank + 1;  // with the batch

// An axis of the output: its size, and how far each operand moves along it.
struct Axis {
  int64_t size, a, b;
};

// The stride of every axis of `out` in a dense operand of dims `dims`; 0 where it is broadcast. Both with batch axis.
std::vector<int64_t> BroadcastStrides(const std::vector<int64_t>& dims, const std::vector<int64_t>& out) {
  std::vector<int64_t> strides(out.size(), 0);
  int64_t stride = 1;
  for (size_t i = 0; i < std::min(dims.size(), out.size()); ++i) {  // from the last axis
    const int64_t dim = dims[dims.size() - 1 - i];
    if (dim != 1) strides[out.size() - 1 - i] = stride;
    stride *= dim;
  }
  return strides;
}

// The axes without those of size 1, merged where both operands advance as along one longer axis. At least one axis.
std::vector<Axis> MergedAxes(const std::vector<int64_t>& out, const std::vector<int64_t>& a,
                             const std::vector<int64_t>& b) {
  std::vector<Axis> axes;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == 1) continue;
    const Axis axis = {out[i], a[i], b[i]};
    if (!axes.empty() && axes.back().a == axis.a * axis.size && axes.back().b == axis.b * axis.size) {
      axes.back() = {axes.back().size * axis.size, axis.a, axis.b};
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty()) axes.push_back({1, 0, 0});
  return axes;
}

// out[i] = fn(a[i * a_step], b[i * b_step]); the steps are 0 or, on the last axis of a dense tensor, 1.
template <typename Fn>
void Row(const float* a, bool a_moves, const float* b, bool b_moves, int64_t count, float* out, const Fn& fn) {
  if (a_moves && b_moves) {
    for (int64_t i = 0; i < count; ++i) out[i] = fn(a[i], b[i]);
  } else if (a_moves) {
    const float y = *b;
    for (int64_t i = 0; i < count; ++i) out[i] = fn(a[i], y);
  } else if (b_moves) {
    const float x = *a;
    for (int64_t i = 0; i < count; ++i) out[i] = fn(x, b[i]);
  } else {
    std::fill_n(out, count, fn(*a, *b));
  }
}

// The elements [begin, end) of the output, counted in storage order.
template <typename Fn>
void Elements(const std::vector<Axis>& axes, const float* a, const float* b, int64_t begin, int64_t end, float* out,
              const Fn& fn) {
  const size_t last = axes.size() - 1;
  std::array<int64_t, kMaxAxes> index{};
  int64_t rest = begin;
  for (size_t i = axes.size(); i-- > 0;) {
    index[i] = rest % axes[i].size;
    rest /= axes[i].size;
  }
  while (begin < end) {
    const float *row_a = a, *row_b = b;
    for (size_t i = 0; i <= last; ++i) {
      row_a += index[i] * axes[i].a;
      row_b += index[i] * axes[i].b;
    }
    const int64_t count = std::min(end - begin, axes[last].size - index[last]);
    Row(row_a, axes[last].a != 0, row_b, axes[last].b != 0, count, out + begin, fn);
    begin += count;
    index[last] = 0;
    for (size_t i = last; i > 0 && ++index[i - 1] == axes[i - 1].size; --i) index[i - 1] = 0;
  }
}

void Apply(BinaryKind kind, const std::vector<Axis>& axes, const float* a, const float* b, int64_t begin, int64_t end,
           float* out) {
  const auto run = [&](const auto& fn) { Elements(axes, a, b, begin, end, out, fn); };
  switch (kind) {
    case BinaryKind::kAdd:
      return run([](float x, float y) { return x + y; });
    case BinaryKind::kSub:
      return run([](float x, float y) { return x - y; });
    case BinaryKind::kMul:
      return run([](float x, float y) { return x * y; });
    case BinaryKind::kDiv:
      return run([](float x, float y) { return x / y; });
    case BinaryKind::kMax:
      return run([](float x, float y) { return x > y ? x : y; });
    case BinaryKind::kMin:
      return run([](float x, float y) { return x < y ? x : y; });
  }
}

const char* Name(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "add";
    case BinaryKind::kSub:
      return "sub";
    case BinaryKind::kMul:
      return "mul";
    case BinaryKind::kDiv:
      return "div";
    case BinaryKind::kMax:
      return "max";
    case BinaryKind::kMin:
      return "min";
  }
  return "binary";
}

class BinaryStep final : public Step {
 public:
  BinaryStep(const StepContext& context, const FloatNode& node, const formats::Binary& op)
      : kind_(op.kind), constant_first_(op.constant_first) {
    const std::vector<int64_t>& out_dims = context.Tensor(node.output).dims;
    // The batch is an axis in front of the sample's. A tensor of lower rank keeps its batch in front of its own axes,
    // and gets axes of size 1 between; a constant has no batch.
    std::vector<int64_t> out = {context.plan.batch};
    out.insert(out.end(), out_dims.begin(), out_dims.end());
    const auto strides_of_tensor = [&](int tensor) {
      std::vector<int64_t> dims = context.Tensor(tensor).dims;
      dims.insert(dims.begin(), out_dims.size() - dims.size(), 1);
      dims.insert(dims.begin(), context.plan.batch);
      return BroadcastStrides(dims, out);
    };
    std::vector<int64_t> a = strides_of_tensor(node.inputs[0]), b;
    inputs = {node.inputs[0]};
    if (op.constant != formats::kNone) {
      const formats::Blob& blob = context.model.blobs[static_cast<size_t>(op.constant)];
      constant_ = context.SharedFloats(op.constant);
      b = BroadcastStrides(blob.dims, out);
      description.weight_bytes = formats::ElementCount(blob.dims) * static_cast<int64_t>(sizeof(float));
    } else {
      b = strides_of_tensor(node.inputs[1]);
      inputs.push_back(node.inputs[1]);
    }
    if (constant_first_) std::swap(a, b);
    axes_ = MergedAxes(out, a, b);
    count_ = formats::ElementCount(out);
    outputs = {node.output};
    // An operand that is broadcast would be overwritten before its last use.
    InPlace place{node.output, {}};
    for (const int input : inputs) {
      if (context.Tensor(input).dims == out_dims) place.inputs.push_back(input);
    }
    if (!place.inputs.empty()) in_place = std::move(place);
    description.name = node.name;
    description.op = Name(kind_);
    description.kernel = "plain";
    description.shape = DimsText(out_dims);
  }

  Status Run(const RunContext& context) const override {
    const float* a = context.Floats(inputs[0]);
    const float* b = inputs.size() == 2 ? context.Floats(inputs[1]) : constant_.get();
    if (constant_first_) std::swap(a, b);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, count_, 1,
                  [&](int64_t begin, int64_t end) { Apply(kind_, axes_, a, b, begin, end, out); });
    return OkStatus();
  }

 private:
  const BinaryKind kind_;
  const bool constant_first_;
  std::shared_ptr<const float> constant_;  // null: two tensors
  std::vector<Axis> axes_;
  int64_t count_ = 0;
};

}  // namespace

Result<StepPtr> MakeBinary(StepContext& context, const FloatNode& node, const formats::Binary& op) {
  return StepPtr(std::make_unique<BinaryStep>(context, node, op));
}

}  // namespace bnn::engine
