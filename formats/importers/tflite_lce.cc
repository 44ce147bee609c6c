// The operators of Larq Compute Engine. In its packed tensors bit 1 stands for -1 (LSB first, 32-bit words); here they
// are values of -1 and +1, so that the two-valued analysis finds each LceBconv2d to be a binary layer.
#include <flatbuffers/flexbuffers.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "formats/importers/tflite_generated.h"
#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_window.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

constexpr int64_t kWordBits = 32;

int64_t Words(int64_t channels) { return (channels + kWordBits - 1) / kWordBits; }

// The options of an Lce operator: a map of integers. The buffer is verified before it is read.
class LceOptions {
 public:
  static Result<LceOptions> Read(const TfliteOperator& op) {
    const flatbuffers::Vector<uint8_t>* bytes = op.table->custom_options();
    std::vector<uint8_t> reuse_tracker;  // bounds the work that hostile references to one value can cause
    if (bytes == nullptr || !flexbuffers::VerifyBuffer(bytes->data(), bytes->size(), &reuse_tracker)) {
      return TfliteError(op, "field custom_options is no sound FlexBuffer");
    }
    const flexbuffers::Reference root = flexbuffers::GetRoot(bytes->data(), bytes->size());
    if (!root.IsMap()) return TfliteError(op, "field custom_options is no map");
    return LceOptions(op, root.AsMap());
  }

  // The option, or `fallback` where it is absent; without a fallback that is an error.
  Result<int64_t> Int(const char* key, std::optional<int64_t> fallback = std::nullopt) const {
    const flexbuffers::Reference value = map_[key];
    if (value.IsNull() && fallback) return *fallback;
    if (value.IsNull()) return TfliteError(op_, std::string("option ") + key + " is absent");
    if (!value.IsIntOrUint()) return TfliteError(op_, std::string("option ") + key + " is no integer");
    return value.AsInt64();
  }

 private:
  LceOptions(const TfliteOperator& op, const flexbuffers::Map& map) : op_(op), map_(map) {}

  const TfliteOperator& op_;
  flexbuffers::Map map_;
};

// Files of different ages number the padding differently: SAME 0 and VALID 1 since LCE 0.4, SAME 1 and VALID 2 before.
// 1 is the only number that both have; the height and width that the file states for the output tell which it is.
// (Where both fit, SAME pads nothing, and both are the same.)
Status PadLceWindow(const TfliteOperator& op, const TfliteGraph& graph, const Dims& in, int64_t padding,
                    TfliteWindow* window) {
  const Dims& out = graph.tensor(op.outputs[0]).dims;
  if (out.size() != 4) return TfliteError(op, "its output is " + DimsToString(out) + ", expected four dims");
  std::vector<TflitePadding> meanings;
  if (padding == 1 || padding == 2) meanings.push_back(TflitePadding::kValid);
  if (padding == 0 || padding == 1) meanings.push_back(TflitePadding::kSame);
  for (const TflitePadding meaning : meanings) {
    TfliteWindow padded = *window;
    BNN_RETURN_IF_ERROR(PadTfliteWindow(op, in, meaning, &padded));
    const std::array<int64_t, 2> size = TfliteOutputSize(in, padded);
    const std::vector<bool>& open = graph.tensor(op.outputs[0]).open;
    const auto fits = [&](size_t i) { return !graph.file_shapes_hold() || open[i + 1] || size[i] == out[i + 1]; };
    if (!fits(0) || !fits(1)) continue;
    *window = padded;
    return OkStatus();
  }
  return TfliteError(op, "option padding is " + std::to_string(padding) + ", with which " + DimsToString(in) +
                             " does not give its output of " + DimsToString(out));
}

// -1 and +1 in the file's order, from words (bit 1: -1) or from floats (negative: -1).
Result<Tensor> LceFilter(const TfliteOperator& op, const TfliteGraph& graph, int64_t channels_in, int64_t* groups) {
  BNN_ASSIGN_OR_RETURN(const Tensor stored, graph.ConstantInput(op, 1));
  if (stored.dims.size() != 4) {
    return TfliteError(op, "its filter is " + DimsToString(stored.dims) + ", expected four dims");
  }
  const bool is_packed = graph.tensor(op.inputs[1]).type == TfliteType::kInt32;
  if (!is_packed && stored.type != DType::kFloat32) {
    return TfliteError(op, "its filter is " + std::string(TfliteTypeName(graph.tensor(op.inputs[1]).type)) +
                               ", expected int32 or float32");
  }
  const int64_t held = stored.dims[3];
  const int64_t expected = is_packed ? Words(channels_in) : channels_in;
  *groups = expected % held == 0 ? expected / held : 0;
  // In a packed tensor each group begins at a word.
  if (*groups < 1 || (*groups > 1 && is_packed && channels_in % kWordBits != 0)) {
    return TfliteError(op, "its filter " + DimsToString(stored.dims) + " does not fit " + std::to_string(channels_in) +
                               " input channels");
  }
  Dims dims = stored.dims;
  dims[3] = channels_in / *groups;
  BNN_RETURN_IF_ERROR(CheckDims(op.label + ": its filter", dims));
  Tensor filter = FloatTensor(dims, {});
  filter.floats.reserve(static_cast<size_t>(CountElements(dims)));
  for (int64_t row = 0; row < dims[0] * dims[1] * dims[2]; ++row) {
    for (int64_t c = 0; c < dims[3]; ++c) {
      const auto at = static_cast<size_t>(row * held + (is_packed ? c / kWordBits : c));
      const bool negative = is_packed ? ((static_cast<uint64_t>(stored.integers[at]) >> (c % kWordBits)) & 1U) != 0
                                      : stored.floats[at] < 0;
      filter.floats.push_back(negative ? -1.0F : 1.0F);
    }
  }
  return filter;
}

SourceNode Binarize(const TfliteOperator& op, TfliteGraph* graph, const std::string& x) {
  return MakeNode("BipolarQuant", {x, graph->NewScalar(op, "/one", 1)});
}

// One float for each output channel, [C, 1, 1].
Result<Tensor> ChannelConstant(const TfliteOperator& op, const TfliteGraph& graph, size_t input, int64_t channels) {
  BNN_ASSIGN_OR_RETURN(Tensor constant, graph.ConstantInput(op, input));
  if (constant.type != DType::kFloat32 || constant.size() != channels) {
    return TfliteError(op, "input " + std::to_string(input) + " is " + DTypeName(constant.type) +
                               DimsToString(constant.dims) + ", expected " + std::to_string(channels) + " floats");
  }
  constant.dims = {channels, 1, 1};
  return constant;
}

// Packed output: bit 1 (-1) where popcount > T. With acc = K - 2 * popcount that is +1 where acc > K - 2 * T - 2, and
// as acc only takes every other integer, the threshold K - 2 * T - 1 in the middle decides the same.
Status FinishPacked(const TfliteOperator& op, TfliteGraph* graph, const std::string& acc, int64_t terms,
                    int64_t channels) {
  BNN_ASSIGN_OR_RETURN(const Tensor thresholds, graph->ConstantInput(op, 4));
  if (thresholds.type != DType::kInt64 || thresholds.size() != channels) {
    return TfliteError(op, "its thresholds are " + std::string(DTypeName(thresholds.type)) +
                               DimsToString(thresholds.dims) + ", expected " + std::to_string(channels) + " integers");
  }
  Tensor limits = FloatTensor({channels, 1, 1}, {});
  for (const int64_t t : thresholds.integers) {
    // Beyond -1 and K all popcounts are on one side; within, floats are exact.
    const int64_t clamped = std::clamp<int64_t>(t, -1, terms);
    limits.floats.push_back(static_cast<float>(terms - 2 * clamped - 1));
  }
  const std::string limit = graph->NewConstant(op, "/threshold", std::move(limits));
  SourceNode node = MakeNode(
      "FakeQuantize", {acc, limit, limit, graph->NewScalar(op, "/minus_one", -1), graph->NewScalar(op, "/one", 1)});
  node.attributes["levels"] = int64_t{2};
  TfliteGraph::OutputOptions output;
  output.packed = true;
  return graph->Output(op, std::move(node), output);
}

// y = activation(acc) * multiplier + bias
Status FinishAffine(const TfliteOperator& op, TfliteGraph* graph, std::string value, int64_t activation,
                    int64_t channels) {
  BNN_ASSIGN_OR_RETURN(value, graph->Activate(op, std::move(value), activation));
  BNN_ASSIGN_OR_RETURN(Tensor multiplier, ChannelConstant(op, *graph, 2, channels));
  BNN_ASSIGN_OR_RETURN(Tensor bias, ChannelConstant(op, *graph, 3, channels));
  SourceNode scale = MakeNode("Mul", {value, graph->NewConstant(op, "/multiplier", std::move(multiplier))});
  BNN_ASSIGN_OR_RETURN(value, graph->Emit(op, std::move(scale), "/scaled"));
  return graph->Output(op, MakeNode("Add", {value, graph->NewConstant(op, "/bias", std::move(bias))}));
}

}  // namespace

Status ImportLceQuantize(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  TfliteGraph::OutputOptions output;
  output.packed = true;
  return graph->Output(op, Binarize(op, graph, x), output);
}

Status ImportLceDequantize(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->PackedInput(op, 0));
  return graph->Output(op, MakeNode("Identity", {x}));
}

Status ImportLceBconv2d(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 5));
  BNN_ASSIGN_OR_RETURN(const LceOptions options, LceOptions::Read(op));
  const bool reads_packed = graph->IsPacked(op.inputs[0]);
  BNN_ASSIGN_OR_RETURN(std::string x, reads_packed ? graph->PackedInput(op, 0) : graph->Input(op, 0));
  const Dims in = graph->DimsOfInput(op, 0);
  if (in.size() != 4) return TfliteError(op, "its input is " + DimsToString(in) + ", expected four dims");
  BNN_ASSIGN_OR_RETURN(const int64_t channels_in, options.Int("channels_in"));
  if (channels_in != in[3]) {
    return TfliteError(
        op, "option channels_in is " + std::to_string(channels_in) + ", its input has " + std::to_string(in[3]));
  }
  int64_t groups = 1;
  BNN_ASSIGN_OR_RETURN(Tensor filter, LceFilter(op, *graph, channels_in, &groups));
  const Dims dims = filter.dims;

  TfliteWindow window;
  window.kernel = {dims[1], dims[2]};
  BNN_ASSIGN_OR_RETURN(window.stride[0], options.Int("stride_height"));
  BNN_ASSIGN_OR_RETURN(window.stride[1], options.Int("stride_width"));
  BNN_ASSIGN_OR_RETURN(window.dilation[0], options.Int("dilation_height_factor", 1));
  BNN_ASSIGN_OR_RETURN(window.dilation[1], options.Int("dilation_width_factor", 1));
  BNN_ASSIGN_OR_RETURN(const int64_t padding, options.Int("padding"));
  BNN_ASSIGN_OR_RETURN(const int64_t pad_value, options.Int("pad_values", 0));
  BNN_ASSIGN_OR_RETURN(const int64_t activation, options.Int("fused_activation_function", 0));
  if (pad_value != 0 && pad_value != 1) {
    return TfliteError(op, "option pad_values is " + std::to_string(pad_value) + ", expected 0 or 1");
  }
  BNN_RETURN_IF_ERROR(PadLceWindow(op, *graph, in, padding, &window));
  const bool pads = window.pad_end != std::array<int64_t, 2>{0, 0};  // the odd part is behind

  if (!reads_packed) {
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, Binarize(op, graph, x), "/bits"));
  }
  if (pads && pad_value == 1) {
    const std::string amounts = graph->NewIntegers(
        op, "/pads", {0, 0, window.pad_begin[0], window.pad_begin[1], 0, 0, window.pad_end[0], window.pad_end[1]});
    SourceNode pad = MakeNode("Pad", {x, amounts, graph->NewScalar(op, "/pad_value", 1)});
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(pad), "/padded"));
    window.pad_begin = window.pad_end = {0, 0};
  }
  SourceNode conv = MakeNode("Conv", {x, graph->NewConstant(op, "/filter", ToMapOrder(std::move(filter)))});
  SetWindow(window, &conv);
  conv.attributes["group"] = groups;
  BNN_ASSIGN_OR_RETURN(const std::string acc, graph->Emit(op, std::move(conv), "/sums"));
  if (graph->tensor(op.outputs[0]).type != TfliteType::kInt32) {
    return FinishAffine(op, graph, acc, activation, dims[0]);
  }
  if (pads && pad_value == 0) {
    return TfliteUnsupported(op, "option pad_values is 0, expected 1 where its output is packed");
  }
  return FinishPacked(op, graph, acc, dims[1] * dims[2] * dims[3], dims[0]);
}

// The largest of -1 and +1 in each window; padding counts nothing.
Status ImportLceBMaxPool2d(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const LceOptions options, LceOptions::Read(op));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->PackedInput(op, 0));
  const Dims in = graph->DimsOfInput(op, 0);
  if (in.size() != 4) return TfliteError(op, "its input is " + DimsToString(in) + ", expected four dims");
  TfliteWindow window;
  BNN_ASSIGN_OR_RETURN(window.kernel[0], options.Int("filter_height"));
  BNN_ASSIGN_OR_RETURN(window.kernel[1], options.Int("filter_width"));
  BNN_ASSIGN_OR_RETURN(window.stride[0], options.Int("stride_height"));
  BNN_ASSIGN_OR_RETURN(window.stride[1], options.Int("stride_width"));
  BNN_ASSIGN_OR_RETURN(const int64_t padding, options.Int("padding"));
  BNN_RETURN_IF_ERROR(PadLceWindow(op, *graph, in, padding, &window));
  SourceNode pool = MakeNode("MaxPool", {x});
  SetWindow(window, &pool);
  TfliteGraph::OutputOptions output;
  output.packed = true;
  return graph->Output(op, std::move(pool), output);
}

}  // namespace bnn::formats
