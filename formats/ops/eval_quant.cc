// The quantizers of binary networks (REFERENCE.md).
#include <algorithm>
#include <cmath>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// The steps are those of the definition, each rounded to float32. Exactly at a limit, and for a pure threshold
// (il == ih), the low value is taken.
float FakeQuantizeOne(float x, float il, float ih, float ol, float oh, float steps) {
  if (x <= std::min(il, ih)) return ol;
  if (x > std::max(il, ih)) return oh;
  if (il == ih) return ol;  // only NaN comes here: no bit is set
  return std::nearbyint((x - il) / (ih - il) * steps) / steps * (oh - ol) + ol;
}

}  // namespace

// NaN is not >= 0, so it gives the low value.
Result<OutputTensors> EvaluateBipolarQuant(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const Tensor& x = *inputs[0];
  const Tensor& scale = *inputs[1];
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const Dims strides[] = {BroadcastStrides(x.dims, out), BroadcastStrides(scale.dims, out)};
  ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
    y.floats[i] = x.floats[at[0]] >= 0 ? scale.floats[at[1]] : -scale.floats[at[1]];
  });
  return OutputTensors{std::move(y)};
}

Result<OutputTensors> EvaluateFakeQuantize(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const int64_t levels = node.Int("levels", 0);
  if (levels < 2 || levels > (int64_t{1} << 24)) {
    return NodeError(node, "levels is " + std::to_string(levels) + ", expected 2 to 16777216");
  }
  BNN_ASSIGN_OR_RETURN(Dims out, BroadcastInputs(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, DType::kFloat32, out));
  const Dims strides[] = {BroadcastStrides(inputs[0]->dims, out), BroadcastStrides(inputs[1]->dims, out),
                          BroadcastStrides(inputs[2]->dims, out), BroadcastStrides(inputs[3]->dims, out),
                          BroadcastStrides(inputs[4]->dims, out)};
  const auto steps = static_cast<float>(levels - 1);
  ForEachElement(out, strides, [&](int64_t i, const int64_t* at) {
    y.floats[i] = FakeQuantizeOne(inputs[0]->floats[at[0]], inputs[1]->floats[at[1]], inputs[2]->floats[at[2]],
                                  inputs[3]->floats[at[3]], inputs[4]->floats[at[4]], steps);
  });
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
