// Resize of maps along height and width.
#include "formats/ops/resize.h"

#include <map>
#include <string>
#include <vector>

#include "formats/lower/operators.h"

namespace bnn::formats {

Status LowerResize(Lowering& lowering, const SourceNode& node) {
  static const std::map<std::string, ResizeKind> kKinds = {{"nearest", ResizeKind::kNearest},
                                                           {"linear", ResizeKind::kLinear}};
  static const std::map<std::string, Coordinates> kCoordinates = {
      {"half_pixel", Coordinates::kHalfPixel},
      {"asymmetric", Coordinates::kAsymmetric},
      {"align_corners", Coordinates::kAlignCorners},
      {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
      {"tf_half_pixel_for_nn", Coordinates::kTfHalfPixel}};
  static const std::map<std::string, Nearest> kNearests = {{"round_prefer_floor", Nearest::kPreferFloor},
                                                           {"round_prefer_ceil", Nearest::kPreferCeil},
                                                           {"floor", Nearest::kFloor},
                                                           {"ceil", Nearest::kCeil}};
  const auto kind = kKinds.find(node.String("mode", "nearest"));
  const auto coordinates = kCoordinates.find(node.String("coordinate_transformation_mode", "half_pixel"));
  const auto nearest = kNearests.find(node.String("nearest_mode", "round_prefer_floor"));
  if (kind == kKinds.end() || coordinates == kCoordinates.end() || nearest == kNearests.end()) {
    return NodeNotLowered(node, "its mode is not supported");
  }
  const Dims& in = lowering.DimsOf(node.inputs[0]);
  if (in.size() != 4) return NodeNotLowered(node, "only maps are resized; its input is " + DimsToString(in));
  const auto constant = [&](size_t i) {
    return node.HasInput(i) ? lowering.graph.FindConstant(node.inputs[i]) : nullptr;
  };
  for (const size_t i : {2, 3}) {
    if (node.HasInput(i) && constant(i) == nullptr) {
      return NodeNotLowered(node, "'" + node.inputs[i] + "' is not constant");
    }
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<ResizedAxis> axes, ResizedAxes(node, in, constant(2), constant(3)));
  for (size_t i = 0; i < 2; ++i) {
    if (axes[i].out != axes[i].in || axes[i].scale != 1) {
      return NodeNotLowered(node, std::string("it resizes ") + (i == 0 ? "the batch" : "channels"));
    }
  }
  Resize2d op{kind->second, coordinates->second, nearest->second};
  const bool by_size = axes[2].size + axes[3].size > 0;
  if (by_size) {
    op.height = axes[2].out;
    op.width = axes[3].out;
  } else {
    op.scale_h = axes[2].scale;
    op.scale_w = axes[3].scale;
  }
  BNN_ASSIGN_OR_RETURN(const int map, lowering.Stored(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, op, {map}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], {out, Order::kNhwc, {}});
  return OkStatus();
}

}  // namespace bnn::formats
