// Operators that make few values of a real-valued x by comparing it with thresholds.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/few_valued_internal.h"

namespace bnn::formats::few_valued {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

FewValued MakeThreshold(std::string source, ChannelNumbers thresholds, ChannelNumbers low, ChannelNumbers high) {
  FewValued value;
  value.source = std::move(source);
  value.thresholds = {Collapse(std::move(thresholds))};
  value.values = {std::move(low), std::move(high)};
  CollapseAll(&value.values);
  return value;
}

// The constant input `index` of an elementwise node, per channel of the node's output; or a refusal.
std::optional<std::vector<float>> ConstantInput(Analysis& analysis, const SourceNode& node, size_t index,
                                                const char* what) {
  const Tensor* constant = node.HasInput(index) ? analysis.graph.FindConstant(node.inputs[index]) : nullptr;
  if (constant == nullptr) {
    analysis.Refuse(node, std::string("its ") + what + " is not constant");
    return std::nullopt;
  }
  std::optional<std::vector<float>> values = PerChannel(*constant, analysis.graph.FindValue(node.outputs[0])->dims);
  if (!values) {
    analysis.Refuse(node, std::string("its ") + what + " " + DimsToString(constant->dims) +
                              " varies along an axis that is not the channel axis");
    return std::nullopt;
  }
  for (const float v : *values) {
    if (!std::isnan(v)) continue;
    analysis.Refuse(node, std::string("its ") + what + " holds NaN");
    return std::nullopt;
  }
  return values;
}

std::optional<FewValued> FromBipolarQuant(Analysis& analysis, const SourceNode& node) {
  const std::optional<std::vector<float>> scale = ConstantInput(analysis, node, 1, "scale");
  if (!scale) return std::nullopt;
  std::vector<float> low = *scale;
  for (float& v : low) v = -v;
  return MakeThreshold(node.inputs[0], {0.0f}, std::move(low), *scale);
}

// FakeQuantize over all channels at once.
class Quantizer {
 public:
  Quantizer(const SourceNode& node, std::vector<ChannelNumbers> limits, size_t channels)
      : node_(node), levels_(node.Int("levels", 0)), channels_(channels) {
    for (ChannelNumbers& limit : limits) {
      if (limit.size() == 1) limit.assign(channels, limit[0]);
      limits_.push_back(std::move(limit));
    }
  }

  const ChannelNumbers& input_low() const { return limits_[0]; }
  const ChannelNumbers& input_high() const { return limits_[1]; }
  const ChannelNumbers& output_low() const { return limits_[2]; }
  const ChannelNumbers& output_high() const { return limits_[3]; }

  // The interpreter's own result for one x per channel.
  Result<ChannelNumbers> operator()(const ChannelNumbers& x) const { return Evaluate(x, limits_[2], limits_[3]); }

  // The level of one x per channel. Between 0 and levels - 1 instead of its own output limits, the formula gives the
  // level itself, but for its roundings.
  Result<std::vector<int64_t>> Level(const ChannelNumbers& x) const {
    const ChannelNumbers zero(channels_, 0.0f), most(channels_, static_cast<float>(levels_ - 1));
    BNN_ASSIGN_OR_RETURN(const ChannelNumbers y, Evaluate(x, zero, most));
    std::vector<int64_t> levels;
    for (const float v : y) levels.push_back(std::lround(v));
    return levels;
  }

  // Where input_low <= input_high, levels rise with x. Where input_low is above input_high, x <= input_high gives
  // level 0, then come the levels from the highest to the lowest, and above input_low the highest again. That rises
  // only where the part between is at level 0: the limits are next to one another.
  Result<bool> Rises() const {
    ChannelNumbers first(channels_);  // the first x above the lower limit
    for (size_t c = 0; c < channels_; ++c) {
      first[c] = std::nextafter(std::min(input_low()[c], input_high()[c]), kInfinity);
    }
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> level, Level(first));
    for (size_t c = 0; c < channels_; ++c) {
      if (input_low()[c] > input_high()[c] && level[c] != 0) return false;
    }
    return true;
  }

 private:
  Result<ChannelNumbers> Evaluate(const ChannelNumbers& x, const ChannelNumbers& low,
                                  const ChannelNumbers& high) const {
    const auto tensor = [&](const ChannelNumbers& numbers) {
      return FloatTensor({static_cast<int64_t>(channels_)}, numbers);
    };
    const Tensor input = tensor(x), from = tensor(limits_[0]), to = tensor(limits_[1]);
    const Tensor out_from = tensor(low), out_to = tensor(high);
    BNN_ASSIGN_OR_RETURN(std::vector<Tensor> out, EvaluateNode(node_, {&input, &from, &to, &out_from, &out_to}));
    return std::move(out[0].floats);
  }

  const SourceNode& node_;
  int64_t levels_;
  size_t channels_;
  std::vector<ChannelNumbers> limits_;
};

// The levels and their values. Of two levels, the values are the output limits; between its input limits the formula
// rounds the higher one differently.
Result<FewValued> QuantizedValue(Analysis& analysis, const SourceNode& node, const Quantizer& quantize,
                                 size_t channels) {
  const int64_t levels = node.Int("levels", 0);
  BNN_ASSIGN_OR_RETURN(const bool rises, quantize.Rises());
  if (!rises) return Unsupported("input_low is above input_high, which is not monotone and so no threshold");
  FewValued value;
  value.source = node.inputs[0];
  BNN_ASSIGN_OR_RETURN(value.thresholds,
                       FindThresholds(channels, levels, [&](const ChannelNumbers& x) { return quantize.Level(x); }));
  value.values.push_back(quantize.output_low());
  for (const ChannelNumbers& at : value.thresholds) {
    BNN_ASSIGN_OR_RETURN(ChannelNumbers y, quantize(at));
    value.values.push_back(std::move(y));
  }
  if (levels == 2 && value.values[1] != quantize.output_high()) {
    value.values[1] = quantize.output_high();
    analysis.result.notes[node.name] =
        "FakeQuantize: between its input limits the formula rounds output_high differently in the last bit; "
        "output_high itself is used";
  }
  CollapseAll(&value.thresholds);
  CollapseAll(&value.values);
  return value;
}

std::optional<FewValued> FromFakeQuantize(Analysis& analysis, const SourceNode& node) {
  const int64_t levels = node.Int("levels", 0);
  if (levels < 2 || levels > static_cast<int64_t>(kMaxFewValues)) {
    analysis.Refuse(node, "FakeQuantize with " + std::to_string(levels) + " levels");
    return std::nullopt;
  }
  static constexpr const char* kNames[] = {"input_low", "input_high", "output_low", "output_high"};
  std::vector<ChannelNumbers> limits;
  for (size_t i = 0; i < 4; ++i) {
    std::optional<ChannelNumbers> limit = ConstantInput(analysis, node, i + 1, kNames[i]);
    if (!limit) return std::nullopt;
    limits.push_back(std::move(*limit));
  }
  const size_t channels = NumberOfChannels(limits);
  const Quantizer quantize(node, std::move(limits), channels);
  for (size_t c = 0; c < channels; ++c) {
    if (std::isfinite(quantize.input_low()[c]) && std::isfinite(quantize.input_high()[c])) continue;
    analysis.Refuse(node, "its input limits are not finite");
    return std::nullopt;
  }
  Result<FewValued> value = QuantizedValue(analysis, node, quantize, channels);
  if (value.ok()) return *std::move(value);
  analysis.Refuse(node, value.status().message());
  return std::nullopt;
}

std::optional<FewValued> FromSign(Analysis& analysis, const SourceNode& node) {
  const std::string& x = node.inputs[0];
  const float after_zero = std::nextafter(0.0f, 1.0f);
  if (IsNonNegative(analysis, x)) return MakeThreshold(x, {after_zero}, {0.0f}, {1.0f});
  switch (ZeroForReaders(analysis, node)) {
    case ZeroCounts::kAsPlusOne:
      return MakeThreshold(x, {0.0f}, {-1.0f}, {1.0f});
    case ZeroCounts::kAsMinusOne:
      return MakeThreshold(x, {after_zero}, {-1.0f}, {1.0f});
    case ZeroCounts::kUndecided:
      break;
  }
  switch (analysis.sign_of_zero) {
    case SignOfZero::kPlus:
      return MakeThreshold(x, {0.0f}, {-1.0f}, {1.0f});
    case SignOfZero::kMinus:
      return MakeThreshold(x, {after_zero}, {-1.0f}, {1.0f});
    case SignOfZero::kAuto:
      break;
  }
  const std::string why = WhyZeroOccurs(analysis, x);
  if (!why.empty()) {
    analysis.Refuse(node, "Sign gives 0 for 0, and its input takes that value: " + why +
                              " (decide with --sign-zero plus or minus)");
    return std::nullopt;
  }
  analysis.result.notes[node.name] = "Sign(0) counts as +1; its input is real-valued, so 0 is not expected";
  return MakeThreshold(x, {0.0f}, {-1.0f}, {1.0f});
}

struct Comparison {
  bool greater;  // x > c or x >= c
  bool strict;
};

std::optional<Comparison> ComparisonOf(const std::string& op) {
  if (op == "Greater") return Comparison{true, true};
  if (op == "GreaterOrEqual") return Comparison{true, false};
  if (op == "Less") return Comparison{false, true};
  if (op == "LessOrEqual") return Comparison{false, false};
  return std::nullopt;
}

// x > c is x >= nextafter(c); x < c is the complement of x >= c, so it has the bits of x >= c and a reversed pair.
std::optional<FewValued> FromComparison(Analysis& analysis, const SourceNode& node, Comparison comparison) {
  const bool constant_first = analysis.graph.FindConstant(node.inputs[0]) != nullptr;
  const std::string& x = node.inputs[constant_first ? 1 : 0];
  if (constant_first) comparison.greater = !comparison.greater;  // c < x is x > c
  std::optional<std::vector<float>> thresholds = ConstantInput(analysis, node, constant_first ? 0 : 1, "other operand");
  if (!thresholds) return std::nullopt;
  if (comparison.greater == comparison.strict) {
    for (float& t : *thresholds) {
      if (t == kInfinity) {
        analysis.Refuse(node, "it compares strictly with infinity");
        return std::nullopt;
      }
      t = std::nextafter(t, kInfinity);
    }
  }
  const float low = comparison.greater ? 0.0f : 1.0f;
  return MakeThreshold(x, std::move(*thresholds), {low}, {1.0f - low});
}

}  // namespace

std::optional<FewValued> FromThreshold(Analysis& analysis, const SourceNode& node) {
  const std::optional<Comparison> comparison = ComparisonOf(node.op);
  if (!comparison && node.op != "BipolarQuant" && node.op != "FakeQuantize" && node.op != "Sign") return std::nullopt;
  const bool constant_first = analysis.graph.FindConstant(node.inputs[0]) != nullptr;
  const ValueInfo* x = analysis.graph.FindValue(node.inputs[comparison && constant_first ? 1 : 0]);
  const Dims& dims = analysis.graph.FindValue(node.outputs[0])->dims;
  if (x->type != DType::kFloat32 || dims.empty()) return std::nullopt;
  if (x->dims != dims) {
    analysis.Refuse(node, "its constants enlarge " + DimsToString(x->dims) + " to " + DimsToString(dims));
    return std::nullopt;
  }
  if (comparison) return FromComparison(analysis, node, *comparison);
  if (node.op == "BipolarQuant") return FromBipolarQuant(analysis, node);
  if (node.op == "FakeQuantize") return FromFakeQuantize(analysis, node);
  return FromSign(analysis, node);
}

}  // namespace bnn::formats::few_valued
