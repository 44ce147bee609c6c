// The state of one lowering, and how the values of the source stand in the model's tensors.
//
// Order of elements
//   The source is NCHW, the model NHWC. A 4-D value is kept in NHWC order (kNhwc); its source order (kSource) is made
//   where something needs it: inputs, outputs, and reshapes that really mix the axes. Values of other ranks have their
//   source's order, with one exception: a flattened map. [C,H,W] -> [C*H*W] would need a transposition of the data; we
//   keep the (h, w, c) order (kFlattened) and permute the constants of whoever reads it instead. A flattened value is a
//   tensor {H, W, C} or {H*W*C}.
//
// Floats and bits
//   A two-valued value is kept as bits (FewValued::bits names whose); floats are unpacked where something wants them.
//   One of more values is kept as floats, and as bits as well where a binary layer wants them.
//   A quantized value is kept as integers and as floats.
//   What nobody uses in the end is dropped by RemoveUnused().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/lower/builder.h"
#include "formats/model_def.h"
#include "formats/passes/few_valued.h"
#include "formats/report.h"
#include "formats/source_graph.h"

namespace bnn::formats {

enum class Order : uint8_t { kSource, kNhwc, kFlattened };

// The map that a flattened value was, as the source has it.
struct MapDims {
  int64_t channels = 0, height = 0, width = 0;

  int64_t size() const { return channels * height * width; }
  bool operator==(const MapDims&) const = default;
};

// A value as a tensor of the model.
struct Form {
  int tensor = kNone;
  Order order = Order::kSource;
  MapDims map;  // of kFlattened
};

class Lowering {
 public:
  Lowering(const SourceGraph& source_graph, const FewValuedResult& few_valued_result, ConversionReport* conversion)
      : graph(source_graph), index(source_graph), few_valued(few_valued_result), report(conversion) {}

  // ---- Floats of a value, in the order that suits it: kNhwc for maps, kSource or kFlattened for the others.
  Result<Form> Any(const std::string& value);
  // kNhwc for maps, kSource for the others: axes are those of SampleAxis().
  Result<int> Stored(const std::string& value);
  // The source's own order.
  Result<int> Natural(const std::string& value);
  bool HasNatural(const std::string& value) const;
  void SetFloats(const std::string& value, const Form& form);

  // ---- Bits of a few-valued value: kNhwc for maps, kSource or kFlattened for the others.
  Result<Form> Bits(const std::string& value);
  void SetBits(const std::string& value, const Form& form) { bits_[value] = form; }
  bool HasBits(const std::string& value) const { return bits_.count(value) > 0; }

  // ---- Integers of a quantized value: x = (q - zero_point) * scale. Orders as for floats.
  struct Integers {
    Form form;
    Quantization from;
  };
  void SetIntegers(const std::string& value, const Form& form, const Quantization& from) {
    integers_[value] = {form, from};
  }
  // nullptr where the value has none.
  const Integers* FindIntegers(const std::string& value) const {
    const auto it = integers_.find(value);
    return it == integers_.end() ? nullptr : &it->second;
  }

  // Made by a quantizer of more than two levels, with integers or refused.
  bool IsQuantized(const std::string& value) const {
    return integers_.count(value) > 0 || refused_quantizers.count(value) > 0;
  }

  // ---- Building
  // Appends a node that makes (a form of) `value`.
  Result<int> Emit(const SourceNode& node, Op op, const std::vector<int>& inputs, const std::string& value) {
    return builder.AddNode(node.name, std::move(op), inputs, value);
  }
  // A flattened form as {H*W*C}; any other unchanged.
  Form AsVector(const std::string& node, const Form& form, const std::string& value);
  // Per-channel constants (one or all) in the order of a form's channel axis.
  static std::vector<float> InOrder(const Form& form, std::vector<float> values);
  // A blob {1} or {channels}.
  int ChannelBlob(const std::vector<float>& values);
  // A blob {rows, 1} or {rows, channels}, rows those of `table`; what lacks is `filler`, which may be one for all.
  int TableBlob(const std::vector<ChannelNumbers>& table, size_t rows, const ChannelNumbers& filler);
  // The values of a form of bits as floats; values[q] of level q.
  Result<Form> Unpacked(const std::string& node, const Form& bits, std::vector<ChannelNumbers> values,
                        const std::string& value);
  // The levels themselves as floats, and floats that are levels as bits of `bits` bits.
  Result<Form> LevelFloats(const std::string& node, const Form& bits, const std::string& value);
  Result<Form> LevelBits(const std::string& node, const Form& floats, int bits, const std::string& value);
  // The levels that thresholds make, those of level 1 first.
  Result<Form> Binarized(const std::string& node, Form floats, std::vector<ChannelNumbers> thresholds,
                         const std::string& value);
  // A form of dims `from` as the dims `to` (both of the source, batch included).
  Result<Form> Reshaped(const std::string& node, const Form& form, const Dims& from, const Dims& to,
                        const std::string& value);
  Result<Form> ToOrder(const std::string& node, const Form& form, const Dims& dims, Order order,
                       const std::string& value);

  const Dims& DimsOf(const std::string& value) const { return graph.FindValue(value)->dims; }

  // Why the output of a quantizer has no integers, for the report.
  std::map<std::string, std::string> refused_quantizers;

  const SourceGraph& graph;
  GraphIndex index;
  const FewValuedResult& few_valued;
  ConversionReport* report;
  ModelBuilder builder;

 private:
  struct Floats {
    Form natural, stored, flattened;  // tensor == kNone where absent
  };

  Result<Form> Materialize(const std::string& value, const FewValued& few);

  std::map<std::string, Floats> floats_;
  std::map<std::string, Form> bits_;
  std::map<std::string, Integers> integers_;
};

// The axes of the source (batch = 0) in the order of a sample's tensor.
std::vector<int64_t> SourceAxes(size_t rank, Order order);
// The sample axis of the stored order for a source axis >= 1.
int64_t SampleAxis(size_t rank, int64_t source_axis);
// The dims of a sample in the stored order.
std::vector<int64_t> StoredDims(const Dims& dims);
// The dims of a sample in the source's order.
std::vector<int64_t> NaturalDims(const Dims& dims);

// Index in (c, h, w) order of element `i` of the (h, w, c) order.
int64_t SourceIndex(const MapDims& map, int64_t i);

// kUnsupported "node 'X' (Op): <problem>".
Status NodeNotLowered(const SourceNode& node, const std::string& problem);

}  // namespace bnn::formats
