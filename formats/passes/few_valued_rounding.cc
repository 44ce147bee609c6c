// Rounding to few integers, however its range is limited: Round(Clip(x / s)), Floor(Clip(x) * 3 + 0.5), ...
//
// What stands between x and the rounding is arithmetic with constants that rises with x. Then the result rises with x
// as well, in steps, so it is known from where its steps are, and these are found by running the very operators: no
// pattern of theirs needs to be recognized, and none of their roundings to be understood. The least and the greatest
// result are those of -inf and +inf.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/few_valued_internal.h"

namespace bnn::formats::few_valued {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Order-preserving map of floats to integers, so that one can bisect over every float between two.
int64_t OrderOf(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return bits >= 0 ? bits : std::numeric_limits<int32_t>::min() - int64_t{bits};
}
float FloatAt(int64_t order) {
  const int64_t bits = order >= 0 ? order : std::numeric_limits<int32_t>::min() - order;
  return std::bit_cast<float>(static_cast<int32_t>(bits));
}

bool IsRounding(const std::string& op) { return op == "Round" || op == "Floor" || op == "Ceil"; }

// The position of the node's one input that is no constant, where the node rises with it; nothing otherwise.
std::optional<size_t> RisingInput(const Analysis& analysis, const SourceNode& node) {
  if (node.outputs.size() != 1 || node.inputs.empty()) return std::nullopt;
  static const std::set<std::string> kRising = {"Identity", "Clip", "Relu", "Round", "Floor", "Ceil"};
  if (kRising.count(node.op) > 0) {
    const auto is_constant = [&](const std::string& input) {
      return input.empty() || analysis.graph.FindConstant(input) != nullptr;
    };
    if (is_constant(node.inputs[0]) || !std::all_of(node.inputs.begin() + 1, node.inputs.end(), is_constant)) {
      return std::nullopt;
    }
    return 0;
  }
  static const std::set<std::string> kArithmetic = {"Add", "Sub", "Mul", "Div", "Max", "Min"};
  if (kArithmetic.count(node.op) == 0 || node.inputs.size() != 2) return std::nullopt;
  const size_t variable = analysis.graph.FindConstant(node.inputs[0]) != nullptr ? 1 : 0;
  const Tensor* constant = analysis.graph.FindConstant(node.inputs[1 - variable]);
  if (constant == nullptr || analysis.graph.FindConstant(node.inputs[variable]) != nullptr) return std::nullopt;
  if (constant->type != DType::kFloat32) return std::nullopt;
  const bool is_factor = node.op == "Mul" || node.op == "Div";
  if ((node.op == "Sub" || node.op == "Div") && variable == 1) return std::nullopt;  // c - x falls
  const auto fits = [&](float v) { return is_factor ? std::isfinite(v) && v > 0 : !std::isnan(v); };
  if (!std::all_of(constant->floats.begin(), constant->floats.end(), fits)) return std::nullopt;
  return variable;
}

// From x to a rounding: the nodes in order, and which of their inputs is the variable.
struct RisingChain {
  struct Link {
    const SourceNode* node;
    size_t variable;
  };
  std::string source;
  std::vector<Link> links;
};

RisingChain FindChain(const Analysis& analysis, const SourceNode& rounding) {
  RisingChain chain;
  const SourceNode* node = &rounding;
  const ValueInfo* result = analysis.graph.FindValue(rounding.outputs[0]);
  while (node != nullptr) {
    const std::optional<size_t> variable = RisingInput(analysis, *node);
    if (!variable) break;
    const std::string& input = node->inputs[*variable];
    const ValueInfo* info = analysis.graph.FindValue(input);
    if (info->type != DType::kFloat32 || info->dims != result->dims) break;
    chain.links.insert(chain.links.begin(), {node, *variable});
    chain.source = input;
    node = analysis.index.Producer(input);
  }
  return chain;
}

// The chain over one x per channel of `info`, the map or vector that it works on.
class ChainFunction {
 public:
  ChainFunction(const Analysis& analysis, const RisingChain& chain, const ValueInfo& info)
      : analysis_(analysis), chain_(chain), dims_(info.dims.size(), 1) {
    const auto axis = static_cast<size_t>(ChannelAxis(dims_.size()));
    dims_[axis] = info.dims[axis];
  }

  size_t channels() const { return static_cast<size_t>(CountElements(dims_)); }

  Result<ChannelNumbers> operator()(const ChannelNumbers& x) const {
    Tensor value = FloatTensor(dims_, x);
    for (const RisingChain::Link& link : chain_.links) {
      std::vector<const Tensor*> inputs;
      for (size_t i = 0; i < link.node->inputs.size(); ++i) {
        inputs.push_back(i == link.variable ? &value : analysis_.graph.FindConstant(link.node->inputs[i]));
      }
      BNN_ASSIGN_OR_RETURN(std::vector<Tensor> out, EvaluateNode(*link.node, inputs));
      if (out[0].dims != dims_) return Unsupported("its constants vary along an axis that is not the channel axis");
      value = std::move(out[0]);
    }
    return std::move(value.floats);
  }

 private:
  const Analysis& analysis_;
  const RisingChain& chain_;
  Dims dims_;
};

// The few values of the chain, or why there are none.
Result<FewValued> RoundedValue(const RisingChain& chain, const ChainFunction& function) {
  const size_t channels = function.channels();
  BNN_ASSIGN_OR_RETURN(const ChannelNumbers least, function(ChannelNumbers(channels, -kInfinity)));
  BNN_ASSIGN_OR_RETURN(const ChannelNumbers most, function(ChannelNumbers(channels, kInfinity)));
  double range = 0;
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(least[c]) || !std::isfinite(most[c])) return Unsupported("its range is not limited");
    range = std::max(range, static_cast<double>(most[c]) - static_cast<double>(least[c]));
  }
  if (range < 1 || range >= static_cast<double>(kMaxFewValues)) {
    return Unsupported("its integers are " + std::to_string(static_cast<int64_t>(range) + 1) + " values, not 2 to " +
                       std::to_string(kMaxFewValues));
  }
  const auto levels = static_cast<int64_t>(range) + 1;
  FewValued value;
  value.source = chain.source;
  BNN_ASSIGN_OR_RETURN(value.thresholds,
                       FindThresholds(channels, levels, [&](const ChannelNumbers& x) -> Result<std::vector<int64_t>> {
                         BNN_ASSIGN_OR_RETURN(const ChannelNumbers y, function(x));
                         std::vector<int64_t> level(channels);
                         for (size_t c = 0; c < channels; ++c) level[c] = static_cast<int64_t>(y[c] - least[c]);
                         return level;
                       }));
  for (int64_t level = 0; level < levels; ++level) {
    ChannelNumbers numbers = least;
    for (float& v : numbers) v += static_cast<float>(level);
    value.values.push_back(std::move(numbers));
  }
  CollapseAll(&value.thresholds);
  CollapseAll(&value.values);
  return value;
}

}  // namespace

Result<std::vector<ChannelNumbers>> FindThresholds(size_t channels, int64_t levels, const LevelFunction& level) {
  const int64_t lowest = OrderOf(-kInfinity), highest = OrderOf(kInfinity);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> at_lowest, level(ChannelNumbers(channels, -kInfinity)));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> at_highest, level(ChannelNumbers(channels, kInfinity)));
  std::vector<ChannelNumbers> thresholds;
  for (int64_t wanted = 1; wanted < levels; ++wanted) {
    std::vector<int64_t> below(channels, lowest), above(channels, highest);
    // At most 2^32 floats lie between the limits, so 33 halvings leave neighbours.
    ChannelNumbers x(channels);
    for (int step = 0; step < 33; ++step) {
      const auto middle = [&](size_t c) { return below[c] + (above[c] - below[c]) / 2; };
      for (size_t c = 0; c < channels; ++c) x[c] = FloatAt(middle(c));
      BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> reached, level(x));
      for (size_t c = 0; c < channels; ++c) (reached[c] < wanted ? below[c] : above[c]) = middle(c);
    }
    for (size_t c = 0; c < channels; ++c) {
      if (at_lowest[c] >= wanted) {
        x[c] = -kInfinity;
      } else if (at_highest[c] < wanted) {
        return Unsupported("level " + std::to_string(wanted) + " is never reached");
      } else {
        x[c] = FloatAt(above[c]);
      }
    }
    thresholds.push_back(x);
  }
  return thresholds;
}

std::optional<FewValued> FromRounding(Analysis& analysis, const SourceNode& node) {
  if (!IsRounding(node.op) || node.outputs.size() != 1) return std::nullopt;
  const ValueInfo* info = analysis.graph.FindValue(node.outputs[0]);
  if (info->type != DType::kFloat32 || info->dims.empty()) return std::nullopt;
  const RisingChain chain = FindChain(analysis, node);
  if (chain.links.empty()) return std::nullopt;
  Result<FewValued> value = RoundedValue(chain, ChainFunction(analysis, chain, *info));
  if (value.ok()) return *std::move(value);
  analysis.Refuse(node, node.op + ": " + value.status().message());
  return std::nullopt;
}

}  // namespace bnn::formats::few_valued
