// The parameters of a fused group's epilogue, laid out as kernels want them, and their binding to a run's memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/aligned_buffer.h"
#include "engine/compile/fuse.h"
#include "engine/compile/geometry.h"
#include "engine/ops/make_step.h"
#include "engine/plan.h"
#include "kernels/epilogue.h"

namespace bnn::engine {

// Per-channel arrays are [groups][PaddedChannels(channels of a group)], so that a kernel that computes one group of a
// grouped convolution gets an array of its own.
class EpilogueParams {
 public:
  // `max_acc`: the largest sum of the binary layer that feeds the epilogue, or 0 where a float tensor does. With sums
  // known and only bits wanted, a monotonic chain collapses into integer thresholds.
  EpilogueParams(const StepContext& context, const Group& group, int64_t channels, int64_t groups, int64_t max_acc);

  // The epilogue of channel group `group` for a run; `steps` is storage of kMaxEpilogueSteps that the result points to.
  // `rows_are_samples`: a dense layer, whose rows are the samples of the batch.
  kernels::Epilogue Bind(const RunContext& context, int64_t group, bool rows_are_samples,
                         kernels::EpilogueStep* steps) const;

  // The tensors that the epilogue reads beside the accumulator.
  std::vector<int> residuals() const;
  int float_output() const { return float_output_; }
  int bits_output() const { return bits_output_; }
  bool has_steps() const { return !steps_.empty(); }

  // "+affine+prelu+add+binarize".
  const std::string& op_suffix() const { return op_suffix_; }
  // How the bits are decided; "" without bits.
  const std::string& reason() const { return reason_; }
  int64_t bytes() const;

 private:
  struct StepParams {
    kernels::StepKind kind = kernels::StepKind::kAffine;
    AlignedBuffer<float> a;
    AlignedBuffer<float> b;
    float lo = 0;
    float hi = 0;
    int residual = -1;
  };

  void AddStep(const StepContext& context, const formats::NodeDef& node, int value);
  // Replaces steps and float thresholds by integer ones where that is exact.
  void CollapseThresholds(int64_t max_acc);
  int64_t ThresholdStride() const { return groups_ * kernels::PaddedChannels(channels_ / groups_); }
  // Whether bits of the parameter i (of a channel) fall with the accumulator; nothing where they do neither.
  std::optional<bool> IsDecreasing(size_t i) const;
  float ChainOf(int32_t acc, size_t i) const;
  std::string BitsName() const;
  // Puts a clamp to everything before a first scale that kernels cannot double (kernels/epilogue.h).
  void GuardFirstScale();

  int64_t channels_ = 0;  // of all groups
  int64_t groups_ = 1;
  std::vector<StepParams> steps_;
  int planes_ = 1;                           // bits of an element of the bits output
  AlignedBuffer<float> thresholds_, signs_;  // thresholds level by level; signs_ may be empty: all 1
  AlignedBuffer<int32_t> int_thresholds_;    // level by level
  AlignedBuffer<uint32_t> flip_;
  int float_output_ = -1;
  int bits_output_ = -1;
  int64_t bits_word_ = 0;  // the first one of a pixel that this epilogue writes
  Geometry geometry_;      // of the float output and of the residuals
  std::string op_suffix_;
  std::string reason_;
};

}  // namespace bnn::engine
