// Operators that make two values of a real-valued x by comparing it with a threshold.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/two_valued_internal.h"

namespace bnn::formats::two_valued {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TwoValued MakeThreshold(std::string source, std::vector<float> thresholds, std::vector<float> low,
                        std::vector<float> high) {
  TwoValued value;
  value.source = std::move(source);
  value.thresholds = Collapse(std::move(thresholds));
  value.low = std::move(low);
  value.high = std::move(high);
  CollapsePair(&value);
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

std::optional<TwoValued> FromBipolarQuant(Analysis& analysis, const SourceNode& node) {
  const std::optional<std::vector<float>> scale = ConstantInput(analysis, node, 1, "scale");
  if (!scale) return std::nullopt;
  std::vector<float> low = *scale;
  for (float& v : low) v = -v;
  return MakeThreshold(node.inputs[0], {0.0f}, std::move(low), *scale);
}

// Order-preserving map of floats to integers, so that one can bisect over every float between two.
int64_t OrderOf(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return bits >= 0 ? bits : std::numeric_limits<int32_t>::min() - int64_t{bits};
}
float FloatAt(int64_t order) {
  const int64_t bits = order >= 0 ? order : std::numeric_limits<int32_t>::min() - order;
  return std::bit_cast<float>(static_cast<int32_t>(bits));
}

// FakeQuantize with two levels, over all channels at once.
class TwoLevelQuantizer {
 public:
  TwoLevelQuantizer(const SourceNode& node, std::vector<std::vector<float>> limits, int64_t channels)
      : node_(node), channels_(channels) {
    for (std::vector<float>& limit : limits) {
      if (limit.size() == 1) limit.assign(static_cast<size_t>(channels), limit[0]);
      limits_.push_back(FloatTensor({channels}, std::move(limit)));
    }
  }

  const std::vector<float>& input_low() const { return limits_[0].floats; }
  const std::vector<float>& input_high() const { return limits_[1].floats; }
  const std::vector<float>& output_low() const { return limits_[2].floats; }
  const std::vector<float>& output_high() const { return limits_[3].floats; }

  // The interpreter's own result for one x per channel.
  Result<std::vector<float>> operator()(const std::vector<float>& x) const {
    const Tensor input = FloatTensor({channels_}, x);
    BNN_ASSIGN_OR_RETURN(std::vector<Tensor> out,
                         EvaluateNode(node_, {&input, &limits_[0], &limits_[1], &limits_[2], &limits_[3]}));
    return std::move(out[0].floats);
  }

  // Where input_low <= input_high, the result is output_low up to some x and output_high above it. Where input_low is
  // above input_high, x <= input_high gives output_low, then come output_high, output_low from the middle on, and above
  // input_low output_high again. That is a threshold only where the second part is empty: the limits are next to one
  // another.
  Result<bool> IsThreshold() const {
    std::vector<float> first(input_low());  // the first x above the lower limit
    for (size_t c = 0; c < first.size(); ++c) {
      first[c] = std::nextafter(std::min(input_low()[c], input_high()[c]), kInfinity);
    }
    BNN_ASSIGN_OR_RETURN(const std::vector<float> y, (*this)(first));
    for (size_t c = 0; c < y.size(); ++c) {
      if (input_low()[c] > input_high()[c] && y[c] != output_low()[c]) return false;
    }
    return true;
  }

  // The smallest x per channel whose result is not output_low. At most 2^32 floats lie between the limits, so 33
  // halvings find it exactly, rounding rule included.
  Result<std::vector<float>> Thresholds() const {
    const auto n = static_cast<size_t>(channels_);
    std::vector<int64_t> below(n), above(n);  // floats whose result is output_low, and is not
    for (size_t c = 0; c < n; ++c) {
      below[c] = OrderOf(std::min(input_low()[c], input_high()[c]));
      above[c] = OrderOf(std::nextafter(std::max(input_low()[c], input_high()[c]), kInfinity));
    }
    std::vector<float> x(n);
    for (int step = 0; step < 33; ++step) {
      for (size_t c = 0; c < n; ++c) x[c] = FloatAt(below[c] + (above[c] - below[c]) / 2);
      BNN_ASSIGN_OR_RETURN(const std::vector<float> y, (*this)(x));
      for (size_t c = 0; c < n; ++c) {
        const int64_t middle = below[c] + (above[c] - below[c]) / 2;
        (y[c] == output_low()[c] ? below[c] : above[c]) = middle;
      }
    }
    for (size_t c = 0; c < n; ++c) x[c] = FloatAt(above[c]);
    return x;
  }

 private:
  const SourceNode& node_;
  int64_t channels_;
  std::vector<Tensor> limits_;
};

std::optional<TwoValued> FromFakeQuantize(Analysis& analysis, const SourceNode& node) {
  const int64_t levels = node.Int("levels", 0);
  if (levels != 2) {
    analysis.Refuse(node, "FakeQuantize with " + std::to_string(levels) + " levels");
    return std::nullopt;
  }
  static constexpr const char* kNames[] = {"input_low", "input_high", "output_low", "output_high"};
  std::vector<std::vector<float>> limits;
  size_t channels = 1;
  for (size_t i = 0; i < 4; ++i) {
    std::optional<std::vector<float>> limit = ConstantInput(analysis, node, i + 1, kNames[i]);
    if (!limit) return std::nullopt;
    channels = std::max(channels, limit->size());
    limits.push_back(std::move(*limit));
  }
  const TwoLevelQuantizer quantize(node, limits, static_cast<int64_t>(channels));
  for (size_t c = 0; c < channels; ++c) {
    if (std::isfinite(quantize.input_low()[c]) && std::isfinite(quantize.input_high()[c])) continue;
    analysis.Refuse(node, "its input limits are not finite");
    return std::nullopt;
  }
  if (const Result<bool> is_threshold = quantize.IsThreshold(); !is_threshold.ok() || !*is_threshold) {
    analysis.Refuse(node, "input_low is above input_high, which is not monotone and so no threshold");
    return std::nullopt;
  }
  Result<std::vector<float>> thresholds = quantize.Thresholds();
  if (!thresholds.ok()) {
    analysis.Refuse(node, thresholds.status().message());
    return std::nullopt;
  }
  // Between the limits the result is (output_high - output_low) + output_low, which rounds.
  Result<std::vector<float>> at_threshold = quantize(*thresholds);
  for (size_t c = 0; at_threshold.ok() && c < channels; ++c) {
    if ((*at_threshold)[c] == quantize.output_high()[c]) continue;
    analysis.result.notes[node.name] =
        "FakeQuantize: between its input limits the formula rounds output_high differently in the last bit; "
        "output_high itself is used";
  }
  return MakeThreshold(node.inputs[0], std::move(*thresholds), quantize.output_low(), quantize.output_high());
}

std::optional<TwoValued> FromSign(Analysis& analysis, const SourceNode& node) {
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
std::optional<TwoValued> FromComparison(Analysis& analysis, const SourceNode& node, Comparison comparison) {
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

std::optional<TwoValued> FromThreshold(Analysis& analysis, const SourceNode& node) {
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

}  // namespace bnn::formats::two_valued
