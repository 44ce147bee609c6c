#include "formats/lower/lowering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "formats/lower/operators.h"

namespace bnn::formats {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The map of a 4-D value.
MapDims MapOf(const Dims& dims) { return {dims[1], dims[2], dims[3]}; }

// Maps whose NCHW and NHWC orders are the same sequence of elements.
bool SameInBothOrders(const Dims& dims) { return dims.size() != 4 || dims[1] == 1 || dims[2] * dims[3] == 1; }

// What separates each level from the one below: `x >= middle` is exact for x that is one of the values, which rise.
std::vector<ChannelNumbers> Middles(const FewValued& few) {
  std::vector<ChannelNumbers> middles;
  for (size_t level = 1; level < few.levels(); ++level) {
    const ChannelNumbers &below = few.values[level - 1], &above = few.values[level];
    ChannelNumbers between(std::max(below.size(), above.size()));
    for (size_t c = 0; c < between.size(); ++c) {
      const float low = NumberOf(below, c), high = NumberOf(above, c);
      const auto middle = static_cast<float>((static_cast<double>(low) + static_cast<double>(high)) / 2);
      between[c] = middle > low ? middle : high;
    }
    middles.push_back(std::move(between));
  }
  return middles;
}

// The bits that hold so many levels.
int BitsFor(size_t levels) {
  int bits = 1;
  while (levels > size_t{1} << bits) ++bits;
  return bits;
}

}  // namespace

Status NodeNotLowered(const SourceNode& node, const std::string& problem) {
  return Unsupported("node '" + node.name + "' (" + node.op + "): " + problem);
}

std::vector<int64_t> SourceAxes(size_t rank, Order order) {
  if (order == Order::kNhwc) return {2, 3, 1};
  std::vector<int64_t> axes(rank - 1);
  std::iota(axes.begin(), axes.end(), 1);
  return axes;
}

int64_t SampleAxis(size_t rank, int64_t source_axis) {
  if (rank != 4) return source_axis - 1;
  return source_axis == 1 ? 2 : source_axis - 2;
}

std::vector<int64_t> StoredDims(const Dims& dims) {
  if (dims.size() == 4) return {dims[2], dims[3], dims[1]};
  return NaturalDims(dims);
}

std::vector<int64_t> NaturalDims(const Dims& dims) { return {dims.begin() + 1, dims.end()}; }

int64_t SourceIndex(const MapDims& map, int64_t i) {
  const int64_t pixel = i / map.channels;
  return (i % map.channels) * map.height * map.width + pixel;
}

Result<Form> Lowering::Any(const std::string& value) {
  const Floats& floats = floats_[value];
  if (floats.stored.tensor != kNone) return floats.stored;
  if (floats.flattened.tensor != kNone) return floats.flattened;
  if (floats.natural.tensor != kNone) {
    BNN_ASSIGN_OR_RETURN(const Form form, ToOrder(value, floats.natural, DimsOf(value), Order::kNhwc, value + "/nhwc"));
    SetFloats(value, form);
    return form;
  }
  const auto pair = few_valued.values.find(value);
  if (pair == few_valued.values.end()) {
    const bool constant = graph.FindConstant(value) != nullptr;
    return constant ? Unsupported("the constant '" + value + "' is used as data")
                    : InternalError("value '" + value + "' was not lowered");
  }
  BNN_ASSIGN_OR_RETURN(const Form bits, Bits(value));
  BNN_ASSIGN_OR_RETURN(const Form form, Unpacked(value, bits, pair->second.values, value));
  SetFloats(value, form);
  return form;
}

Result<int> Lowering::Stored(const std::string& value) {
  BNN_ASSIGN_OR_RETURN(const Form form, Any(value));
  if (form.order != Order::kFlattened) return form.tensor;
  return Natural(value);
}

Result<int> Lowering::Natural(const std::string& value) {
  if (HasNatural(value)) return floats_[value].natural.tensor;
  BNN_ASSIGN_OR_RETURN(const Form form, Any(value));
  BNN_ASSIGN_OR_RETURN(const Form natural,
                       ToOrder(value, form, DimsOf(value), Order::kSource, value + "/source_order"));
  SetFloats(value, natural);
  return natural.tensor;
}

bool Lowering::HasNatural(const std::string& value) const {
  const auto it = floats_.find(value);
  return it != floats_.end() && it->second.natural.tensor != kNone;
}

void Lowering::SetFloats(const std::string& value, const Form& form) {
  Floats& floats = floats_[value];
  switch (form.order) {
    case Order::kNhwc:
      floats.stored = form;
      break;
    case Order::kFlattened:
      floats.flattened = form;
      break;
    case Order::kSource:
      floats.natural = form;
      if (DimsOf(value).size() != 4) floats.stored = form;
      break;
  }
}

Result<Form> Lowering::Bits(const std::string& value) {
  const std::string& root = few_valued.values.at(value).bits;
  if (bits_.count(root) == 0) {
    const SourceNode* node = index.Producer(root);
    BNN_ASSIGN_OR_RETURN(const bool made, node == nullptr ? Result<bool>(false) : LowerAsBits(*this, *node));
    if (!made) return Materialize(root, few_valued.values.at(root));
  }
  return bits_.at(root);
}

// Bits of a value whose floats were moved: compares them again.
Result<Form> Lowering::Materialize(const std::string& value, const FewValued& few) {
  const auto floats = floats_.find(value);
  if (floats == floats_.end()) return InternalError("bits of '" + value + "' were not lowered");
  BNN_ASSIGN_OR_RETURN(const Form form, Any(value));
  BNN_ASSIGN_OR_RETURN(const Form bits, Binarized(value, form, Middles(few), value + "/bits"));
  SetBits(value, bits);
  return bits;
}

Form Lowering::AsVector(const std::string& node, const Form& form, const std::string& value) {
  if (form.order != Order::kFlattened || builder.tensor(form.tensor).dims.size() == 1) return form;
  Form vector = form;
  vector.tensor = builder.AddReshape(node, form.tensor, {form.map.size()}, value + "/flat");
  return vector;
}

std::vector<float> Lowering::InOrder(const Form& form, std::vector<float> values) {
  if (values.size() == 1 || form.order != Order::kFlattened) return values;
  std::vector<float> ordered(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ordered[i] = values[static_cast<size_t>(SourceIndex(form.map, static_cast<int64_t>(i)))];
  }
  return ordered;
}

int Lowering::ChannelBlob(const std::vector<float>& values) {
  return builder.AddFloats({static_cast<int64_t>(values.size())}, values);
}

int Lowering::TableBlob(const std::vector<ChannelNumbers>& table, size_t rows, const ChannelNumbers& filler) {
  const size_t channels = NumberOfChannels(table);
  std::vector<float> values;
  values.reserve(rows * channels);
  for (size_t row = 0; row < rows; ++row) {
    const ChannelNumbers& numbers = row < table.size() ? table[row] : filler;
    for (size_t c = 0; c < channels; ++c) values.push_back(NumberOf(numbers, c));
  }
  return builder.AddFloats({static_cast<int64_t>(rows), static_cast<int64_t>(channels)}, values);
}

Result<Form> Lowering::LevelFloats(const std::string& node, const Form& bits, const std::string& value) {
  std::vector<ChannelNumbers> numbers;
  for (int q = 0; q < 1 << BitsOf(builder.tensor(bits.tensor).type); ++q) numbers.push_back({static_cast<float>(q)});
  return Unpacked(node, bits, std::move(numbers), value);
}

Result<Form> Lowering::LevelBits(const std::string& node, const Form& floats, int bits, const std::string& value) {
  std::vector<ChannelNumbers> middles;
  for (int q = 1; q < 1 << bits; ++q) middles.push_back({static_cast<float>(q) - 0.5f});
  return Binarized(node, floats, std::move(middles), value);
}

Result<Form> Lowering::Unpacked(const std::string& node, const Form& bits, std::vector<ChannelNumbers> values,
                                const std::string& value) {
  Form form = bits;
  Unpack unpack;
  unpack.bits = BitsOf(builder.tensor(form.tensor).type);
  if (NumberOfChannels(values) > 1 && form.order == Order::kFlattened && builder.tensor(form.tensor).dims.size() != 1) {
    // Values for each element of a map that is packed pixel by pixel: repack it as a vector first.
    BNN_ASSIGN_OR_RETURN(const Form levels, LevelFloats(node, bits, value + "/levels"));
    BNN_ASSIGN_OR_RETURN(form, LevelBits(node, AsVector(node, levels, value), unpack.bits, value + "/bits"));
  }
  for (ChannelNumbers& numbers : values) numbers = InOrder(form, std::move(numbers));
  if (unpack.bits == 1) {
    unpack.low = ChannelBlob(values.front());
    unpack.high = ChannelBlob(values.back());
  } else {
    unpack.values = TableBlob(values, size_t{1} << unpack.bits, values.back());
  }
  BNN_ASSIGN_OR_RETURN(form.tensor, builder.AddNode(node, unpack, {form.tensor}, value));
  return form;
}

// Levels that the bits have beyond those that are needed have thresholds of infinity.
Result<Form> Lowering::Binarized(const std::string& node, Form floats, std::vector<ChannelNumbers> thresholds,
                                 const std::string& value) {
  if (NumberOfChannels(thresholds) > 1) floats = AsVector(node, floats, value);
  for (ChannelNumbers& numbers : thresholds) numbers = InOrder(floats, std::move(numbers));
  Binarize binarize;
  binarize.bits = BitsFor(thresholds.size() + 1);
  binarize.thresholds = binarize.bits == 1 ? ChannelBlob(thresholds[0])
                                           : TableBlob(thresholds, (size_t{1} << binarize.bits) - 1, {kInfinity});
  BNN_ASSIGN_OR_RETURN(floats.tensor, builder.AddNode(node, binarize, {floats.tensor}, value));
  return floats;
}

Result<Form> Lowering::ToOrder(const std::string& node, const Form& form, const Dims& dims, Order order,
                               const std::string& value) {
  if (form.order == order) return form;
  if (form.order == Order::kFlattened) {  // -> kSource: {H, W, C} -> {C, H, W} -> {C*H*W}
    const MapDims& map = form.map;
    Form out;
    const int hwc = builder.AddReshape(node, form.tensor, {map.height, map.width, map.channels}, value + "/hwc");
    BNN_ASSIGN_OR_RETURN(const int chw, builder.AddNode(node, Transpose{{2, 0, 1}}, {hwc}, value + "/chw"));
    out.tensor = builder.AddReshape(node, chw, NaturalDims(dims), value);
    return out;
  }
  if (dims.size() != 4) return form;  // kSource and kNhwc are one
  Form out;
  out.order = order;
  if (SameInBothOrders(dims)) {
    out.tensor =
        builder.AddReshape(node, form.tensor, order == Order::kNhwc ? StoredDims(dims) : NaturalDims(dims), value);
    return out;
  }
  const std::vector<int64_t> perm =
      order == Order::kNhwc ? std::vector<int64_t>{1, 2, 0} : std::vector<int64_t>{2, 0, 1};
  BNN_ASSIGN_OR_RETURN(out.tensor, builder.AddNode(node, Transpose{perm}, {form.tensor}, value));
  return out;
}

Result<Form> Lowering::Reshaped(const std::string& node, const Form& form, const Dims& from, const Dims& to,
                                const std::string& value) {
  if (from == to) return form;
  const bool flattens = from.size() == 4 && to.size() == 2 && form.order == Order::kNhwc;
  if (flattens && !SameInBothOrders(from)) return Form{form.tensor, Order::kFlattened, MapOf(from)};
  if (form.order == Order::kFlattened && to.size() == 4 && MapOf(to) == form.map) {
    Form out{form.tensor, Order::kNhwc, {}};
    if (builder.tensor(form.tensor).dims.size() == 1) {
      out.tensor = builder.AddReshape(node, form.tensor, StoredDims(to), value);
    }
    return out;
  }
  // Between sequences in source order, a reshape is one.
  BNN_ASSIGN_OR_RETURN(const Form natural, SameInBothOrders(from) && form.order != Order::kFlattened
                                               ? Result<Form>(form)
                                               : ToOrder(node, form, from, Order::kSource, value + "/source_order"));
  Form out;
  const bool to_stored = to.size() == 4 && SameInBothOrders(to);
  out.order = to_stored ? Order::kNhwc : Order::kSource;
  out.tensor = builder.AddReshape(node, natural.tensor, to_stored ? StoredDims(to) : NaturalDims(to), value);
  return out;
}

}  // namespace bnn::formats
