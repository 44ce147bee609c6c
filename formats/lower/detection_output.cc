#include <string>
#include <utility>
#include <vector>

#include "formats/lower/operators.h"
#include "formats/ops/detection_output.h"

namespace bnn::formats {

// The priors depend on sizes only, so they are constant by now; the model keeps them as parts of the image.
Status LowerDetectionOutput(Lowering& lowering, const SourceNode& node) {
  const Tensor* priors = lowering.graph.FindConstant(node.inputs[2]);
  if (priors == nullptr) return NodeNotLowered(node, "its priors '" + node.inputs[2] + "' are not constant");
  BNN_ASSIGN_OR_RETURN(DetectionOutput op, ReadDetectionOutput(node, {lowering.DimsOf(node.inputs[0]),
                                                                      lowering.DimsOf(node.inputs[1]), priors->dims}));
  BNN_ASSIGN_OR_RETURN(const std::vector<float> values, DetectionPriors(node, *priors));
  const int64_t parts = priors->dims[1];
  op.priors = lowering.builder.AddFloats({parts, static_cast<int64_t>(values.size()) / (parts * 4), 4}, values);
  BNN_ASSIGN_OR_RETURN(const int boxes, lowering.Natural(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(const int scores, lowering.Natural(node.inputs[1]));
  BNN_ASSIGN_OR_RETURN(const int out, lowering.Emit(node, std::move(op), {boxes, scores}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], {out, Order::kSource, {}});
  return OkStatus();
}

}  // namespace bnn::formats
