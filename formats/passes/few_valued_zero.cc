// Where Sign meets 0. Sign has three values; it counts as two-valued only where 0 does not occur. A real-valued input
// hits 0 with no more than chance (noted in the report), but integers, padding and ReLU produce 0 for certain.
#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/few_valued_internal.h"
#include "formats/passes/two_valued_constant.h"

namespace bnn::formats::few_valued {
namespace {

// Operators whose results are among (or between) the elements of their first input.
bool OnlySelects(const SourceNode& node) {
  static const std::set<std::string> kOps = {"Identity",  "Reshape", "Flatten", "Squeeze", "Unsqueeze",
                                             "Transpose", "Slice",   "Split",   "MaxPool", "GlobalMaxPool"};
  return kOps.count(node.op) > 0;
}

// The limit of a Clip, or `fallback` where it has none.
float ClipLimit(const Analysis& analysis, const SourceNode& node, size_t index, float fallback) {
  if (!node.HasInput(index)) return fallback;
  const Tensor* limit = analysis.graph.FindConstant(node.inputs[index]);
  return limit != nullptr && limit->type == DType::kFloat32 && limit->size() == 1 ? limit->floats[0] : fallback;
}

// Elementwise operators with constants on the way from a binary layer to Sign, last one first.
using Chain = std::vector<const SourceNode*>;

// The value that the node maps with constants alone; "" where it does something else.
std::string ArithmeticInput(const Analysis& analysis, const SourceNode& node) {
  static const std::set<std::string> kOps = {
      "Add", "Sub", "Mul", "Div", "Neg", "Abs", "Relu", "LeakyRelu", "PRelu", "Clip", "BatchNormalization"};
  if (kOps.count(node.op) == 0) return "";
  std::string variable;
  for (const std::string& input : node.inputs) {
    if (input.empty() || analysis.graph.FindConstant(input) != nullptr) continue;
    if (!variable.empty()) return "";
    variable = input;
  }
  return variable;
}

// The terms of one sum of a layer and the axis of its output channels in its weights; 0 where the layer is of no
// form that we know.
struct LayerShape {
  int64_t terms = 0;
  int64_t channels = 0;
  size_t weight_axis = 0;
  bool zero_padding = false;
};

LayerShape ShapeOf(const SourceNode& node, const Tensor& weights) {
  if (node.op == "Conv" && weights.dims.size() == 4) {
    const std::vector<int64_t> pads = node.Ints("pads", {});
    const bool padded = std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p > 0; });
    return {weights.dims[1] * weights.dims[2] * weights.dims[3], weights.dims[0], 0, padded};
  }
  if ((node.op == "MatMul" || node.op == "Gemm") && weights.dims.size() == 2) {
    const bool out_first = node.op == "Gemm" && node.Int("transB", 0) != 0;
    return {weights.dims[out_first ? 1 : 0], weights.dims[out_first ? 0 : 1], out_first ? size_t{0} : size_t{1}, false};
  }
  return {};
}

// Runs every accumulator that the layer can have through the chain, one accumulator a sample, and looks for a 0.
// Accumulators of {-a, +a} data are K, K-2, ..., -K times a*r; with zero padding those of fewer terms come too. For
// {0, s} data the sums are 0, s*r, ...: between -K and +K in any step.
bool ChainReachesZero(const Analysis& analysis, const SourceNode& layer, const Chain& chain) {
  const Tensor* weights = layer.HasInput(1) ? analysis.graph.FindConstant(layer.inputs[1]) : nullptr;
  const FewValued* data = layer.HasInput(0) ? analysis.Find(layer.inputs[0]) : nullptr;
  if (weights == nullptr || data == nullptr || !data->per_tensor()) return false;
  const LayerShape shape = ShapeOf(layer, *weights);
  const Dims& out = analysis.graph.FindValue(layer.outputs[0])->dims;
  constexpr int64_t kMaxTerms = 1 << 16;
  if (shape.terms < 1 || shape.terms > kMaxTerms || shape.channels < 1) return false;
  const Result<WeightMagnitudes> magnitudes = SymmetricMagnitudes(*weights, shape.weight_axis);
  if (!magnitudes.ok()) return false;

  const double low = data->low()[0], high = data->high()[0];
  if (!data->is_two_valued()) return low <= 0 && high >= 0;  // sums of few values that may be 0 or cancel out
  const bool symmetric = low == -high;
  const double unit = symmetric ? high : high - low;
  const int64_t step = symmetric && !shape.zero_padding ? 2 : 1;
  const int64_t sums = (2 * shape.terms) / step + 1;
  // One channel at a time would be slow, all at once large: the chain sees {sums, channels, 1, 1}.
  Dims dims(std::max<size_t>(out.size(), 2), 1);
  dims[0] = sums;
  dims[1] = shape.channels;
  if (CountElements(dims) > (int64_t{1} << 24)) return false;
  const Tensor* bias = layer.HasInput(2) ? analysis.graph.FindConstant(layer.inputs[2]) : nullptr;
  std::vector<float> values;
  for (int64_t i = 0; i < sums; ++i) {
    for (size_t c = 0; c < static_cast<size_t>(shape.channels); ++c) {
      const double b = bias == nullptr ? 0.0 : bias->floats[bias->floats.size() == 1 ? 0 : c % bias->floats.size()];
      const double sum = static_cast<double>(i * step - shape.terms) * unit * (*magnitudes)[c];
      values.push_back(static_cast<float>(sum + b));
    }
  }
  Tensor tensor = FloatTensor(dims, std::move(values));
  for (size_t i = chain.size(); i-- > 0;) {
    std::vector<const Tensor*> inputs;
    for (const std::string& input : chain[i]->inputs) {
      const Tensor* constant = analysis.graph.FindConstant(input);
      inputs.push_back(input.empty() ? nullptr : constant != nullptr ? constant : &tensor);
    }
    Result<std::vector<Tensor>> result = EvaluateNode(*chain[i], inputs);
    if (!result.ok()) return false;
    tensor = std::move((*result)[0]);
  }
  return std::any_of(tensor.floats.begin(), tensor.floats.end(), [](float v) { return v == 0; });
}

// The reason why this operator itself makes zeros, or "".
std::string MakesZero(const Analysis& analysis, const SourceNode& node) {
  const std::string where = " of node '" + node.name + "'";
  if (node.op == "Relu") return "the ReLU" + where;
  if (node.op == "Floor" || node.op == "Ceil" || node.op == "Round") return "the integers" + where;
  if (node.op == "Clip") {
    const float low = ClipLimit(analysis, node, 1, -1);
    const float high = ClipLimit(analysis, node, 2, 1);
    if (low == 0 || high == 0) return "the limit 0 of the Clip" + where;
  }
  if (node.op == "Pad" && node.String("mode", "constant") == "constant") {
    const Tensor* value = node.HasInput(2) ? analysis.graph.FindConstant(node.inputs[2]) : nullptr;
    if (value == nullptr || (value->size() == 1 && value->type == DType::kFloat32 && value->floats[0] == 0)) {
      return "the zero padding" + where;
    }
  }
  return "";
}

// The one reader of a value; nullptr where there are others, or where the value leaves the network.
const SourceNode* OnlyReader(const Analysis& analysis, const std::string& value) {
  const std::vector<const SourceNode*>& readers = analysis.index.Consumers(value);
  return readers.size() == 1 && !analysis.index.IsGraphOutput(value) ? readers[0] : nullptr;
}

bool IsComparison(const std::string& op) {
  return op == "Sign" || op == "BipolarQuant" || op == "Greater" || op == "GreaterOrEqual" || op == "Less" ||
         op == "LessOrEqual";
}

bool SamplesEqual(const Tensor& tensor, int64_t a, int64_t b) {
  const auto equal = [&](const auto& values) {
    const int64_t size = tensor.size() / tensor.dims[0];
    const auto begin = values.begin() + a * size;
    return std::equal(begin, begin + size, values.begin() + b * size);
  };
  return tensor.type == DType::kFloat32 ? equal(tensor.floats) : equal(tensor.integers);
}

}  // namespace

ZeroCounts ZeroForReaders(const Analysis& analysis, const SourceNode& sign) {
  // The three values of Sign as three samples of one element a channel, through its readers up to the next comparison.
  const Dims& dims = analysis.graph.FindValue(sign.outputs[0])->dims;
  if (dims.size() != 4 && dims.size() != 2) return ZeroCounts::kUndecided;
  Dims sample_dims(dims.size(), 1);
  sample_dims[0] = 3;
  sample_dims[1] = dims[1];
  std::vector<float> values;
  for (const float v : {-1.0f, 0.0f, 1.0f}) values.insert(values.end(), static_cast<size_t>(dims[1]), v);
  Tensor tensor = FloatTensor(sample_dims, std::move(values));
  constexpr int kMaxSteps = 4;
  std::string value = sign.outputs[0];
  for (int step = 0; step < kMaxSteps; ++step) {
    const SourceNode* node = OnlyReader(analysis, value);
    if (node == nullptr || (ArithmeticInput(analysis, *node).empty() && !IsComparison(node->op))) break;
    std::vector<const Tensor*> inputs;
    for (const std::string& input : node->inputs) {
      const Tensor* constant = analysis.graph.FindConstant(input);
      if (constant == nullptr && input != value) return ZeroCounts::kUndecided;
      // A constant that differs by sample or pixel would be seen in the wrong places.
      if (constant != nullptr && !PerChannel(*constant, dims)) return ZeroCounts::kUndecided;
      inputs.push_back(constant != nullptr ? constant : &tensor);
    }
    Result<std::vector<Tensor>> result = EvaluateNode(*node, inputs);
    if (!result.ok() || (*result)[0].dims != sample_dims) return ZeroCounts::kUndecided;
    tensor = std::move((*result)[0]);
    if (!IsComparison(node->op)) {
      value = node->outputs[0];
      continue;
    }
    if (SamplesEqual(tensor, 1, 2)) return ZeroCounts::kAsPlusOne;
    return SamplesEqual(tensor, 1, 0) ? ZeroCounts::kAsMinusOne : ZeroCounts::kUndecided;
  }
  return ZeroCounts::kUndecided;
}

std::string WhyZeroOccurs(const Analysis& analysis, const std::string& x) {
  Chain chain;
  std::string value = x;
  while (const SourceNode* node = analysis.index.Producer(value)) {
    // Further up, only what keeps a 0 a 0 may lie between; the chain of a binary layer is evaluated exactly instead.
    if (chain.empty()) {
      const std::string why = MakesZero(analysis, *node);
      if (!why.empty()) return why;
    }
    if (node->op == "Conv" || node->op == "MatMul" || node->op == "Gemm") {
      return ChainReachesZero(analysis, *node, chain) ? "the integer sums of the binary layer '" + node->name + "'"
                                                      : "";
    }
    if (const FewValued* pair = analysis.Find(value)) {
      const auto zero = [](float v) { return v == 0; };
      for (const ChannelNumbers& numbers : pair->values) {
        if (&numbers == &pair->high() && pair->is_two_valued()) break;
        if (std::any_of(numbers.begin(), numbers.end(), zero)) return "the value 0 of '" + value + "'";
      }
      return "";
    }
    if (OnlySelects(*node)) {
      value = node->inputs[0];
    } else {
      value = ArithmeticInput(analysis, *node);
      chain.push_back(node);
    }
  }
  return "";
}

bool IsNonNegative(const Analysis& analysis, const std::string& x) {
  std::string value = x;
  while (const SourceNode* node = analysis.index.Producer(value)) {
    if (node->op == "Relu" || node->op == "Abs" || node->op == "Sigmoid" || node->op == "Exp" || node->op == "Sqrt" ||
        node->op == "HardSigmoid" || node->op == "Softmax") {
      return true;
    }
    if (node->op == "Clip" && ClipLimit(analysis, *node, 1, -1) >= 0) return true;
    if (!OnlySelects(*node) && node->op != "AveragePool" && node->op != "GlobalAveragePool") return false;
    value = node->inputs[0];
  }
  return false;
}

}  // namespace bnn::formats::few_valued
