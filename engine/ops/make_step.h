// One factory an operator: from a node of the model to a step of the plan. Called by engine/compile only. Each factory
// does everything that can be done before a run: chooses the kernel, packs weights, builds primitives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "engine/aligned_buffer.h"
#include "engine/plan.h"
#include "engine/weight_store.h"
#include "formats/model_def.h"

namespace bnn::engine {

// What factories may look at and add to.
struct StepContext {
  const formats::ModelDef& model;
  Plan& plan;            // batch, threads, max_isa and tensors are set; factories add scratch tensors only
  WeightStore& weights;  // of all plans of the model

  // A blob of at most one axis (one value, or one a channel) or a table of levels, which the model keeps. Layers ask
  // `weights` for theirs.
  const float* BlobFloats(int blob) const;
  // Any float blob in the form of the file, for steps that read it so.
  std::shared_ptr<const float> SharedFloats(int blob) const;
  const PlanTensor& Tensor(int tensor) const { return plan.tensors[static_cast<size_t>(tensor)]; }
  // A float blob of 1 or `channels` values as [groups][PaddedChannels(channels / groups)], the form that kernels want.
  AlignedBuffer<float> PerChannel(int blob, int64_t channels, int64_t groups) const;
  // The bias of a layer; zeros where it has none.
  AlignedBuffer<float> BiasOrZeros(int blob, int64_t channels) const;
  // Adds a tensor of `bytes` bytes that lives during one step; returns its index for Step::scratch.
  int AddScratch(int64_t bytes);
};

// `values` ([1] or [channels]) as PerChannel gives them.
AlignedBuffer<float> PaddedPerChannel(const float* values, int64_t count, int64_t channels, int64_t groups);

// A table with a row a level, each [1] or [channels], as [rows][groups][PaddedChannels(channels of a group)].
AlignedBuffer<float> PaddedTable(const std::vector<std::vector<float>>& rows, int64_t channels, int64_t groups);

// "3x3 s2 p1": kernel, stride, padding and dilation, as plans show them. Parts that say nothing are left out.
std::string WindowText(const formats::Window2d& window);

using StepPtr = std::unique_ptr<Step>;

// Float operators. `inputs` and `output` are plan tensors, dense float32 of [batch][dims...].
// *_onednn.cc are the only users of oneDNN.
struct FloatNode {
  std::string name;  // of the model's node, for messages and the plan
  std::vector<int> inputs;
  int output = -1;
};
// `activation`: a Clamp, or a PRelu of one slope, whose output `node.output` is then.
Result<StepPtr> MakeConv2d(StepContext& context, const FloatNode& node, const formats::Conv2d& op,
                           const formats::Op* activation = nullptr);
Result<StepPtr> MakeDense(StepContext& context, const FloatNode& node, const formats::Dense& op);
Result<StepPtr> MakeMaxPool(StepContext& context, const FloatNode& node, const formats::MaxPool& op);
Result<StepPtr> MakeAvgPool(StepContext& context, const FloatNode& node, const formats::AvgPool& op);
Result<StepPtr> MakeUnary(StepContext& context, const FloatNode& node, const formats::Unary& op);
Result<StepPtr> MakeBinary(StepContext& context, const FloatNode& node, const formats::Binary& op);
Result<StepPtr> MakeSoftmax(StepContext& context, const FloatNode& node, const formats::Softmax& op);
Result<StepPtr> MakeConcat(StepContext& context, const FloatNode& node, const formats::Concat& op);
Result<StepPtr> MakeSlice(StepContext& context, const FloatNode& node, const formats::Slice& op);
Result<StepPtr> MakePad(StepContext& context, const FloatNode& node, const formats::Pad& op);
Result<StepPtr> MakeTranspose(StepContext& context, const FloatNode& node, const formats::Transpose& op);
Result<StepPtr> MakeFakeQuantize(StepContext& context, const FloatNode& node, const formats::FakeQuantize& op);
Result<StepPtr> MakeConvTranspose2d(StepContext& context, const FloatNode& node, const formats::ConvTranspose2d& op);
Result<StepPtr> MakeResize2d(StepContext& context, const FloatNode& node, const formats::Resize2d& op);
Result<StepPtr> MakeReduce(StepContext& context, const FloatNode& node, const formats::Reduce& op);
Result<StepPtr> MakeLrn(StepContext& context, const FloatNode& node, const formats::Lrn& op);
Result<StepPtr> MakeNormalizeL2(StepContext& context, const FloatNode& node, const formats::NormalizeL2& op);
Result<StepPtr> MakeDetectionOutput(StepContext& context, const FloatNode& node, const formats::DetectionOutput& op);
Result<StepPtr> MakeCopy(StepContext& context, const FloatNode& node);  // same bytes, e.g. an input that is an output

// float32 <-> int8 or uint8.
StepPtr MakeQuantize(const StepContext& context, const formats::NodeDef& node);
StepPtr MakeDequantize(const StepContext& context, const formats::NodeDef& node);

}  // namespace bnn::engine
