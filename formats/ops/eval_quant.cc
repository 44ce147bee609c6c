// Quantizers: those of binary networks (REFERENCE.md), and ONNX's of integers.
#include <algorithm>
#include <cmath>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// x * a + b rounded to float32 (from double, in which the product is exact).
float MulAdd(float x, float a, float b) {
  return static_cast<float>(static_cast<double>(x) * static_cast<double>(a) + static_cast<double>(b));
}

// Exactly at a limit, and for a pure threshold (il == ih), the low value is taken. Between the limits, level and output
// are a multiply-add each, as in OpenVINO's CPU plugin: near the middle between two levels, another order of operations
// may round to the other one.
float FakeQuantizeOne(float x, float il, float ih, float ol, float oh, float steps) {
  if (x <= std::min(il, ih)) return ol;
  if (x > std::max(il, ih)) return oh;
  if (il == ih) return ol;  // only NaN comes here: no bit is set
  const float scale = steps / (ih - il);
  return MulAdd(std::nearbyint(MulAdd(x, scale, -il * scale)), (oh - ol) / steps, ol);
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

namespace {

// Scale and zero point of an element: one for all, or one for each index of an axis.
class LinearParameters {
 public:
  static Result<LinearParameters> Read(const SourceNode& node, const InputTensors& inputs) {
    LinearParameters parameters;
    const Dims& dims = inputs[0]->dims;
    const Tensor& scale = *inputs[1];
    const Tensor* zero_point = inputs.size() > 2 ? inputs[2] : nullptr;
    if (scale.type != DType::kFloat32) return NodeError(node, std::string("its scale is ") + DTypeName(scale.type));
    parameters.scales_ = scale.floats;
    if (scale.size() != 1) {
      BNN_ASSIGN_OR_RETURN(const int64_t axis,
                           ResolveAxis(node, node.Int("axis", 1), static_cast<int64_t>(dims.size())));
      if (scale.dims != Dims{dims[static_cast<size_t>(axis)]}) {
        return NodeError(node, "its scale " + DimsToString(scale.dims) + " does not fit axis " + std::to_string(axis) +
                                   " of " + DimsToString(dims));
      }
      parameters.stride_ = RowMajorStrides(dims)[static_cast<size_t>(axis)];
    }
    parameters.zero_points_.assign(parameters.scales_.size(), 0);
    if (zero_point == nullptr) return parameters;
    if (zero_point->type != DType::kInt64 || zero_point->size() != scale.size()) {
      return NodeError(node, std::string("its zero point is ") + DTypeName(zero_point->type) +
                                 DimsToString(zero_point->dims) + ", its scale " + DimsToString(scale.dims));
    }
    parameters.zero_points_ = zero_point->integers;
    return parameters;
  }

  float scale(int64_t element) const { return scales_[Index(element)]; }
  int64_t zero_point(int64_t element) const { return zero_points_[Index(element)]; }

 private:
  size_t Index(int64_t element) const {
    return static_cast<size_t>(element / stride_ % static_cast<int64_t>(scales_.size()));
  }

  std::vector<float> scales_;
  std::vector<int64_t> zero_points_;
  int64_t stride_ = 1;  // of the axis, in elements
};

}  // namespace

// saturate(round(x / scale) + zero_point), half to even. NaN gives the lowest integer.
Result<OutputTensors> EvaluateQuantizeLinear(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (x.type != DType::kFloat32) return NodeError(node, std::string("its input is ") + DTypeName(x.type));
  BNN_ASSIGN_OR_RETURN(const LinearParameters parameters, LinearParameters::Read(node, inputs));
  const auto low = static_cast<double>(node.Int("low", 0)), high = static_cast<double>(node.Int("high", 255));
  BNN_ASSIGN_OR_RETURN(Tensor q, AllocateOutput(node, DType::kInt64, x.dims));
  for (int64_t i = 0; i < q.size(); ++i) {
    const float rounded = std::nearbyint(x.floats[static_cast<size_t>(i)] / parameters.scale(i));
    const double shifted = static_cast<double>(rounded) + static_cast<double>(parameters.zero_point(i));
    q.integers[static_cast<size_t>(i)] = static_cast<int64_t>(shifted >= low ? std::min(shifted, high) : low);
  }
  return OutputTensors{std::move(q)};
}

Result<OutputTensors> EvaluateDequantizeLinear(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& q = *inputs[0];
  if (q.type != DType::kInt64) return NodeError(node, std::string("its input is ") + DTypeName(q.type));
  BNN_ASSIGN_OR_RETURN(const LinearParameters parameters, LinearParameters::Read(node, inputs));
  BNN_ASSIGN_OR_RETURN(Tensor x, AllocateOutput(node, DType::kFloat32, q.dims));
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t steps = q.integers[static_cast<size_t>(i)] - parameters.zero_point(i);
    x.floats[static_cast<size_t>(i)] = static_cast<float>(steps) * parameters.scale(i);
  }
  return OutputTensors{std::move(x)};
}

}  // namespace bnn::formats
