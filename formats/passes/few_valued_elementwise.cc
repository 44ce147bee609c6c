// Elementwise operators map the values: out(q) = op(values[q]) with the very float operation of the interpreter, so the
// levels stay and only their values change. This one rule covers Cast, Mul, Sub, Where, Not, BatchNormalization, a
// second quantizer and everything else that works element by element with constants.
#include <algorithm>
#include <set>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/few_valued_internal.h"

namespace bnn::formats::few_valued {
namespace {

bool IsElementwise(const std::string& op) {
  static const std::set<std::string> kOps = {"Abs",      "Add",         "And",       "BatchNormalization",
                                             "Cast",     "Ceil",        "Clip",      "BipolarQuant",
                                             "Div",      "Elu",         "Exp",       "Equal",
                                             "Erf",      "Floor",       "Gelu",      "FakeQuantize",
                                             "Greater",  "HardSigmoid", "HardSwish", "GreaterOrEqual",
                                             "Identity", "LeakyRelu",   "Less",      "LessOrEqual",
                                             "Log",      "Max",         "Min",       "Mod",
                                             "Mul",      "Neg",         "Not",       "Or",
                                             "PRelu",    "Pow",         "Relu",      "Reciprocal",
                                             "Round",    "Selu",        "Sigmoid",   "Sign",
                                             "Mish",     "Swish",       "Softplus",  "Softsign",
                                             "Sqrt",     "Sub",         "Sum",       "Tanh",
                                             "Where",    "Xor"};
  return kOps.count(op) > 0;
}

// `numbers` as a tensor of the value's rank and type: all dims 1 except the channels.
Tensor LevelTensor(const ChannelNumbers& numbers, const ValueInfo& info) {
  Tensor tensor;
  tensor.type = info.type;
  tensor.dims.assign(info.dims.size(), 1);
  const auto axis = static_cast<size_t>(ChannelAxis(info.dims.size()));
  tensor.dims[axis] = info.dims[axis];
  const auto channels = static_cast<size_t>(info.dims[axis]);
  std::vector<float> values = numbers;
  if (values.size() == 1) values.assign(channels, numbers[0]);
  if (info.type == DType::kFloat32) {
    tensor.floats = std::move(values);
  } else {
    tensor.integers.assign(values.begin(), values.end());
  }
  return tensor;
}

// The node's value where every element is of this level, one number per channel.
std::optional<ChannelNumbers> Evaluate(const Analysis& analysis, const SourceNode& node, size_t level) {
  std::vector<Tensor> storage(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    inputs[i] = analysis.graph.FindConstant(node.inputs[i]);
    if (inputs[i] != nullptr) continue;
    const FewValued& input = *analysis.Find(node.inputs[i]);
    storage[i] = LevelTensor(input.values[level], *analysis.graph.FindValue(node.inputs[i]));
    inputs[i] = &storage[i];
  }
  Result<std::vector<Tensor>> outputs = EvaluateNode(node, inputs);
  if (!outputs.ok() || outputs->empty()) return std::nullopt;
  return PerChannel((*outputs)[0], analysis.graph.FindValue(node.outputs[0])->dims);
}

}  // namespace

std::optional<FewValued> MapElementwise(Analysis& analysis, const SourceNode& node) {
  if (!IsElementwise(node.op) || node.outputs.size() != 1) return std::nullopt;
  const Dims& dims = analysis.graph.FindValue(node.outputs[0])->dims;
  if (dims.empty()) return std::nullopt;
  const FewValued* first = nullptr;
  for (const std::string& input : node.inputs) {
    if (input.empty() || analysis.graph.FindConstant(input) != nullptr) continue;
    const FewValued* value = analysis.Find(input);
    if (value == nullptr || (first != nullptr && value->bits != first->bits)) return std::nullopt;
    if (analysis.graph.FindValue(input)->dims != dims) return std::nullopt;  // the constant would repeat the bits
    first = value;
  }
  if (first == nullptr) return std::nullopt;

  FewValued value;
  for (size_t level = 0; level < first->levels(); ++level) {
    std::optional<ChannelNumbers> numbers = Evaluate(analysis, node, level);
    if (!numbers || (level > 0 && numbers->size() != value.values[0].size())) {
      analysis.Refuse(node, "its constants vary along an axis that is not the channel axis");
      return std::nullopt;
    }
    value.values.push_back(*std::move(numbers));
  }
  value.bits = first->bits;
  CollapseAll(&value.values);
  return value;
}

}  // namespace bnn::formats::few_valued
