// Operators that enlarge maps.
#include <algorithm>
#include <string>
#include <utility>

#include "formats/importers/tensorflow_maps.h"
#include "formats/importers/tflite_operators.h"
#include "formats/importers/tflite_options.h"
#include "formats/importers/tflite_window.h"

namespace bnn::formats {

Status ImportTfliteResize(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 2, 2));
  const bool linear = std::string(EntryOf(op).name) == "RESIZE_BILINEAR";
  bool align_corners = false, half_pixels = false;
  if (linear) {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::ResizeBilinearOptions>(op));
    align_corners = options->align_corners();
    half_pixels = options->half_pixel_centers();
  } else {
    BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::ResizeNearestNeighborOptions>(op));
    align_corners = options->align_corners();
    half_pixels = options->half_pixel_centers();
  }
  if (align_corners && half_pixels) {
    return TfliteError(op, "fields align_corners and half_pixel_centers are both set");
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 0));
  const Dims in = graph->DimsOfInput(op, 0);
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> size, graph->IntegersInput(op, 1));
  if (in.size() != 4 || size.size() != 2 || size[0] < 1 || size[1] < 1) {
    return TfliteError(
        op, "its size is " + DimsToString(size) + " for a map " + DimsToString(in) + ", expected height and width");
  }
  // A size of 0 keeps the axis: an open batch stays open.
  SourceNode node = MakeNode("Resize", {x, "", "", graph->NewIntegers(op, "/size", {0, 0, size[0], size[1]})});
  node.attributes = TensorflowResize(linear, align_corners, half_pixels);
  return graph->Output(op, std::move(node));
}

// TRANSPOSE_CONV (shape of the output, weights [O, H, W, I], x, bias): the gradient of a convolution from the output to
// x, whose padding follows from its sizes.
Status ImportTfliteTransposeConv(const TfliteOperator& op, TfliteGraph* graph) {
  BNN_RETURN_IF_ERROR(TfliteGraph::CheckCounts(op, 3, 4));
  BNN_ASSIGN_OR_RETURN(const auto* options, TfliteOptions<tflite::TransposeConvOptions>(op));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> out, graph->IntegersInput(op, 0));
  BNN_ASSIGN_OR_RETURN(const Tensor stored, graph->ConstantInput(op, 1));
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(op, 2));
  const Dims in = graph->DimsOfInput(op, 2), filter = stored.dims;
  if (out.size() != 4 || in.size() != 4 || filter.size() != 4 || stored.type != DType::kFloat32 || filter[3] != in[3]) {
    return TfliteError(op, "its filter " + DimsToString(filter) + " does not fit input " + DimsToString(in));
  }
  TfliteWindow window;
  window.kernel = {filter[1], filter[2]};
  window.stride = {options->stride_h(), options->stride_w()};
  BNN_ASSIGN_OR_RETURN(const TflitePadding padding, TflitePaddingOf(op, options->padding()));
  BNN_RETURN_IF_ERROR(PadTfliteWindow(op, in, TflitePadding::kValid, &window));
  std::vector<int64_t> beyond(2, 0);  // rows and columns of the output that no window reaches
  for (size_t i = 0; i < 2; ++i) {
    const int64_t reached = (in[i + 1] - 1) * window.stride[i] + window.kernel[i];
    const int64_t cut = padding == TflitePadding::kSame ? std::max<int64_t>(reached - out[i + 1], 0) : 0;
    window.pad_begin[i] = cut / 2;
    window.pad_end[i] = cut - cut / 2;
    beyond[i] = out[i + 1] - (reached - cut);
    if (beyond[i] < 0 || beyond[i] >= window.stride[i]) {
      return TfliteError(op, "its output " + DimsToString(out) + " does not fit input " + DimsToString(in));
    }
  }
  // [O, H, W, I] -> [I, O, H, W]
  Tensor weights = FloatTensor({filter[3], filter[0], filter[1], filter[2]}, {});
  for (int64_t i = 0; i < filter[3]; ++i) {
    for (size_t row = 0; row < stored.floats.size() / static_cast<size_t>(filter[3]); ++row) {
      weights.floats.push_back(stored.floats[row * static_cast<size_t>(filter[3]) + static_cast<size_t>(i)]);
    }
  }
  SourceNode node = MakeNode("ConvTranspose", {x, graph->NewConstant(op, "/filter", std::move(weights))});
  BNN_RETURN_IF_ERROR(AddTfliteBias(op, graph, 2, 1, 3, &node));
  SetWindow(window, &node);
  node.attributes["output_padding"] = beyond;
  node.attributes["group"] = int64_t{1};
  TfliteGraph::OutputOptions output;
  output.activation = options->fused_activation_function();
  return graph->Output(op, std::move(node), output);
}

}  // namespace bnn::formats
