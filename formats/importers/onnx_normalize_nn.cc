#include <algorithm>
#include <string>

#include "formats/importers/onnx_normalize.h"
#include "formats/ops/evaluator.h"

namespace bnn::formats {
namespace {

// Outputs beyond the first are for training, or for what we do not do: they may be named, but not read.
Status KeepFirstOutput(SourceNode* node, const OnnxGraphBuilder& builder) {
  for (size_t i = 1; i < node->outputs.size(); ++i) {
    if (builder.IsRead(node->outputs[i])) {
      return NodeUnsupported(*node, "its output " + std::to_string(i) + " ('" + node->outputs[i] + "') is used");
    }
  }
  node->outputs.resize(1);
  return OkStatus();
}

}  // namespace

Status NormalizeBatchNormalization(SourceNode node, OnnxGraphBuilder* builder) {
  if (node.Int("training_mode", 0) != 0) return NodeUnsupported(node, "is in training mode");
  if (node.Int("spatial", 1) != 1) return NodeUnsupported(node, "attribute 'spatial' is 0");
  BNN_RETURN_IF_ERROR(KeepFirstOutput(&node, *builder));
  for (const char* key : {"training_mode", "spatial", "momentum"}) node.attributes.erase(key);
  return builder->Emit(std::move(node));
}

// At inference Dropout passes its input on. Since opset 12 an input can switch it to training.
Status NormalizeDropout(SourceNode node, OnnxGraphBuilder* builder) {
  BNN_RETURN_IF_ERROR(KeepFirstOutput(&node, *builder));
  if (node.HasInput(2)) {
    const Tensor* training = builder->shapes().FindKnown(node.inputs[2]);
    const bool is_off =
        training != nullptr && training->size() == 1 && training->type == DType::kBool && training->integers[0] == 0;
    if (!is_off) return NodeUnsupported(node, "may be in training mode");
  }
  if (!node.HasInput(0)) return NodeError(node, "required input 0 is absent");
  node.op = "Identity";
  node.inputs.resize(1);
  node.attributes.clear();
  return builder->Emit(std::move(node));
}

// Before opset 13, Softmax saw its input as a matrix: the dims before `axis` (default 1) are its rows, the others its
// columns. That is the newer Softmax where the axis is the last one, and else needs a Reshape around it.
Status NormalizeSoftmax(SourceNode node, OnnxGraphBuilder* builder) {
  if (!node.HasInput(0)) return NodeError(node, "required input 0 is absent");
  const Dims dims = builder->DimsOf(node.inputs[0]);
  const auto rank = static_cast<int64_t>(dims.size());
  const bool is_matrix_form = builder->opset() < 13;
  BNN_ASSIGN_OR_RETURN(const int64_t axis, ResolveAxis(node, node.Int("axis", is_matrix_form ? 1 : -1), rank));
  node.attributes["axis"] = axis;
  if (!is_matrix_form || axis == rank - 1) return builder->Emit(std::move(node));

  // The first dim stays open, for any batch: -1 in both targets.
  std::vector<int64_t> matrix = {-1, CountElements(Dims(dims.begin() + axis, dims.end()))};
  std::vector<int64_t> back = dims;
  back[0] = -1;
  if (axis == 0) matrix = {1, -1};
  if (CountElements(dims) == 0) return NodeUnsupported(node, "works on an empty tensor");
  SourceNode before;
  before.name = node.name + "/Reshape_before";
  before.op = "Reshape";
  before.inputs = {node.inputs[0], builder->AddConstant(node.outputs[0] + "/matrix", IntTensor({2}, matrix))};
  before.outputs = {builder->NewValueName(node.outputs[0] + "/reshaped")};
  SourceNode after;
  after.name = node.name + "/Reshape_after";
  after.op = "Reshape";
  after.inputs = {builder->NewValueName(node.outputs[0] + "/softmax"),
                  builder->AddConstant(node.outputs[0] + "/back", IntTensor({rank}, back))};
  after.outputs = node.outputs;
  node.inputs = before.outputs;
  node.outputs = {after.inputs[0]};
  node.attributes["axis"] = int64_t{1};
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(before)));
  BNN_RETURN_IF_ERROR(builder->Emit(std::move(node)));
  return builder->Emit(std::move(after));
}

// Conv, MaxPool and AveragePool: all of the window is written out, with explicit pads.
Status NormalizeWindow(SourceNode node, OnnxGraphBuilder* builder) {
  const bool is_conv = node.op == "Conv";
  if (!is_conv) BNN_RETURN_IF_ERROR(KeepFirstOutput(&node, *builder));
  node.attributes.erase("storage_order");  // of the indices, which nobody reads
  BNN_RETURN_IF_ERROR(WriteOutWindow(&node, *builder));
  return builder->Emit(std::move(node));
}

}  // namespace bnn::formats
