// The few-valued analysis: which values of a source graph hold only a few values, 2 to 16, and why.
//
// Sources write quantization in many ways. Instead of matching spellings, this analysis finds every value whose
// elements take few values, per tensor or per channel, and what decides between them: thresholds on another value, or a
// constant. The property flows through operators that only move elements and through elementwise arithmetic with
// constants. lower/ then makes a binary layer of each Conv/MatMul/Gemm whose weights are two-valued and whose data lie
// on a grid.
//
//   value = values[q],   q = the number of thresholds t with x >= t   (x: `source`)
//
// Of two values q is a bit, values[0] is called low and values[1] high. Polarity is in the values: they may fall with
// q.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

inline constexpr size_t kMaxFewValues = 16;  // levels of 4 bits

enum class SignOfZero : uint8_t {
  kAuto,  // as kPlus where the input is real-valued; not two-valued where 0 is certain to occur (integers, padding,
          // ReLU)
  kPlus,  // Sign(0) counts as +1
  kMinus  // Sign(0) counts as -1
};

// Numbers that hold for the whole tensor (one element) or for each channel, along ChannelAxis() of the value's rank.
using ChannelNumbers = std::vector<float>;

struct FewValued {
  std::vector<ChannelNumbers> values;  // by level

  // The value whose levels these are. Arithmetic with constants changes the values, not the levels, so a whole chain of
  // it shares the levels of the value where it begins: one that thresholds made, or one to which an operator moved
  // them.
  std::string bits;

  // Where thresholds make these levels (bits == this value): x and the thresholds, those of level 1 first. Values that
  // inherited the property by moving elements or by arithmetic have none of their own (source is empty).
  std::string source;
  std::vector<ChannelNumbers> thresholds;

  size_t levels() const { return values.size(); }
  bool is_two_valued() const { return values.size() == 2; }
  const ChannelNumbers& low() const { return values.front(); }
  const ChannelNumbers& high() const { return values.back(); }
  bool per_tensor() const;
};

// Element `channel` of numbers that may be one for all.
inline float NumberOf(const ChannelNumbers& numbers, size_t channel) {
  return numbers[numbers.size() == 1 ? 0 : channel];
}

// The most elements that some of them have: 1, or the number of channels.
size_t NumberOfChannels(const std::vector<ChannelNumbers>& numbers);

// The axis along which values, thresholds and per-channel constants may vary: 1 of NCHW maps, else the last one.
int64_t ChannelAxis(size_t rank);

struct FewValuedResult {
  std::map<std::string, FewValued> values;
  // Why a value that looks like a quantization is none: value name -> reason, for the report.
  std::map<std::string, std::string> refusals;
  // Assumptions that were made (Sign(0)), node name -> text, for the report.
  std::map<std::string, std::string> notes;
};

Result<FewValuedResult> AnalyzeFewValued(const SourceGraph& graph, SignOfZero sign_of_zero);

}  // namespace bnn::formats
