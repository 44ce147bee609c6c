#include "formats/importers/tflite_window.h"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_options.h"

namespace bnn::formats {
namespace {

constexpr int64_t kMaxSide = 1 << 16;  // of kernels, strides and dilations: products stay far from overflow

int64_t Reach(const TfliteWindow& window, size_t i) { return (window.kernel[i] - 1) * window.dilation[i] + 1; }

// An input that must be a map.
Result<Dims> MapInput(const TfliteOperator& op, TfliteGraph* graph, size_t input) {
  BNN_RETURN_IF_ERROR(graph->Input(op, input).status());
  Dims dims = graph->DimsOfInput(op, input);
  if (dims.size() == 4) return dims;
  return TfliteError(op, "input " + std::to_string(input) + " is " + DimsToString(dims) + ", expected four dims");
}

// The bias as floats. Where it is int32 its scale is that of the products: scale of the input times that of the
// weights, of which there may be one an output channel.
Result<std::string> BiasInput(const TfliteOperator& op, TfliteGraph* graph, size_t data, size_t weights, size_t input) {
  const TfliteTensor& x = graph->tensor(op.inputs[data]);
  const TfliteTensor& w = graph->tensor(op.inputs[weights]);
  if (graph->tensor(op.inputs[input]).type != TfliteType::kInt32) return graph->Input(op, input);
  BNN_ASSIGN_OR_RETURN(const Tensor bias, graph->ConstantInput(op, input));
  const std::vector<float>& scales = w.quantization.scales;
  if (!x.is_quantized() || !w.is_quantized() || x.quantization.scales.size() != 1 ||
      (scales.size() != 1 && static_cast<int64_t>(scales.size()) != bias.size())) {
    return TfliteError(
        op, "its bias is int32 " + DimsToString(bias.dims) + ", but input and weights have no scales that fit it");
  }
  std::vector<float> floats;
  for (size_t i = 0; i < bias.integers.size(); ++i) {
    const double scale = double{x.quantization.scales[0]} * double{scales[scales.size() == 1 ? 0 : i]};
    floats.push_back(static_cast<float>(static_cast<double>(bias.integers[i]) * scale));
  }
  return graph->NewConstant(op, "/bias", FloatTensor(bias.dims, std::move(floats)));
}

// What the two kinds of convolution have in common.
struct ConvInputs {
  Dims in, filter;
  TfliteWindow window;
};

template <typename Options>
Result<ConvInputs> ReadConv(const TfliteOperator& op, TfliteGraph* graph, const Options& options) {
  ConvInputs conv;
  BNN_ASSIGN_OR_RETURN(conv.in, MapInput(op, graph, 0));
  BNN_ASSIGN_OR_RETURN(conv.filter, MapInput(op, graph, 1));
  conv.window.kernel = {conv.filter[1], conv.filter[2]};
  conv.window.stride = {options.stride_h(), options.stride_w()};
  conv.window.dilation = {options.dilation_h_factor(), options.dilation_w_factor()};
  BNN_ASSIGN_OR_RETURN(const TflitePadding padding, TflitePaddingOf(op, options.padding()));
  BNN_RETURN_IF_ERROR(PadTfliteWindow(op, conv.in, padding, &conv.window));
  return conv;
}

Status FinishConv(const TfliteOperator& op, TfliteGraph* graph, SourceNode node, const TfliteWindow& window,
                  int64_t groups, int64_t activation) {
  BNN_RETURN_IF_ERROR(AddTfliteBias(op, graph, 0, 1, 2, &node));
  SetWindow(window, &node);
  node.attributes["group"] = groups;
  TfliteGraph::OutputOptions options;
  options.activation = activation;
  return graph->Output(op, std::move(node), options);
}

}  // namespace

Status AddTfliteBias(const TfliteOperator& op, TfliteGraph* graph, size_t data, size_t weights, size_t bias,
                     SourceNode* node) {
  if (!TfliteGraph::Has(op, bias)) return OkStatus();
  BNN_ASSIGN_OR_RETURN(std::string value, BiasInput(op, graph, data, weights, bias));
  node->inputs.push_back(std::move(value));
  return OkStatus();
}

Result<TflitePadding> TflitePaddingOf(const TfliteOperator& op, int64_t padding) {
  if (padding == 0) return TflitePadding::kSame;
  if (padding == 1) return TflitePadding::kValid;
  return TfliteError(op, "field padding is " + std::to_string(padding) + ", expected SAME (0) or VALID (1)");
}

// SAME: as many outputs as strides fit into the map; what is missing is padded, the odd part behind.
Status PadTfliteWindow(const TfliteOperator& op, const Dims& in, TflitePadding padding, TfliteWindow* window) {
  constexpr const char* kAxes[] = {"height", "width"};
  for (size_t i = 0; i < 2; ++i) {
    const std::pair<const char*, int64_t> fields[] = {{"the filter's", window->kernel[i]},
                                                      {"field stride", window->stride[i]},
                                                      {"field dilation", window->dilation[i]}};
    for (const auto& [what, value] : fields) {
      if (value >= 1 && value <= kMaxSide) continue;
      return TfliteError(op, std::string(what) + " " + kAxes[i] + " is " + std::to_string(value) + ", expected 1 to " +
                                 std::to_string(kMaxSide));
    }
    if (padding == TflitePadding::kValid) continue;
    const int64_t out = (in[i + 1] + window->stride[i] - 1) / window->stride[i];
    const int64_t missing = std::max<int64_t>((out - 1) * window->stride[i] + Reach(*window, i) - in[i + 1], 0);
    window->pad_begin[i] = missing / 2;
    window->pad_end[i] = missing - missing / 2;
  }
  return OkStatus();
}

std::array<int64_t, 2> TfliteOutputSize(const Dims& in, const TfliteWindow& window) {
  std::array<int64_t, 2> out = {0, 0};
  for (size_t i = 0; i < 2; ++i) {
    const int64_t room = in[i + 1] + window.pad_begin[i] + window.pad_end[i] - Reach(window, i);
    out[i] = room < 0 ? 0 : room / window.stride[i] + 1;
  }
  return out;
}

void SetWindow(const TfliteWindow& window, SourceNode* node) {
  const auto list = [](const std::array<int64_t, 2>& values) {
    return std::vector<int64_t>(values.begin(), values.end());
  };
  node->attributes["kernel_shape"] = list(window.kernel);
  node->attributes["strides"] = list(window.stride);
  node->attributes["dilations"] = list(window.dilation);
  node->attributes["pads"] =
      std::vector<int64_t>{window.pad_begin[0], window.pad_begin[1], window.pad_end[0], window.pad_end[1]};
}

// Weights [O, H, W, I / groups]. Renaming the axes of a map makes [O, I, H, W] of them.
Status ImportTfliteConv(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 3));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::Conv2DOptions>(op));
  BNN_ASSIGN_OR_RETURN(const ConvInputs conv, ReadConv(op, graph, *options));
  const auto& [in, filter, window] = conv;
  if (in[3] % filter[3] != 0) {
    return TfliteError(op, "its filter " + DimsToString(filter) + " does not fit input " + DimsToString(in));
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  BNN_ASSIGN_OR_RETURN(const std::string w, graph->Input(op, 1));
  return FinishConv(op, graph, MakeNode("Conv", {x, w}), window, in[3] / filter[3],
                    options->fused_activation_function());
}

// Weights [1, H, W, C * multiplier]: output channel c * multiplier + m reads channel c only, a group of its own.
Status ImportTfliteDepthwiseConv(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 3));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::DepthwiseConv2DOptions>(op));
  BNN_ASSIGN_OR_RETURN(const ConvInputs conv, ReadConv(op, graph, *options));
  const auto& [in, filter, window] = conv;
  if (filter[0] != 1 || filter[3] % in[3] != 0) {
    return TfliteError(op, "its filter " + DimsToString(filter) + " does not fit input " + DimsToString(in));
  }
  BNN_ASSIGN_OR_RETURN(Tensor weights, graph->ConstantInput(op, 1));
  weights = ToMapOrder(std::move(weights));
  weights.dims = {filter[3], 1, filter[1], filter[2]};  // of [1, C, H, W]: the same order of elements
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  SourceNode node = MakeNode("Conv", {x, graph->NewConstant(op, "/filter", std::move(weights))});
  return FinishConv(op, graph, std::move(node), window, in[3], options->fused_activation_function());
}

// A dense layer at each position of [N, S, F] or [N, H, W, F] is a 1x1 convolution of a map.
namespace {

Status ImportDenseOfMap(const TfliteOperator& op, TfliteGraph* graph, const Dims& in, int64_t activation) {
  BNN_ASSIGN_OR_RETURN(Tensor weights, graph->ConstantInput(op, 1));
  const int64_t outputs = weights.dims[0];
  weights.dims = {outputs, in.back(), 1, 1};
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(op, 0));
  const bool is_map = in.size() == 4;
  if (!is_map) {
    SourceNode widen = MakeNode("Reshape", {x, graph->NewIntegers(op, "/map_dims", {-1, in[1], 1, in[2]})});
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(widen), "/nhwc"));
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, TransposeToMap(x), "/map"));
  }
  SourceNode conv = MakeNode("Conv", {x, graph->NewConstant(op, "/filter", std::move(weights))});
  if (is_map) return FinishConv(op, graph, std::move(conv), TfliteWindow{}, 1, activation);
  BNN_RETURN_IF_ERROR(AddTfliteBias(op, graph, 0, 1, 2, &conv));
  SetWindow(TfliteWindow{}, &conv);
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(conv), "/products"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, TransposeToFile(x), "/products_nhwc"));
  TfliteGraph::OutputOptions output;
  output.activation = activation;
  return graph->Output(op, MakeNode("Reshape", {x, graph->NewIntegers(op, "/dims", {-1, in[1], outputs})}), output);
}

}  // namespace

// Weights [outputs, features]; an input of any rank counts as [elements / features, features].
Status ImportTfliteFullyConnected(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 3));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::FullyConnectedOptions>(op));
  if (options->weights_format() != 0) {
    return TfliteUnsupported(
        op, "field weights_format is " + std::to_string(options->weights_format()) + ", expected DEFAULT (0)");
  }
  BNN_RETURN_IF_ERROR(graph->Input(op, 0).status());
  const Dims in = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(const std::string w, graph->Input(op, 1));
  const Dims weights = graph->DimsOfInput(op, 1);
  if (weights.size() != 2 || in.empty() || CountElements(in) % weights[1] != 0) {
    return TfliteError(op, "weights " + DimsToString(weights) + " do not fit input " + DimsToString(in));
  }
  if (options->keep_num_dims() && in.size() != 2) {
    if ((in.size() == 3 || in.size() == 4) && in.back() == weights[1]) {
      return ImportDenseOfMap(op, graph, in, options->fused_activation_function());
    }
    return TfliteUnsupported(
        op, "field keep_num_dims is set with input " + DimsToString(in) + " and weights " + DimsToString(weights));
  }
  BNN_ASSIGN_OR_RETURN(std::string x, graph->InputInFileOrder(op, 0));
  if (in.size() != 2 || in[1] != weights[1]) {
    SourceNode flatten = MakeNode("Reshape", {x, graph->NewIntegers(op, "/matrix", {-1, weights[1]})});
    BNN_ASSIGN_OR_RETURN(x, graph->Emit(op, std::move(flatten), "/flat"));
  }
  SourceNode node = MakeNode("Gemm", {x, w});
  node.attributes["transB"] = int64_t{1};
  BNN_RETURN_IF_ERROR(AddTfliteBias(op, graph, 0, 1, 2, &node));
  TfliteGraph::OutputOptions output;
  output.activation = options->fused_activation_function();
  return graph->Output(op, std::move(node), output);
}

// The average counts the elements of the map only, never padding.
Status ImportTflitePool(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 1, 1));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::Pool2DOptions>(op));
  BNN_ASSIGN_OR_RETURN(const Dims in, MapInput(op, graph, 0));
  TfliteWindow window{{options->filter_height(), options->filter_width()},
                      {options->stride_h(), options->stride_w()},
                      {1, 1},
                      {0, 0},
                      {0, 0}};
  BNN_ASSIGN_OR_RETURN(const TflitePadding padding, TflitePaddingOf(op, options->padding()));
  BNN_RETURN_IF_ERROR(PadTfliteWindow(op, in, padding, &window));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  SourceNode node = MakeNode(EntryOf(op).renamed, {x});
  SetWindow(window, &node);
  TfliteGraph::OutputOptions output;
  output.activation = options->fused_activation_function();
  return graph->Output(op, std::move(node), output);
}

}  // namespace bnn::formats
