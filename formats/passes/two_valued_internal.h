// The parts of the two-valued analysis, one file each. See two_valued.h for the idea.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/passes/channels.h"
#include "formats/passes/two_valued.h"
#include "formats/source_graph.h"

namespace bnn::formats::two_valued {

// What the rules share. A rule that applies returns the property of the node's (first) output; one that almost applies
// returns nothing and leaves the reason in result.refusals.
struct Analysis {
  Analysis(const SourceGraph& source_graph, SignOfZero sign)
      : graph(source_graph), index(source_graph), sign_of_zero(sign) {}

  const TwoValued* Find(const std::string& value) const {
    const auto it = result.values.find(value);
    return it == result.values.end() ? nullptr : &it->second;
  }
  void Refuse(const SourceNode& node, std::string reason) { result.refusals[node.outputs[0]] = std::move(reason); }

  const SourceGraph& graph;
  GraphIndex index;
  SignOfZero sign_of_zero;
  TwoValuedResult result;
  // Values by threshold, so that equal thresholds of one x share their bits.
  std::map<std::pair<std::string, std::vector<float>>, std::string> thresholds;
};

// Elementwise operators whose inputs are constants and values that share their bits: the very operation maps low and
// high.
std::optional<TwoValued> MapElementwise(Analysis& analysis, const SourceNode& node);

// BipolarQuant, FakeQuantize with two levels, Sign and comparisons of a real-valued x.
std::optional<TwoValued> FromThreshold(Analysis& analysis, const SourceNode& node);

// Operators that only move or select elements.
std::optional<TwoValued> FromMove(Analysis& analysis, const SourceNode& node);

// Why 0 is a value that x is certain to take (so that Sign(x) has three values), or "".
std::string WhyZeroOccurs(const Analysis& analysis, const std::string& x);

// What the readers of a Sign make of its 0, where they give it the value of -1 or of +1: sign(sign(x) + 0.1), as Larq
// writes it, makes 0 a +1. Then Sign is two-valued exactly.
enum class ZeroCounts { kUndecided, kAsMinusOne, kAsPlusOne };
ZeroCounts ZeroForReaders(const Analysis& analysis, const SourceNode& sign);

// True where x >= 0 follows from the operator that makes it.
bool IsNonNegative(const Analysis& analysis, const std::string& x);

// One element where all are equal.
std::vector<float> Collapse(std::vector<float> values);
void CollapsePair(TwoValued* pair);

}  // namespace bnn::formats::two_valued
