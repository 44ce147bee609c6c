// Layers that change the size of maps, and normalizations along axes.
#include <algorithm>
#include <utility>

#include "formats/importers/openvino_operators.h"
#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

// ConvTranspose with its window written out. `weights` are [in, out / groups, h, w].
Status FinishConvTranspose(const IrNode& node, const std::string& weights, int64_t groups) {
  SourceNode window;
  window.name = node.layer.name;
  window.op = "ConvTranspose";
  AttributeMap& attributes = window.attributes;
  attributes["group"] = groups;
  BNN_ASSIGN_OR_RETURN(attributes["strides"], node.Ints("strides"));
  BNN_ASSIGN_OR_RETURN(attributes["dilations"], node.Ints("dilations"));
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> output_padding, node.Ints("output_padding", std::vector<int64_t>{0, 0}));
  attributes["output_padding"] = output_padding;
  BNN_ASSIGN_OR_RETURN(const std::string auto_pad,
                       node.Word("auto_pad", {"explicit", "notset", "same_upper", "same_lower", "valid"}, "explicit"));
  // Without an output_shape to cut down to, "same" cuts nothing.
  const bool same = auto_pad == "same_upper" || auto_pad == "same_lower";
  std::vector<int64_t> pads = {0, 0, 0, 0};
  if (same && node.HasInput(2)) {
    // Of an odd number of pads, "same_upper" cuts one more at the beginning: the other way around than in ONNX.
    attributes["auto_pad"] = std::string(auto_pad == "same_upper" ? "SAME_LOWER" : "SAME_UPPER");
    BNN_ASSIGN_OR_RETURN(attributes["output_shape"], node.KnownInts(2));
  } else if (!same && auto_pad != "valid") {
    BNN_ASSIGN_OR_RETURN(pads, node.Ints("pads_begin"));
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads_end, node.Ints("pads_end"));
    // An output_shape says where the end is, whatever pads_end is.
    const std::vector<int64_t> open_end(pads_end.size(), 0);
    const std::vector<int64_t>& end = node.HasInput(2) ? open_end : pads_end;
    pads.insert(pads.end(), end.begin(), end.end());
    attributes["pads"] = pads;
  }
  const Dims x = node.DimsOf(0), w = node.builder->DimsOf(weights);
  BNN_ASSIGN_OR_RETURN(TransposedWindow resolved, ResolveTransposedWindow(window, x, w));
  if (!same && node.HasInput(2)) {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, node.KnownInts(2));
    if (wanted.size() != 2 || wanted[0] < 1 || wanted[1] < 1) {
      return node.Error("input 2, output_shape, is " + DimsToString(wanted) + ", expected two sizes");
    }
    for (size_t axis = 0; axis < 2; ++axis) {
      const int64_t cut = resolved.out[axis] - wanted[axis];
      if (cut < 0 && -cut >= resolved.stride[axis] - output_padding[axis]) {
        return node.NotSupported("output_shape " + DimsToString(wanted) + ", which is larger than its strides make");
      }
      pads[2 + axis] = std::max<int64_t>(cut, 0);
      output_padding[axis] += std::max<int64_t>(-cut, 0);
    }
    attributes["pads"] = pads;
    attributes["output_padding"] = output_padding;
    BNN_ASSIGN_OR_RETURN(resolved, ResolveTransposedWindow(window, x, w));
  }
  attributes.erase("auto_pad");
  attributes.erase("output_shape");
  attributes["kernel_shape"] = std::vector<int64_t>{resolved.kernel[0], resolved.kernel[1]};
  attributes["pads"] =
      std::vector<int64_t>{resolved.pad_begin[0], resolved.pad_begin[1], resolved.pad_end[0], resolved.pad_end[1]};
  return node.Finish("ConvTranspose", {node.inputs[0], weights}, attributes);
}

// What "simple" means: down where an axis grows, up where it shrinks.
Result<std::string> SimpleRounding(const IrNode& node, const std::vector<float>& scales) {
  const bool shrinks = std::any_of(scales.begin(), scales.end(), [](float s) { return s < 1; });
  const bool grows = std::any_of(scales.begin(), scales.end(), [](float s) { return s > 1; });
  if (shrinks && grows)
    return node.NotSupported("attribute 'nearest_mode' is \"simple\" for axes that grow and shrink");
  return std::string(shrinks ? "ceil" : "floor");
}

Status CheckNoPads(const IrNode& node) {
  for (const char* key : {"pads_begin", "pads_end"}) {
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, node.Ints(key, std::vector<int64_t>{}));
    if (std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; })) {
      return node.NotSupported(std::string("attribute '") + key + "' is " + DimsToString(pads));
    }
  }
  return OkStatus();
}

// Resize of `axes` to `sizes`, or by `scales` where there are no sizes.
Status FinishResize(const IrNode& node, const std::vector<int64_t>& axes, const std::vector<int64_t>& sizes,
                    const std::vector<float>& scales, AttributeMap attributes) {
  const Dims dims = node.DimsOf(0);
  const size_t given = sizes.empty() ? scales.size() : sizes.size();
  if (given != axes.size()) {
    return node.Error("has " + std::to_string(given) + " sizes or scales for " + std::to_string(axes.size()) + " axes");
  }
  std::vector<int64_t> all_sizes(dims.size(), 0);
  std::vector<float> all_scales(dims.size(), 1.0F);
  std::vector<float> ratios;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t rank = node.RankOf(0), axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) return node.Error("axis " + std::to_string(axes[i]) + " is out of range");
    const auto at = static_cast<size_t>(axis);
    if (dims[at] < 1) return node.Error("resizes dims " + DimsToString(dims));
    if (sizes.empty()) {
      all_scales[at] = scales[i];
    } else {
      all_sizes[at] = sizes[i];
    }
    ratios.push_back(sizes.empty() ? scales[i] : static_cast<float>(sizes[i]) / static_cast<float>(dims[at]));
  }
  if (std::get<std::string>(attributes["nearest_mode"]) == "simple") {
    BNN_ASSIGN_OR_RETURN(attributes["nearest_mode"], SimpleRounding(node, ratios));
  }
  const auto rank = static_cast<int64_t>(dims.size());
  if (!sizes.empty()) {
    return node.Finish("Resize", {node.inputs[0], "", "", node.IntsConstant("sizes", all_sizes)}, attributes);
  }
  return node.Finish("Resize", {node.inputs[0], "", node.Constant("scales", FloatTensor({rank}, all_scales))},
                     attributes);
}

// Reshape, Transpose, Reshape; the batch stays open.
Status FinishSplitAxes(const IrNode& node, const std::vector<int64_t>& split, const std::vector<int64_t>& perm,
                       const std::vector<int64_t>& joined) {
  BNN_ASSIGN_OR_RETURN(const std::string parts,
                       node.Step("Reshape", {node.inputs[0], node.IntsConstant("split", split)}));
  BNN_ASSIGN_OR_RETURN(const std::string moved, node.Step("Transpose", {parts}, {{"perm", perm}}));
  return node.Finish("Reshape", {moved, node.IntsConstant("joined", joined)});
}

struct Blocks {
  int64_t size = 1;
  bool blocks_first = true;
};

Result<Blocks> ReadBlocks(const IrNode& node) {
  Blocks blocks;
  BNN_ASSIGN_OR_RETURN(blocks.size, node.Int("block_size", 1));
  BNN_ASSIGN_OR_RETURN(const std::string mode, node.Word("mode", {"blocks_first", "depth_first"}));
  blocks.blocks_first = mode == "blocks_first";
  if (node.RankOf(0) != 4) return node.NotSupported("its input has dims " + DimsToString(node.DimsOf(0)));
  if (blocks.size < 1 || blocks.size > 65536) {
    return node.Error("attribute 'block_size' is " + std::to_string(blocks.size));
  }
  return blocks;
}

}  // namespace

Status ImportConvolutionBackprop(const IrNode& node) { return FinishConvTranspose(node, node.inputs[1], 1); }

// Weights [groups, in / groups, out / groups, h, w] -> [in, out / groups, h, w].
Status ImportGroupConvolutionBackprop(const IrNode& node) {
  const Dims weights = node.DimsOf(1);
  if (weights.size() != 5 || CountElements(weights) <= 0) {
    return node.NotSupported("weights have dims " + DimsToString(weights) + ", expected [groups, in, out, h, w]");
  }
  std::vector<int64_t> merged(weights.begin() + 1, weights.end());
  merged[0] = -1;
  BNN_ASSIGN_OR_RETURN(const std::string reshaped,
                       node.Step("Reshape", {node.inputs[1], node.IntsConstant("weights_dims", merged)}));
  return FinishConvTranspose(node, reshaped, weights[0]);
}

// Opset 4: (data, sizes, scales, axes); opset 11: (data, sizes or scales, axes). Axes may be absent: all of them.
// Without antialias, "linear" is what ONNX calls linear.
Status ImportInterpolate(const IrNode& node) {
  BNN_RETURN_IF_ERROR(CheckNoPads(node));
  BNN_ASSIGN_OR_RETURN(const bool antialias, node.Bool("antialias", false));
  if (antialias) return node.NotSupported("attribute 'antialias' is true");
  if (node.Has("axes")) {  // opset 1: (data, sizes)
    AttributeMap attributes;
    BNN_ASSIGN_OR_RETURN(attributes["mode"], node.Word("mode", {"nearest", "linear"}));
    BNN_ASSIGN_OR_RETURN(const bool align_corners, node.Bool("align_corners", true));
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, node.Ints("axes"));
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.KnownInts(1));
    attributes["coordinate_transformation_mode"] = std::string(align_corners ? "align_corners" : "asymmetric");
    attributes["nearest_mode"] = std::string("simple");
    return FinishResize(node, axes, sizes, {}, std::move(attributes));
  }
  AttributeMap attributes;
  BNN_ASSIGN_OR_RETURN(const std::string mode, node.Word("mode", {"nearest", "linear", "linear_onnx"}));
  attributes["mode"] = std::string(mode == "nearest" ? "nearest" : "linear");
  BNN_ASSIGN_OR_RETURN(
      attributes["coordinate_transformation_mode"],
      node.Word("coordinate_transformation_mode",
                {"half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners"},
                "half_pixel"));
  BNN_ASSIGN_OR_RETURN(attributes["nearest_mode"],
                       node.Word("nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"},
                                 "round_prefer_floor"));
  BNN_ASSIGN_OR_RETURN(const std::string by, node.Word("shape_calculation_mode", {"sizes", "scales"}));
  const bool has_both = node.layer.opset < 11;
  const size_t axes_input = has_both ? 3 : 2;
  std::vector<int64_t> axes, sizes;
  std::vector<float> scales;
  for (int64_t i = 0; i < node.RankOf(0); ++i) axes.push_back(i);
  if (node.HasInput(axes_input)) {
    BNN_ASSIGN_OR_RETURN(axes, node.KnownInts(axes_input));
  }
  if (by == "sizes") {
    BNN_ASSIGN_OR_RETURN(sizes, node.KnownInts(1));
  } else {
    BNN_ASSIGN_OR_RETURN(scales, node.KnownFloats(has_both ? 2 : 1));
  }
  return FinishResize(node, axes, sizes, scales, std::move(attributes));
}

// [N, C, h, b, w, b] -> blocks first [N, b, b, C, h, w], depth first [N, C, b, b, h, w].
Status ImportSpaceToDepth(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const Blocks blocks, ReadBlocks(node));
  const Dims dims = node.DimsOf(0);
  const int64_t b = blocks.size;
  if (dims[2] % b != 0 || dims[3] % b != 0) {
    return node.Error("block_size " + std::to_string(b) + " does not divide the map " + DimsToString(dims));
  }
  const int64_t h = dims[2] / b, w = dims[3] / b;
  const std::vector<int64_t> perm =
      blocks.blocks_first ? std::vector<int64_t>{0, 3, 5, 1, 2, 4} : std::vector<int64_t>{0, 1, 3, 5, 2, 4};
  return FinishSplitAxes(node, {-1, dims[1], h, b, w, b}, perm, {-1, dims[1] * b * b, h, w});
}

Status ImportDepthToSpace(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const Blocks blocks, ReadBlocks(node));
  const Dims dims = node.DimsOf(0);
  const int64_t b = blocks.size, h = dims[2], w = dims[3];
  if (dims[1] % (b * b) != 0) {
    return node.Error("block_size " + std::to_string(b) + " squared does not divide the channels of " +
                      DimsToString(dims));
  }
  const int64_t c = dims[1] / (b * b);
  if (blocks.blocks_first) {
    return FinishSplitAxes(node, {-1, b, b, c, h, w}, {0, 3, 4, 1, 5, 2}, {-1, c, h * b, w * b});
  }
  return FinishSplitAxes(node, {-1, c, b, b, h, w}, {0, 1, 4, 2, 5, 3}, {-1, c, h * b, w * b});
}

Status ImportLrn(const IrNode& node) {
  AttributeMap attributes;
  BNN_ASSIGN_OR_RETURN(attributes["alpha"], node.Float("alpha"));
  BNN_ASSIGN_OR_RETURN(attributes["beta"], node.Float("beta"));
  BNN_ASSIGN_OR_RETURN(attributes["bias"], node.Float("bias"));
  BNN_ASSIGN_OR_RETURN(attributes["size"], node.Int("size"));
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> axes, node.KnownInts(1));
  if (axes.empty()) return node.NotSupported("it names no axes");
  attributes["axes"] = std::move(axes);
  return node.Finish("LRN", {node.inputs[0]}, attributes);
}

Status ImportNormalizeL2(const IrNode& node) {
  AttributeMap attributes;
  BNN_ASSIGN_OR_RETURN(attributes["eps"], node.Float("eps"));
  BNN_ASSIGN_OR_RETURN(attributes["eps_mode"], node.Word("eps_mode", {"add", "max"}));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, node.KnownInts(1));
  if (axes.empty()) return node.NotSupported("it names no axes");
  return node.Finish("NormalizeL2", {node.inputs[0], node.IntsConstant("axes", axes)}, attributes);
}

Status ImportElu(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const float alpha, node.Float("alpha"));
  return node.Finish("Elu", {node.inputs[0]}, {{"alpha", alpha}});
}

// Opset 2 has no mode: it is the exact one.
Status ImportGelu(const IrNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::string mode, node.Word("approximation_mode", {"erf", "tanh"}, "erf"));
  return node.Finish("Gelu", {node.inputs[0]}, {{"approximate", std::string(mode == "tanh" ? "tanh" : "none")}});
}

}  // namespace bnn::formats
