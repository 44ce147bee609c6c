// The parts of the few-valued analysis, one file each. See few_valued.h for the idea.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/passes/channels.h"
#include "formats/passes/few_valued.h"
#include "formats/source_graph.h"

namespace bnn::formats::few_valued {

// What the rules share. A rule that applies returns the property of the node's (first) output; one that almost applies
// returns nothing and leaves the reason in result.refusals.
struct Analysis {
  Analysis(const SourceGraph& source_graph, SignOfZero sign)
      : graph(source_graph), index(source_graph), sign_of_zero(sign) {}

  const FewValued* Find(const std::string& value) const {
    const auto it = result.values.find(value);
    return it == result.values.end() ? nullptr : &it->second;
  }
  void Refuse(const SourceNode& node, std::string reason) { result.refusals[node.outputs[0]] = std::move(reason); }

  const SourceGraph& graph;
  GraphIndex index;
  SignOfZero sign_of_zero;
  FewValuedResult result;
  // Values by thresholds, so that equal thresholds of one x share their levels.
  std::map<std::pair<std::string, std::vector<ChannelNumbers>>, std::string> thresholds;
};

// Elementwise operators whose inputs are constants and values that share their levels: the very operation maps the
// value of each level.
std::optional<FewValued> MapElementwise(Analysis& analysis, const SourceNode& node);

// BipolarQuant, FakeQuantize with few levels, Sign and comparisons of a real-valued x.
std::optional<FewValued> FromThreshold(Analysis& analysis, const SourceNode& node);

// Floor, Ceil and Round at the end of a rising chain of arithmetic that limits its result to a few integers.
std::optional<FewValued> FromRounding(Analysis& analysis, const SourceNode& node);

// Operators that only move or select elements.
std::optional<FewValued> FromMove(Analysis& analysis, const SourceNode& node);

// Why 0 is a value that x is certain to take (so that Sign(x) has three values), or "".
std::string WhyZeroOccurs(const Analysis& analysis, const std::string& x);

// What the readers of a Sign make of its 0, where they give it the value of -1 or of +1: sign(sign(x) + 0.1), as Larq
// writes it, makes 0 a +1. Then Sign is two-valued exactly.
enum class ZeroCounts { kUndecided, kAsMinusOne, kAsPlusOne };
ZeroCounts ZeroForReaders(const Analysis& analysis, const SourceNode& sign);

// True where x >= 0 follows from the operator that makes it.
bool IsNonNegative(const Analysis& analysis, const std::string& x);

// For each channel and each level from 1 to `levels` - 1 the smallest x at which the level is reached, found by
// bisection over all floats, with the interpreter's own roundings. `level(x)` gives the level of one x a channel; it
// does not fall as x rises from -inf to +inf.
using LevelFunction = std::function<Result<std::vector<int64_t>>(const std::vector<float>& x)>;
Result<std::vector<ChannelNumbers>> FindThresholds(size_t channels, int64_t levels, const LevelFunction& level);

// One element where all are equal.
std::vector<float> Collapse(std::vector<float> values);
// The same of every level, where it can be done with all of them.
void CollapseAll(std::vector<ChannelNumbers>* numbers);

}  // namespace bnn::formats::few_valued
