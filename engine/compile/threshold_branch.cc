#include "engine/compile/threshold_branch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <variant>

#include "kernels/epilogue_ref.h"

namespace bnn::engine {
namespace {

using formats::ModelDef;
using formats::NodeDef;
using kernels::EpilogueStep;
using kernels::StepKind;

// Values of a blob {1} or {channels}, or of a row of a table of such rows.
class ChannelValues {
 public:
  ChannelValues() = default;
  ChannelValues(const ModelDef& model, int index, size_t row = 0, size_t rows = 1) {
    const formats::Blob& blob = model.blobs[static_cast<size_t>(index)];
    const size_t bytes = blob.data.size() / rows;
    values_.resize(bytes / sizeof(float));
    std::memcpy(values_.data(), blob.data.data() + row * bytes, bytes);
  }
  size_t size() const { return values_.size(); }
  float at(size_t channel) const { return values_[values_.size() == 1 ? 0 : channel]; }

 private:
  std::vector<float> values_ = {0.0f};
};

// A node of a branch and the parameters of its channels.
struct BranchStep {
  EpilogueStep step;
  ChannelValues a, b;

  float Apply(float y, size_t channel) const { return kernels::ApplyStep(step, y, a.at(channel), b.at(channel)); }
};

std::optional<BranchStep> ToStep(const ModelDef& model, const NodeDef& node) {
  BranchStep step;
  if (const auto* affine = std::get_if<formats::Affine>(&node.op)) {
    step.step.kind = StepKind::kAffine;
    step.a = ChannelValues(model, affine->scale);
    step.b = ChannelValues(model, affine->bias);
  } else if (const auto* prelu = std::get_if<formats::PRelu>(&node.op)) {
    step.step.kind = StepKind::kPRelu;
    step.a = ChannelValues(model, prelu->slope);
  } else if (const auto* clamp = std::get_if<formats::Clamp>(&node.op)) {
    step.step.kind = StepKind::kClamp;
    step.step.lo = clamp->low;
    step.step.hi = clamp->high;
  } else {
    return std::nullopt;
  }
  return step;
}

// 1: the step is non-decreasing in this channel, -1: non-increasing, 0: neither. With finite parameters that is so
// wherever it gives no NaN, and it gives NaN at infinities only: 0 * -inf, of a PReLU.
int Direction(const BranchStep& step, size_t channel) {
  const float a = step.a.at(channel), b = step.b.at(channel);
  switch (step.step.kind) {
    case StepKind::kAffine:
      if (!std::isfinite(a) || !std::isfinite(b) || a == 0) return 0;
      return a > 0 ? 1 : -1;
    case StepKind::kPRelu:
      return std::isfinite(a) && a >= 0 ? 1 : 0;
    case StepKind::kClamp:
      return step.step.lo <= step.step.hi ? 1 : 0;
    case StepKind::kAdd:
      return 0;
  }
  return 0;
}

// The same of all steps together. A PReLU of slope 0 makes NaN, for which the bit is 0, of the least values that it
// gets: in order, that is right where the bit is 0 at this end anyway, not where what follows turns the order around.
int Direction(const std::vector<BranchStep>& steps, size_t channel) {
  int direction = 1, at_cut = 0;
  for (const BranchStep& step : steps) {
    direction *= Direction(step, channel);
    const bool cuts = step.step.kind == StepKind::kPRelu && step.a.at(channel) == 0;
    if (cuts && at_cut == 0) at_cut = direction;
    if (cuts && at_cut != direction) return 0;
  }
  return at_cut == 0 || at_cut == direction ? direction : 0;
}

// Floats in order as integers: -inf is the least, +inf the greatest; -0 and +0 are neighbours.
int32_t ToOrdinal(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits >= 0 ? bits : std::numeric_limits<int32_t>::min() - bits - 1;
}

float FromOrdinal(int32_t ordinal) {
  return std::bit_cast<float>(ordinal >= 0 ? ordinal : std::numeric_limits<int32_t>::min() - ordinal - 1);
}

// The least x with bit(x), where bit is false, ..., false, true, ..., true over the floats in order; NaN: never true.
template <typename BitFn>
float LeastTrue(const BitFn& bit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (bit(-kInfinity)) return -kInfinity;
  if (!bit(kInfinity)) return std::numeric_limits<float>::quiet_NaN();
  int64_t low = ToOrdinal(-kInfinity), high = ToOrdinal(kInfinity);  // bit is false at low, true at high
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (bit(FromOrdinal(static_cast<int32_t>(middle))) ? high : low) = middle;
  }
  return FromOrdinal(static_cast<int32_t>(high));
}

// Sets thresholds and signs before the steps; false where a channel is not monotonic.
bool MoveThresholds(const std::vector<BranchStep>& steps, const std::vector<ChannelValues>& levels,
                    ThresholdBranch* branch) {
  size_t channels = levels[0].size();
  for (const BranchStep& step : steps) channels = std::max({channels, step.a.size(), step.b.size()});
  branch->thresholds.assign(levels.size(), std::vector<float>(channels));
  branch->signs.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    const int direction = Direction(steps, c);
    if (direction == 0) return false;
    branch->signs[c] = static_cast<float>(direction);
    for (size_t level = 0; level < levels.size(); ++level) {
      branch->thresholds[level][c] = LeastTrue([&](float y) {
        y *= branch->signs[c];
        for (const BranchStep& step : steps) y = step.Apply(y, c);
        return y >= levels[level].at(c);
      });
    }
  }
  if (std::all_of(branch->signs.begin(), branch->signs.end(), [](float sign) { return sign > 0; })) {
    branch->signs.clear();
  }
  return true;
}

}  // namespace

Readers::Readers(const ModelDef& model) : readers_(model.tensors.size()), is_output_(model.tensors.size()) {
  for (size_t n = 0; n < model.nodes.size(); ++n) {
    for (const int t : model.nodes[n].inputs) readers_[static_cast<size_t>(t)].push_back(static_cast<int>(n));
  }
  for (const int t : model.outputs) is_output_[static_cast<size_t>(t)] = true;
}

std::optional<ThresholdBranch> FindThresholdBranch(const ModelDef& model, const Readers& readers, int first) {
  ThresholdBranch branch;
  std::vector<BranchStep> steps;
  int n = first;
  while (true) {
    const NodeDef& node = model.nodes[static_cast<size_t>(n)];
    branch.nodes.push_back(n);
    if (const auto* binarize = std::get_if<formats::Binarize>(&node.op)) {
      std::vector<ChannelValues> levels;
      const auto count = static_cast<size_t>((1 << binarize->bits) - 1);
      for (size_t level = 0; level < count; ++level) levels.emplace_back(model, binarize->thresholds, level, count);
      if (!MoveThresholds(steps, levels, &branch)) return std::nullopt;
      return branch;
    }
    std::optional<BranchStep> step = ToStep(model, node);
    if (!step || !readers.has_one(node.output)) return std::nullopt;
    steps.push_back(*std::move(step));
    n = readers.of(node.output)[0];
  }
}

}  // namespace bnn::engine
