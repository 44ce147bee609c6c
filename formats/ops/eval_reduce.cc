#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "formats/ops/broadcast.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {

Result<std::vector<bool>> ReducedAxes(const SourceNode& node, const InputTensors& inputs, size_t rank) {
  std::vector<bool> reduced(rank, true);
  if (inputs.size() < 2 || inputs[1] == nullptr || inputs[1]->size() == 0) return reduced;
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntegerInput(node, inputs, 1));
  reduced.assign(rank, false);
  for (const int64_t axis : axes) {
    BNN_ASSIGN_OR_RETURN(const int64_t resolved, ResolveAxis(node, axis, static_cast<int64_t>(rank)));
    reduced[resolved] = true;
  }
  return reduced;
}

namespace {

struct Reduction {
  const char* op;
  bool has_empty_value;  // whether no elements at all still give a result
  double initial;
  double (*step)(double so_far, double value);
};

// NaN wins over any number in ReduceMax and ReduceMin.
const Reduction kReductions[] = {
    {"ReduceMax", false, -INFINITY, [](double a, double b) { return std::isnan(a) || a > b ? a : b; }},
    {"ReduceMean", false, 0, [](double a, double b) { return a + b; }},
    {"ReduceMin", false, INFINITY, [](double a, double b) { return std::isnan(a) || a < b ? a : b; }},
    {"ReduceProd", true, 1, [](double a, double b) { return a * b; }},
    {"ReduceSum", true, 0, [](double a, double b) { return a + b; }},
};

}  // namespace

// Runs in double, which is exact for integers up to 2^53; larger ones are refused.
Result<OutputTensors> EvaluateReduce(const SourceNode& node, const InputTensors& inputs) {
  const Tensor& x = *inputs[0];
  if (x.type == DType::kBool) return NodeError(node, "does not take bool");
  const auto* reduction = std::find_if(std::begin(kReductions), std::end(kReductions),
                                       [&](const Reduction& candidate) { return node.op == candidate.op; });
  if (reduction == std::end(kReductions)) return NodeUnsupported(node, "unknown operator");
  BNN_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(node, inputs, x.dims.size()));
  Dims kept = x.dims;  // with reduced axes as 1
  Dims squeezed;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (reduced[i]) {
      kept[i] = 1;
    } else {
      squeezed.push_back(kept[i]);
    }
  }
  BNN_ASSIGN_OR_RETURN(Tensor y, AllocateOutput(node, x.type, kept));
  std::vector<double> results(static_cast<size_t>(y.size()), reduction->initial);
  const Dims strides[] = {BroadcastStrides(kept, x.dims)};
  const bool is_float = x.type == DType::kFloat32;
  ForEachElement(x.dims, strides, [&](int64_t i, const int64_t* at) {
    const double value = is_float ? static_cast<double>(x.floats[i]) : static_cast<double>(x.integers[i]);
    results[at[0]] = reduction->step(results[at[0]], value);
  });
  const int64_t per_result = y.size() == 0 ? 0 : x.size() / y.size();
  if (per_result == 0 && y.size() > 0 && !reduction->has_empty_value) return NodeError(node, "reduces no elements");
  for (size_t i = 0; i < results.size(); ++i) {
    double result = results[i];
    if (node.op == "ReduceMean") result /= static_cast<double>(per_result);
    if (is_float) {
      y.floats[i] = static_cast<float>(result);
      continue;
    }
    if (std::fabs(result) > 9007199254740992.0) return NodeError(node, "an integer result exceeds 2^53");
    y.integers[i] = static_cast<int64_t>(result);
  }
  if (node.Int("keepdims", 1) == 0) y.dims = squeezed;
  return OutputTensors{std::move(y)};
}

}  // namespace bnn::formats
