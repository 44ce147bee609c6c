#include "engine/compile/epilogue_params.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

#include "engine/compile/int_threshold.h"
#include "engine/ops/selection.h"
#include "kernels/bits.h"
#include "kernels/epilogue_ref.h"

namespace bnn::engine {
namespace {

using kernels::PaddedChannels;
using kernels::StepKind;

const char* StepName(StepKind kind) {
  switch (kind) {
    case StepKind::kAffine:
      return "+affine";
    case StepKind::kPRelu:
      return "+prelu";
    case StepKind::kClamp:
      return "+clamp";
    case StepKind::kAdd:
      return "+add";
  }
  return "";
}

}  // namespace

EpilogueParams::EpilogueParams(const StepContext& context, const Group& group, int64_t channels, int64_t groups,
                               int64_t max_acc)
    : channels_(channels),
      groups_(groups),
      float_output_(group.float_output),
      bits_output_(group.bits_output),
      bits_word_(group.bits_channel / kernels::kBitsPerWord) {
  const formats::ModelDef& model = context.model;
  int value =
      group.source_node != formats::kNone ? model.nodes[static_cast<size_t>(group.source_node)].output : group.input;
  geometry_ = GeometryOf(model.tensors[static_cast<size_t>(value)].dims);
  for (const int n : group.chain) {
    const formats::NodeDef& node = model.nodes[static_cast<size_t>(n)];
    AddStep(context, node, value);
    value = node.output;
  }
  if (!group.branch.empty()) {
    planes_ = context.Tensor(bits_output_).bits.planes;
    thresholds_ = PaddedTable(group.thresholds, channels_, groups_);
    if (!group.signs.empty()) {
      signs_ = PaddedPerChannel(group.signs.data(), std::ssize(group.signs), channels_, groups_);
    }
    if (max_acc > 0) CollapseThresholds(max_acc);
    if (group.branch.size() > 1) {
      reason_ = JoinReasons(
          reason_, "thresholds of " + std::to_string(group.branch.size() - 1) + " monotonic nodes before the bits");
    }
    op_suffix_ += BitsName();
  }
  GuardFirstScale();
}

void EpilogueParams::GuardFirstScale() {
  if (steps_.empty() || steps_[0].kind != StepKind::kAffine) return;
  const float* const scale = steps_[0].a.data();
  const bool doubles = std::all_of(scale, scale + steps_[0].a.size(), [](float a) {
    return !(std::fabs(a) > std::numeric_limits<float>::max() / 2) || std::isinf(a);
  });
  if (doubles) return;
  StepParams everything;
  everything.kind = StepKind::kClamp;
  everything.lo = -std::numeric_limits<float>::infinity();
  everything.hi = std::numeric_limits<float>::infinity();
  steps_.insert(steps_.begin(), std::move(everything));
}

void EpilogueParams::AddStep(const StepContext& context, const formats::NodeDef& node, int value) {
  StepParams step;
  if (const auto* affine = std::get_if<formats::Affine>(&node.op)) {
    step.kind = StepKind::kAffine;
    step.a = context.PerChannel(affine->scale, channels_, groups_);
    step.b = context.PerChannel(affine->bias, channels_, groups_);
  } else if (const auto* prelu = std::get_if<formats::PRelu>(&node.op)) {
    step.kind = StepKind::kPRelu;
    step.a = context.PerChannel(prelu->slope, channels_, groups_);
  } else if (const auto* clamp = std::get_if<formats::Clamp>(&node.op)) {
    step.kind = StepKind::kClamp;
    step.lo = clamp->low;
    step.hi = clamp->high;
  } else {
    step.kind = StepKind::kAdd;
    step.residual = ResidualOf(node, value);
  }
  op_suffix_ += StepName(step.kind);
  steps_.push_back(std::move(step));
}

// What op_suffix_ calls the bits.
std::string EpilogueParams::BitsName() const {
  return planes_ == 1 ? "+binarize" : "+quantize" + std::to_string(planes_) + "bit";
}

std::optional<bool> EpilogueParams::IsDecreasing(size_t i) const {
  bool decreasing = !signs_.empty() && signs_[i] < 0;
  for (const StepParams& step : steps_) {
    if (step.kind == StepKind::kAffine && step.a[i] < 0) decreasing = !decreasing;
    if (step.kind == StepKind::kPRelu && step.a[i] < 0) return std::nullopt;
  }
  return decreasing;
}

// The chain of channel i, of which a threshold is a number.
float EpilogueParams::ChainOf(int32_t acc, size_t i) const {
  auto y = static_cast<float>(acc);
  for (const StepParams& step : steps_) {
    kernels::EpilogueStep one;
    one.kind = step.kind;
    one.lo = step.lo;
    one.hi = step.hi;
    y = kernels::ApplyStep(one, y, step.a.empty() ? 0 : step.a[i], step.b.empty() ? 0 : step.b[i]);
  }
  return signs_.empty() ? y : y * signs_[i];
}

void EpilogueParams::CollapseThresholds(int64_t max_acc) {
  if (float_output_ != -1) {
    reason_ = "float thresholds: the floats are wanted as well";
    return;
  }
  for (const StepParams& step : steps_) {
    if (step.kind == StepKind::kAdd) {
      reason_ = "float thresholds: a residual is added";
      return;
    }
  }
  const int64_t group_channels = channels_ / groups_;
  const int64_t padded = PaddedChannels(group_channels);
  const auto levels = static_cast<size_t>(kernels::HighestLevel(planes_));
  const auto stride = static_cast<size_t>(ThresholdStride());
  AlignedBuffer<int32_t> int_thresholds(levels * stride);
  AlignedBuffer<uint32_t> flip(stride / kernels::kChannelBlock);
  for (int64_t c = 0; c < channels_; ++c) {
    const auto i = static_cast<size_t>(c / group_channels * padded + c % group_channels);
    const std::optional<bool> decreasing = IsDecreasing(i);
    if (!decreasing) {
      reason_ = "float thresholds: a PReLU with a negative slope is not monotonic";
      return;
    }
    for (size_t level = 0; level < levels; ++level) {
      const float t = thresholds_[level * stride + i];
      const IntThreshold found =
          FindIntThreshold(max_acc, *decreasing, [&](int32_t acc) { return ChainOf(acc, i) >= t; });
      // Where the chain falls, what reaches the highest level is the least.
      const size_t place = found.flip ? levels - 1 - level : level;
      int_thresholds[place * stride + i] = found.threshold;
      if (found.flip) kernels::SetBit(flip.data(), static_cast<int64_t>(i), 1);
    }
  }
  reason_ = "integer thresholds: " + std::string(steps_.empty() ? "" : op_suffix_.substr(1) + BitsName() + " ") +
            "collapsed to one comparison a channel" + (planes_ > 1 ? " and level" : "");
  int_thresholds_ = std::move(int_thresholds);
  flip_ = std::move(flip);
  steps_.clear();
  thresholds_ = {};
  signs_ = {};
}

kernels::Epilogue EpilogueParams::Bind(const RunContext& context, int64_t group, bool rows_are_samples,
                                       kernels::EpilogueStep* steps) const {
  const int64_t group_channels = channels_ / groups_;
  const int64_t padded_offset = group * PaddedChannels(group_channels);
  const auto strides_of = [&](int tensor) {
    kernels::Strides strides = geometry_.float_strides(context.plan->tensors[static_cast<size_t>(tensor)]);
    if (rows_are_samples) strides.pixel = strides.image;
    return strides;
  };
  kernels::Epilogue epilogue;
  epilogue.steps = steps;
  epilogue.num_steps = static_cast<int>(steps_.size());
  for (size_t s = 0; s < steps_.size(); ++s) {
    const StepParams& from = steps_[s];
    kernels::EpilogueStep& to = steps[s];
    to.kind = from.kind;
    to.a = from.a.empty() ? nullptr : from.a.data() + padded_offset;
    to.b = from.b.empty() ? nullptr : from.b.data() + padded_offset;
    to.lo = from.lo;
    to.hi = from.hi;
    if (from.kind == StepKind::kAdd) {
      to.a = context.Floats(from.residual) + group * group_channels;
      to.strides = strides_of(from.residual);
    }
  }
  if (float_output_ != -1) {
    epilogue.out = context.Floats(float_output_) + group * group_channels;
    epilogue.out_strides = strides_of(float_output_);
  }
  if (bits_output_ != -1) {
    const BitsLayout& layout = context.plan->tensors[static_cast<size_t>(bits_output_)].bits;
    // A group's channels start at a word: its width is a multiple of 32, or the layout gives each group its own words.
    const int64_t group_word = group * kernels::WordsFor(group_channels);
    epilogue.bits = context.Words(bits_output_) + layout.interior() + bits_word_ + group_word;
    epilogue.bits_strides = layout.strides();
    if (rows_are_samples) epilogue.bits_strides.pixel = epilogue.bits_strides.image;
    epilogue.planes = planes_;
    epilogue.threshold_stride = ThresholdStride();
    if (int_thresholds_.empty()) {
      epilogue.thresholds = thresholds_.data() + padded_offset;
      if (!signs_.empty()) epilogue.signs = signs_.data() + padded_offset;
    } else {
      epilogue.int_thresholds = int_thresholds_.data() + padded_offset;
      epilogue.flip = flip_.data() + padded_offset / kernels::kChannelBlock;
    }
  }
  return epilogue;
}

std::vector<int> EpilogueParams::residuals() const {
  std::vector<int> tensors;
  for (const StepParams& step : steps_) {
    if (step.kind == StepKind::kAdd) tensors.push_back(step.residual);
  }
  return tensors;
}

int64_t EpilogueParams::bytes() const {
  size_t total = thresholds_.bytes() + signs_.bytes() + int_thresholds_.bytes() + flip_.bytes();
  for (const StepParams& step : steps_) total += step.a.bytes() + step.b.bytes();
  return static_cast<int64_t>(total);
}

}  // namespace bnn::engine
