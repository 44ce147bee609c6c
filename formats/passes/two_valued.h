// The two-valued analysis: which values of a source graph hold only two values {low, high}, and why.
//
// Sources write binarization in many ways. Instead of matching spellings, this analysis finds every value whose
// elements take only two values, per tensor or per channel, and what decides between them: a threshold on another
// value, or a constant. The property flows through operators that only move elements and through elementwise arithmetic
// with constants. lower/ then makes a binary layer of each Conv/MatMul/Gemm whose two inputs qualify.
//
//   value = bit ? high : low,   bit = x >= threshold   (x: `source`)
//
// Polarity is in the pair: high may be smaller than low ("high" is the value of bit 1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

enum class SignOfZero : uint8_t {
  kAuto,  // as kPlus where the input is real-valued; not two-valued where 0 is certain to occur (integers, padding,
          // ReLU)
  kPlus,  // Sign(0) counts as +1
  kMinus  // Sign(0) counts as -1
};

struct TwoValued {
  // One element (per tensor) or one per channel, along ChannelAxis() of the value's rank.
  std::vector<float> low;
  std::vector<float> high;

  // The value whose bits these are. Arithmetic with constants changes the pair, not the bits, so a whole chain of it
  // shares the bits of the value where it begins: one that a threshold made, or one to which an operator moved bits.
  std::string bits;

  // Where a threshold makes these bits (bits == this value): x and its thresholds, one or one per channel. Values that
  // inherited the property by moving elements or by arithmetic have none of their own (source is empty).
  std::string source;
  std::vector<float> thresholds;

  bool per_tensor() const { return low.size() == 1; }
};

// The axis along which pairs, thresholds and per-channel constants may vary: 1 of NCHW maps, else the last one.
int64_t ChannelAxis(size_t rank);

struct TwoValuedResult {
  std::map<std::string, TwoValued> values;
  // Why a value that looks like a binarization is none: value name -> reason, for the report.
  std::map<std::string, std::string> refusals;
  // Assumptions that were made (Sign(0)), node name -> text, for the report.
  std::map<std::string, std::string> notes;
};

Result<TwoValuedResult> AnalyzeTwoValued(const SourceGraph& graph, SignOfZero sign_of_zero);

}  // namespace bnn::formats
