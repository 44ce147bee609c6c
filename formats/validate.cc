#include "formats/validate.h"

#include <cmath>
#include <string>
#include <unordered_map>

#include "formats/op_rules.h"
#include "formats/text.h"

namespace bnn::formats {
namespace {

std::string Indexed(const char* list, size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

// "found X, expected Y" at a field.
Status Wrong(const std::string& field, const std::string& found, const std::string& expected) {
  return InvalidModel(field + ": found " + found + ", expected " + expected);
}

Status CheckName(const std::string& field, const std::string& name, bool may_be_empty) {
  if (name.empty() && !may_be_empty) return Wrong(field, "an empty name", "a name");
  if (static_cast<int64_t>(name.size()) > kMaxNameBytes) {
    return Wrong(field, std::to_string(name.size()) + " bytes", "at most " + std::to_string(kMaxNameBytes));
  }
  if (!IsPrintableUtf8(name)) return Wrong(field, "control characters or broken UTF-8", "printable UTF-8");
  return OkStatus();
}

Status CheckCount(const char* list, size_t found, int64_t least, int64_t most) {
  const int64_t count = static_cast<int64_t>(found);
  if (count >= least && count <= most) return OkStatus();
  return Wrong(list, std::to_string(count), std::to_string(least) + " to " + std::to_string(most));
}

Status CheckType(const std::string& field, ElementType type) {
  if (type >= ElementType::kFloat32 && type <= ElementType::kBits4) return OkStatus();
  return Wrong(field, "value " + std::to_string(static_cast<int>(type)),
               "float32 (1), bits (2), int8 (3), uint8 (4), bits2 (5), bits3 (6) or bits4 (7)");
}

// The dims of tensors and blobs; `most` elements, -1: no limit here.
Status CheckDims(const std::string& field, ElementType type, const std::vector<int64_t>& dims, int64_t most) {
  const std::string found = ShapeText(dims);
  if (static_cast<int64_t>(dims.size()) > kMaxRank) {
    return Wrong(field, found, "at most " + std::to_string(kMaxRank) + " axes");
  }
  if (BitsOf(type) > 0 && dims.empty()) return Wrong(field, found, "at least one axis for bits");
  int64_t elements = 1;
  for (const int64_t dim : dims) {
    if (dim < 1 || dim > kMaxDim) return Wrong(field, found, "each from 1 to " + std::to_string(kMaxDim));
    if (most < 0) continue;
    elements *= dim;  // both below 2^31
    if (elements > most) return Wrong(field, found, "at most " + std::to_string(most) + " elements");
  }
  return OkStatus();
}

// "bits 'x'"
std::string NamedText(const TensorDef& tensor) { return TypeName(tensor.type) + (" '" + tensor.name + "'"); }

class Validator {
 public:
  explicit Validator(const ModelDef& model) : model_(model), known_(model.tensors.size(), false) {}

  Status Run() {
    BNN_RETURN_IF_ERROR(CheckHeader());
    FindRoles();
    for (size_t i = 0; i < model_.tensors.size(); ++i) BNN_RETURN_IF_ERROR(CheckTensor(i));
    for (size_t i = 0; i < model_.blobs.size(); ++i) BNN_RETURN_IF_ERROR(CheckBlob(i));
    for (size_t i = 0; i < model_.inputs.size(); ++i) BNN_RETURN_IF_ERROR(CheckInput(i));
    for (size_t i = 0; i < model_.nodes.size(); ++i) BNN_RETURN_IF_ERROR(CheckNode(i));
    for (size_t i = 0; i < model_.tensors.size(); ++i) {
      if (!known_[i]) return Wrong(Quoted(i), "no node or input that gives it", "one");
    }
    return CheckOutputs();
  }

 private:
  const TensorDef& tensor(int index) const { return model_.tensors[static_cast<size_t>(index)]; }
  std::string Quoted(size_t index) const { return "tensor '" + model_.tensors[index].name + "'"; }

  Status CheckHeader() {
    BNN_RETURN_IF_ERROR(CheckName("producer", model_.producer, /*may_be_empty=*/true));
    BNN_RETURN_IF_ERROR(CheckName("source", model_.source, /*may_be_empty=*/true));
    if (model_.source_batch < 0 || model_.source_batch > kMaxDim) {
      return Wrong("source_batch", std::to_string(model_.source_batch), "0 to " + std::to_string(kMaxDim));
    }
    BNN_RETURN_IF_ERROR(CheckCount("tensors", model_.tensors.size(), 1, kMaxTensors));
    BNN_RETURN_IF_ERROR(CheckCount("blobs", model_.blobs.size(), 0, kMaxBlobs));
    BNN_RETURN_IF_ERROR(CheckCount("nodes", model_.nodes.size(), 0, kMaxNodes));
    BNN_RETURN_IF_ERROR(CheckCount("inputs", model_.inputs.size(), 1, kMaxTensors));
    return CheckCount("outputs", model_.outputs.size(), 1, kMaxTensors);
  }

  // Indices out of range are found later.
  void FindRoles() {
    roles_.assign(model_.tensors.size(), 0);
    const auto mark = [&](int index, uint8_t role) {
      if (index >= 0 && static_cast<size_t>(index) < roles_.size()) roles_[static_cast<size_t>(index)] |= role;
    };
    for (const InputDef& input : model_.inputs) mark(input.tensor, kInput);
    for (const int output : model_.outputs) mark(output, kOutput);
  }

  // Names are unique, but for one case: a network may return its own input, which then has two tensors of one name.
  bool TakeName(std::string_view name, uint8_t role) {
    const auto [taken, is_new] = roles_by_name_.try_emplace(name, role);
    if (is_new) return true;
    const bool input_and_output =
        (taken->second == kInput && role == kOutput) || (taken->second == kOutput && role == kInput);
    taken->second = kInput | kOutput;
    return input_and_output;
  }

  Status CheckTensor(size_t index) {
    const TensorDef& tensor = model_.tensors[index];
    BNN_RETURN_IF_ERROR(CheckName(Indexed("tensors", index) + ".name", tensor.name, /*may_be_empty=*/false));
    if (!TakeName(tensor.name, roles_[index])) {
      return Wrong(Indexed("tensors", index) + ".name", "'" + tensor.name + "' a second time", "unique names");
    }
    BNN_RETURN_IF_ERROR(CheckType(Quoted(index) + ", type", tensor.type));
    return CheckDims(Quoted(index) + ", dims", tensor.type, tensor.dims, kMaxElements);
  }

  Status CheckBlob(size_t index) const {
    const Blob& blob = model_.blobs[index];
    const std::string field = Indexed("blobs", index);
    BNN_RETURN_IF_ERROR(CheckType(field + ".type", blob.type));
    if (BitsOf(blob.type) > 1) return Wrong(field + ".type", TypeName(blob.type), "a type of constants");
    BNN_RETURN_IF_ERROR(CheckDims(field + ".dims", blob.type, blob.dims, -1));
    const int64_t expected = BlobBytes(blob.type, blob.dims);
    if (expected < 0) {
      return Wrong(field + ".dims", ShapeText(blob.dims), "at most " + std::to_string(kMaxBlobBytes) + " bytes");
    }
    if (static_cast<int64_t>(blob.data.size()) != expected) {
      return Wrong(field + ".data", std::to_string(blob.data.size()) + " bytes",
                   std::to_string(expected) + " for " + TypedShapeText(blob.type, blob.dims));
    }
    const Status spare = CheckSpareBits(blob);
    return spare.ok() ? spare : InvalidModel(field + ".data: " + spare.message());
  }

  Status CheckIndex(const std::string& field, int index) const {
    if (index >= 0 && static_cast<size_t>(index) < model_.tensors.size()) return OkStatus();
    return Wrong(field, index == kNone ? "no tensor" : "tensor " + std::to_string(index),
                 "an index below " + std::to_string(model_.tensors.size()));
  }

  // Marks a tensor as given by an input or a node.
  Status Produce(const std::string& field, int index) {
    BNN_RETURN_IF_ERROR(CheckIndex(field, index));
    if (known_[static_cast<size_t>(index)]) {
      return Wrong(field, "'" + tensor(index).name + "', which something else already gives", "a tensor of its own");
    }
    known_[static_cast<size_t>(index)] = true;
    return OkStatus();
  }

  Status CheckPreprocessing(const std::string& field, const std::vector<float>& values, int64_t channels) const {
    const int64_t size = static_cast<int64_t>(values.size());
    if (size > 1 && size != channels) {
      return Wrong(field, std::to_string(size) + " values", "none, 1 or " + std::to_string(channels));
    }
    for (const float value : values) {
      if (!std::isfinite(value)) return Wrong(field, std::to_string(value), "finite numbers");
    }
    return OkStatus();
  }

  Status CheckInput(size_t index) {
    const InputDef& input = model_.inputs[index];
    const std::string field = Indexed("inputs", index);
    BNN_RETURN_IF_ERROR(Produce(field + ".tensor", input.tensor));
    const TensorDef& fed = tensor(input.tensor);
    if (fed.type != ElementType::kFloat32) return Wrong(field, NamedText(fed), "float32");
    int64_t channels = 1;
    switch (input.layout) {
      case ImageLayout::kNotAnImage:
        break;
      case ImageLayout::kNchw:
      case ImageLayout::kNhwc:
        if (fed.dims.size() != 3) return Wrong(field + ".layout", "dims " + ShapeText(fed.dims), "3 axes for an image");
        channels = input.layout == ImageLayout::kNchw ? fed.dims[0] : fed.dims[2];
        break;
    }
    if (input.layout > ImageLayout::kNhwc) {
      return Wrong(field + ".layout", "value " + std::to_string(static_cast<int>(input.layout)), "0 to 2");
    }
    BNN_RETURN_IF_ERROR(CheckPreprocessing(field + ".preprocessing.mean", input.preprocessing.mean, channels));
    return CheckPreprocessing(field + ".preprocessing.scale", input.preprocessing.scale, channels);
  }

  Status CheckNode(size_t index) {
    const NodeDef& node = model_.nodes[index];
    BNN_RETURN_IF_ERROR(CheckName(Indexed("nodes", index) + ".name", node.name, /*may_be_empty=*/false));
    const Status status = CheckNodeOp(node);
    if (status.ok()) return status;
    return {status.code(), "node '" + node.name + "' (" + OpName(node.op) + "), " + status.message()};
  }

  Status CheckNodeOp(const NodeDef& node) {
    std::vector<ElementType> types;
    std::vector<std::vector<int64_t>> dims;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string field = Indexed("inputs", i);
      BNN_RETURN_IF_ERROR(CheckIndex(field, node.inputs[i]));
      const TensorDef& input = tensor(node.inputs[i]);
      if (!known_[static_cast<size_t>(node.inputs[i])]) {
        return Wrong(field, "'" + input.name + "', which nothing before this node gives", "an earlier tensor");
      }
      types.push_back(input.type);
      dims.push_back(input.dims);
    }
    BNN_RETURN_IF_ERROR(Produce("output", node.output));
    const TensorDef& output = tensor(node.output);
    BNN_ASSIGN_OR_RETURN(const ElementType type, OutputType(node.op, types));
    if (output.type != type) {
      return Wrong("output", TypedShapeText(output.type, output.dims), TypeName(type));
    }
    BNN_RETURN_IF_ERROR(CheckOutputDims(node.op, dims, output));
    BNN_RETURN_IF_ERROR(CheckBinarySums(node.op, types, model_.blobs));
    return CheckOpValues(node.op, model_.blobs);
  }

  Status CheckOutputDims(const Op& op, const std::vector<std::vector<int64_t>>& inputs, const TensorDef& output) const {
    if (std::holds_alternative<Reshape>(op)) {
      if (inputs.size() != 1) return Wrong("inputs", std::to_string(inputs.size()), "1");
      return CheckReshape(output.type, inputs[0], output.dims);
    }
    BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, OutputDims(op, inputs, model_.blobs));
    if (output.dims == dims) return OkStatus();
    return Wrong("output", "dims " + ShapeText(output.dims), ShapeText(dims));
  }

  Status CheckOutputs() const {
    std::vector<bool> seen(model_.tensors.size(), false);
    for (size_t i = 0; i < model_.outputs.size(); ++i) {
      const int index = model_.outputs[i];
      const std::string field = Indexed("outputs", i);
      BNN_RETURN_IF_ERROR(CheckIndex(field, index));
      if (tensor(index).type != ElementType::kFloat32) return Wrong(field, NamedText(tensor(index)), "float32");
      if (seen[static_cast<size_t>(index)]) {
        return Wrong(field, "'" + tensor(index).name + "' a second time", "each tensor once");
      }
      seen[static_cast<size_t>(index)] = true;
    }
    return OkStatus();
  }

  static constexpr uint8_t kInput = 1;
  static constexpr uint8_t kOutput = 2;

  const ModelDef& model_;
  std::vector<uint8_t> roles_;  // by tensor
  std::vector<bool> known_;     // by tensor: given by an input or by a node so far
  std::unordered_map<std::string_view, uint8_t> roles_by_name_;
};

}  // namespace

Status Validate(const ModelDef& model, std::string_view name) {
  const Status status = Validator(model).Run();
  if (status.ok()) return status;
  return {status.code(), std::string(name) + ": " + status.message()};
}

}  // namespace bnn::formats
