// Elementwise operators map the pair: out(bit) = op(pair(bit)) with the very float operation of the interpreter, so the
// bits stay and only low and high change. This one rule covers Cast, Mul, Sub, Where, Not, BatchNormalization, a second
// quantizer and everything else that works element by element with constants.
#include <algorithm>
#include <set>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/two_valued_internal.h"

namespace bnn::formats::two_valued {
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

// `pair` as a tensor of the value's rank and type: all dims 1 except the channels.
Tensor PairTensor(const std::vector<float>& pair, const ValueInfo& info) {
  Tensor tensor;
  tensor.type = info.type;
  tensor.dims.assign(info.dims.size(), 1);
  const auto axis = static_cast<size_t>(ChannelAxis(info.dims.size()));
  tensor.dims[axis] = info.dims[axis];
  const auto channels = static_cast<size_t>(info.dims[axis]);
  std::vector<float> values = pair;
  if (values.size() == 1) values.assign(channels, pair[0]);
  if (info.type == DType::kFloat32) {
    tensor.floats = std::move(values);
  } else {
    tensor.integers.assign(values.begin(), values.end());
  }
  return tensor;
}

// The node's value where every bit is 0 (or every bit is 1), one element per channel.
std::optional<std::vector<float>> Evaluate(const Analysis& analysis, const SourceNode& node, bool bit) {
  std::vector<Tensor> storage(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    inputs[i] = analysis.graph.FindConstant(node.inputs[i]);
    if (inputs[i] != nullptr) continue;
    const TwoValued& pair = *analysis.Find(node.inputs[i]);
    storage[i] = PairTensor(bit ? pair.high : pair.low, *analysis.graph.FindValue(node.inputs[i]));
    inputs[i] = &storage[i];
  }
  Result<std::vector<Tensor>> outputs = EvaluateNode(node, inputs);
  if (!outputs.ok() || outputs->empty()) return std::nullopt;
  return PerChannel((*outputs)[0], analysis.graph.FindValue(node.outputs[0])->dims);
}

}  // namespace

std::optional<TwoValued> MapElementwise(Analysis& analysis, const SourceNode& node) {
  if (!IsElementwise(node.op) || node.outputs.size() != 1) return std::nullopt;
  const Dims& dims = analysis.graph.FindValue(node.outputs[0])->dims;
  if (dims.empty()) return std::nullopt;
  const TwoValued* first = nullptr;
  for (const std::string& input : node.inputs) {
    if (input.empty() || analysis.graph.FindConstant(input) != nullptr) continue;
    const TwoValued* pair = analysis.Find(input);
    if (pair == nullptr || (first != nullptr && pair->bits != first->bits)) return std::nullopt;
    if (analysis.graph.FindValue(input)->dims != dims) return std::nullopt;  // the constant would repeat the bits
    first = pair;
  }
  if (first == nullptr) return std::nullopt;

  const std::optional<std::vector<float>> low = Evaluate(analysis, node, false);
  const std::optional<std::vector<float>> high = Evaluate(analysis, node, true);
  if (!low || !high || low->size() != high->size()) {
    analysis.Refuse(node, "its constants vary along an axis that is not the channel axis");
    return std::nullopt;
  }
  TwoValued value;
  value.low = *low;
  value.high = *high;
  value.bits = first->bits;
  CollapsePair(&value);
  return value;
}

}  // namespace bnn::formats::two_valued
