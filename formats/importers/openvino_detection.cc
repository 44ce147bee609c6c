// The head of SSD: priors and the choice of detections.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "formats/importers/openvino_operators.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

Status CopyFloats(const IrNode& node, const std::vector<const char*>& keys, AttributeMap* attributes) {
  for (const char* key : keys) {
    BNN_ASSIGN_OR_RETURN((*attributes)[key], node.Floats(key, std::vector<float>{}));
  }
  return OkStatus();
}

Status CopyBools(const IrNode& node, const std::vector<std::pair<const char*, bool>>& fallbacks,
                 AttributeMap* attributes) {
  for (const auto& [key, fallback] : fallbacks) {
    BNN_ASSIGN_OR_RETURN(const bool value, node.Bool(key, fallback));
    (*attributes)[key] = int64_t{value ? 1 : 0};
  }
  return OkStatus();
}

}  // namespace

Status ImportPriorBox(const IrNode& node) {
  AttributeMap attributes;
  BNN_RETURN_IF_ERROR(CopyFloats(
      node, {"min_size", "max_size", "aspect_ratio", "fixed_size", "fixed_ratio", "density", "variance"}, &attributes));
  BNN_RETURN_IF_ERROR(CopyBools(
      node, {{"flip", false}, {"clip", false}, {"scale_all_sizes", true}, {"min_max_aspect_ratios_order", true}},
      &attributes));
  BNN_ASSIGN_OR_RETURN(attributes["step"], node.Float("step", 0.0F));
  BNN_ASSIGN_OR_RETURN(attributes["offset"], node.Float("offset"));
  return node.Finish("PriorBox", {node.inputs[0], node.inputs[1]}, attributes);
}

// `step` serves both directions where theirs is 0.
Status ImportPriorBoxClustered(const IrNode& node) {
  AttributeMap attributes;
  BNN_RETURN_IF_ERROR(CopyFloats(node, {"width", "height", "variance"}, &attributes));
  BNN_RETURN_IF_ERROR(CopyBools(node, {{"clip", false}}, &attributes));
  BNN_ASSIGN_OR_RETURN(const float step, node.Float("step", 0.0F));
  for (const char* key : {"step_w", "step_h"}) {
    BNN_ASSIGN_OR_RETURN(const float own, node.Float(key, 0.0F));
    attributes[key] = own == 0 ? step : own;
  }
  BNN_ASSIGN_OR_RETURN(attributes["offset"], node.Float("offset"));
  return node.Finish("PriorBoxClustered", {node.inputs[0], node.inputs[1]}, attributes);
}

Status ImportDetectionOutput(const IrNode& node) {
  if (node.inputs.size() != 3) {
    return node.NotSupported("the form with " + std::to_string(node.inputs.size()) +
                             " inputs, which refines boxes in two steps");
  }
  AttributeMap attributes;
  BNN_RETURN_IF_ERROR(CopyBools(node,
                                {{"variance_encoded_in_target", false},
                                 {"share_location", true},
                                 {"clip_after_nms", false},
                                 {"clip_before_nms", false},
                                 {"decrease_label_id", false},
                                 {"normalized", false}},
                                &attributes));
  if (node.Has("num_classes")) {
    BNN_ASSIGN_OR_RETURN(attributes["num_classes"], node.Int("num_classes"));
  }
  BNN_ASSIGN_OR_RETURN(attributes["background_label_id"], node.Int("background_label_id", 0));
  BNN_ASSIGN_OR_RETURN(attributes["top_k"], node.Int("top_k", -1));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> keep, node.Ints("keep_top_k"));
  if (keep.size() != 1) return node.NotSupported("attribute 'keep_top_k' is " + DimsToString(keep));
  attributes["keep_top_k"] = keep[0];
  BNN_ASSIGN_OR_RETURN(attributes["input_height"], node.Int("input_height", 1));
  BNN_ASSIGN_OR_RETURN(attributes["input_width"], node.Int("input_width", 1));
  BNN_ASSIGN_OR_RETURN(attributes["nms_threshold"], node.Float("nms_threshold"));
  BNN_ASSIGN_OR_RETURN(attributes["confidence_threshold"], node.Float("confidence_threshold", 0.0F));
  const std::string corner = "caffe.priorboxparameter.corner", center = "caffe.priorboxparameter.center_size";
  BNN_ASSIGN_OR_RETURN(const std::string code, node.Word("code_type", {corner, center}, corner));
  attributes["code_type"] = std::string(code == corner ? "corner" : "center_size");
  return node.Finish("DetectionOutput", {node.inputs[0], node.inputs[1], node.inputs[2]}, attributes);
}

}  // namespace bnn::formats
