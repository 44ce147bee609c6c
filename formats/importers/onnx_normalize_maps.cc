// Operators that change the size of maps: Resize and Upsample, ConvTranspose, SpaceToDepth and DepthToSpace; and
// LpNormalization.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "formats/importers/onnx_normalize.h"
#include "formats/ops/evaluator.h"
#include "formats/ops/window.h"

namespace bnn::formats {
namespace {

Status RequireInputs(const SourceNode& node, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!node.HasInput(i)) return NodeError(node, "required input " + std::to_string(i) + " is absent");
  }
  return OkStatus();
}

// The tensor of input `index`, where it is there and has elements: an empty one is another spelling of none.
Result<const Tensor*> KnownInput(const SourceNode& node, const OnnxGraphBuilder& builder, size_t index) {
  if (!node.HasInput(index)) return nullptr;
  const Tensor* known = builder.FindKnown(node.inputs[index]);
  if (known == nullptr) {
    return NodeUnsupported(node, "input " + std::to_string(index) + " must be known before the network runs");
  }
  return known->size() == 0 ? nullptr : known;
}

// What is not supported, where it is not the default.
Status RefuseOptions(const SourceNode& node) {
  if (node.Int("antialias", 0) != 0) return NodeUnsupported(node, "attribute 'antialias' is 1");
  if (node.Int("exclude_outside", 0) != 0) return NodeUnsupported(node, "attribute 'exclude_outside' is 1");
  const std::string policy = node.String("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") return NodeUnsupported(node, "attribute 'keep_aspect_ratio_policy' is \"" + policy + "\"");
  const std::string mode = node.String("mode", "nearest");
  if (mode != "nearest" && mode != "linear") return NodeUnsupported(node, "attribute 'mode' is \"" + mode + "\"");
  const std::string coordinates = node.String("coordinate_transformation_mode", "half_pixel");
  if (coordinates == "tf_crop_and_resize" || coordinates == "half_pixel_symmetric") {
    return NodeUnsupported(node, "attribute 'coordinate_transformation_mode' is \"" + coordinates + "\"");
  }
  return OkStatus();
}

// The values of `given` for `axes` (all, where there are none) among those of all axes.
template <typename T>
Result<std::vector<T>> Spread(const SourceNode& node, const std::vector<T>& given, std::vector<int64_t> axes,
                              std::vector<T> all) {
  if (axes.empty()) {
    for (size_t i = 0; i < all.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  if (given.size() != axes.size()) {
    return NodeError(
        node, "has " + std::to_string(given.size()) + " scales or sizes for " + std::to_string(axes.size()) + " axes");
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, axes[i], static_cast<int64_t>(all.size())));
    all[static_cast<size_t>(axis)] = given[i];
  }
  return all;
}

Status EmitResize(SourceNode node, OnnxGraphBuilder* builder, const Tensor* scales, const std::vector<int64_t>& sizes) {
  BNN_RETURN_IF_ERROR(RefuseOptions(node));
  const Dims dims = builder->DimsOf(node.inputs[0]);
  const std::vector<int64_t> axes = node.Ints("axes", {});
  if ((scales == nullptr) == sizes.empty()) return NodeError(node, "needs either scales or sizes");
  const auto rank = static_cast<int64_t>(dims.size());
  node.inputs.resize(1);
  if (scales != nullptr) {
    BNN_ASSIGN_OR_RETURN(std::vector<float> all,
                         Spread(node, scales->floats, axes, std::vector<float>(dims.size(), 1.0F)));
    node.inputs.resize(3);
    node.inputs[2] = builder->AddConstant(node.outputs[0] + "/scales", FloatTensor({rank}, std::move(all)));
  } else {
    BNN_ASSIGN_OR_RETURN(std::vector<int64_t> all, Spread(node, sizes, axes, Dims(dims.size(), 0)));
    node.inputs.resize(4);
    node.inputs[3] = builder->AddConstant(node.outputs[0] + "/sizes", IntTensor({rank}, std::move(all)));
  }
  for (const char* key :
       {"antialias", "axes", "cubic_coeff_a", "exclude_outside", "extrapolation_value", "keep_aspect_ratio_policy"}) {
    node.attributes.erase(key);
  }
  return builder->Emit(std::move(node));
}

}  // namespace

// Opset 10 has (X, scales) and the places of Upsample; from 11 on (X, roi, scales, sizes).
Status NormalizeResize(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(RequireInputs(node, 1));
  if (builder->opset() < 11) return NormalizeUpsample(std::move(node), builder);
  BNN_ASSIGN_OR_RETURN(const Tensor* scales, KnownInput(node, *builder, 2));
  std::vector<int64_t> sizes;
  if (node.HasInput(3)) {
    // What PyTorch writes has the batch of the input as its first size: 0 keeps it.
    sizes = builder->KnownApartFromBatch(node.inputs[3]);
    if (sizes.empty() && scales == nullptr)
      return NodeUnsupported(node, "input 3 must be known before the network runs");
    const bool others_depend = std::count(sizes.begin(), sizes.end(), 0) > (!sizes.empty() && sizes[0] == 0 ? 1 : 0);
    if (others_depend) return NodeUnsupported(node, "its sizes depend on the batch, or are 0");
  }
  return EmitResize(std::move(node), builder, scales, sizes);
}

// Scales are an attribute before opset 9, then an input. Rounds down, but up where Resize (opset 10) makes a map
// smaller.
Status NormalizeUpsample(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(RequireInputs(node, 1));
  Tensor attribute;
  const Tensor* scales = nullptr;
  if (const auto it = node.attributes.find("scales"); it != node.attributes.end()) {
    const auto* values = std::get_if<std::vector<float>>(&it->second);
    if (values == nullptr) return NodeError(node, "attribute 'scales' is no list of floats");
    attribute = FloatTensor({static_cast<int64_t>(values->size())}, *values);
    scales = &attribute;
  } else {
    BNN_ASSIGN_OR_RETURN(scales, KnownInput(node, *builder, 1));
  }
  if (scales == nullptr) return NodeError(node, "has no scales");
  const bool shrinks = std::any_of(scales->floats.begin(), scales->floats.end(), [](float s) { return s < 1; });
  const bool grows = std::any_of(scales->floats.begin(), scales->floats.end(), [](float s) { return s > 1; });
  if (shrinks && grows && node.String("mode", "nearest") == "nearest") {
    return NodeUnsupported(node, "makes one axis smaller and another larger, which rounds differently");
  }
  node.op = "Resize";
  node.attributes.erase("scales");
  node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  node.attributes["nearest_mode"] = std::string(shrinks ? "ceil" : "floor");
  return EmitResize(std::move(node), builder, scales, {});
}

// All of the window is written out, with explicit pads.
Status NormalizeConvTranspose(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(RequireInputs(node, 2));
  BNN_ASSIGN_OR_RETURN(const TransposedWindow window,
                       ResolveTransposedWindow(node, builder->DimsOf(node.inputs[0]), builder->DimsOf(node.inputs[1])));
  const auto list = [](const std::array<int64_t, 2>& values) {
    return std::vector<int64_t>(values.begin(), values.end());
  };
  node.attributes.erase("auto_pad");
  node.attributes.erase("output_shape");
  node.attributes["kernel_shape"] = list(window.kernel);
  node.attributes["strides"] = list(window.stride);
  node.attributes["dilations"] = list(window.dilation);
  node.attributes["output_padding"] = list(window.output_pad);
  node.attributes["pads"] =
      std::vector<int64_t>{window.pad_begin[0], window.pad_begin[1], window.pad_end[0], window.pad_end[1]};
  return builder->Emit(std::move(node));
}

// p = 2: NormalizeL2 without eps.
Status NormalizeLpNormalization(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(RequireInputs(node, 1));
  if (node.Int("p", 2) != 2) return NodeUnsupported(node, "attribute 'p' is " + std::to_string(node.Int("p", 2)));
  const auto rank = static_cast<int64_t>(builder->DimsOf(node.inputs[0]).size());
  BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, node.Int("axis", -1), rank));
  node.op = "NormalizeL2";
  node.inputs = {node.inputs[0], builder->AddConstant(node.outputs[0] + "/axes", IntTensor({1}, {axis}))};
  node.attributes = {{"eps", 0.0F}, {"eps_mode", std::string("add")}};
  return builder->Emit(std::move(node));
}

namespace {

// y = Reshape(Transpose(Reshape(x, split), perm), joined); the first dim of both targets stays open.
Status EmitSplitAxes(const SourceNode& node, OnnxGraphBuilder* builder, std::vector<int64_t> split,
                     std::vector<int64_t> perm, std::vector<int64_t> joined) {
  const auto reshape = [&](const std::string& suffix, const std::string& in, std::vector<int64_t> target,
                           const std::string& out) {
    SourceNode made;
    made.name = node.name + "/" + suffix;
    made.op = "Reshape";
    const auto rank = static_cast<int64_t>(target.size());
    made.inputs = {in, builder->AddConstant(out + "/" + suffix, IntTensor({rank}, std::move(target)))};
    made.outputs = {out};
    return builder->Emit(std::move(made));
  };
  const std::string parts = builder->NewValueName(node.outputs[0] + "/parts");
  const std::string moved = builder->NewValueName(node.outputs[0] + "/moved");
  BNN_RETURN_IF_ERROR(reshape("Reshape_split", node.inputs[0], std::move(split), parts));
  SourceNode transpose;
  transpose.name = node.name + "/Transpose";
  transpose.op = "Transpose";
  transpose.inputs = {parts};
  transpose.outputs = {moved};
  transpose.attributes["perm"] = std::move(perm);
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(transpose)));
  return reshape("Reshape_join", moved, std::move(joined), node.outputs[0]);
}

// The map and the block size, which divides what `divided` says.
Result<Dims> BlockDims(const SourceNode& node, const OnnxGraphBuilder& builder, int64_t* block) {
  BNN_RETURN_IF_ERROR(RequireInputs(node, 1));
  const Dims dims = builder.DimsOf(node.inputs[0]);
  *block = node.Int("blocksize", 0);
  if (dims.size() != 4) return NodeError(node, "works on dims " + DimsToString(dims) + ", expected rank 4");
  if (*block < 1 || *block > 65536) return NodeError(node, "attribute 'blocksize' is " + std::to_string(*block));
  return dims;
}

}  // namespace

// [N, C, H, W] -> [N, C, h, b, w, b] -> [N, b, b, C, h, w] -> [N, b * b * C, h, w].
Status NormalizeSpaceToDepth(SourceNode node, OnnxGraphBuilder* builder) {
  int64_t b = 0;
  BNN_ASSIGN_OR_RETURN(const Dims dims, BlockDims(node, *builder, &b));
  if (dims[2] % b != 0 || dims[3] % b != 0) {
    return NodeError(node, "blocksize " + std::to_string(b) + " does not divide the map " + DimsToString(dims));
  }
  const int64_t c = dims[1], h = dims[2] / b, w = dims[3] / b;
  return EmitSplitAxes(node, builder, {-1, c, h, b, w, b}, {0, 3, 5, 1, 2, 4}, {-1, b * b * c, h, w});
}

// [N, b, b, C, h, w] (DCR) or [N, C, b, b, h, w] (CRD) -> [N, C, h, b, w, b].
Status NormalizeDepthToSpace(SourceNode node, OnnxGraphBuilder* builder) {
  int64_t b = 0;
  BNN_ASSIGN_OR_RETURN(const Dims dims, BlockDims(node, *builder, &b));
  const std::string mode = node.String("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return NodeError(node, "attribute 'mode' is \"" + mode + "\"");
  if (dims[1] % (b * b) != 0) {
    return NodeError(
        node, "blocksize " + std::to_string(b) + " squared does not divide " + std::to_string(dims[1]) + " channels");
  }
  const int64_t c = dims[1] / (b * b), h = dims[2], w = dims[3];
  std::vector<int64_t> joined = {-1, c, h * b, w * b};
  if (mode == "DCR") return EmitSplitAxes(node, builder, {-1, b, b, c, h, w}, {0, 3, 4, 1, 5, 2}, std::move(joined));
  return EmitSplitAxes(node, builder, {-1, c, b, b, h, w}, {0, 1, 4, 2, 5, 3}, std::move(joined));
}

}  // namespace bnn::formats
