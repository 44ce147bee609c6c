#include "formats/importers/onnx_importer.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "formats/importers/input_dims.h"
#include "formats/importers/onnx_attributes.h"
#include "formats/importers/onnx_normalize.h"
#include "formats/importers/onnx_tensor.h"
#include "formats/importers/source_file.h"

namespace bnn::formats {
namespace {

constexpr int64_t kOldestOpset = 7;   // the first with numpy's broadcasting
constexpr int64_t kNewestOpset = 23;  // 22 and 23 only add element types to the operators that we know
constexpr int kMaxNodes = 100000;
constexpr int64_t kMaxFileBytes = std::numeric_limits<int32_t>::max();  // protobuf's own limit

std::string NodeLabel(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.op_type() + "_" + (node.output_size() > 0 ? node.output(0) : "");
}

// Imports one graph; each member is one step.
class OnnxReader {
 public:
  OnnxReader(const onnx::ModelProto& model, std::string folder, const ImportOptions& options)
      : proto_(model.graph()), model_(model), folder_(std::move(folder)), options_(options) {}

  Result<SourceGraph> Read(const std::string& file) {
    graph_.file = file;
    BNN_RETURN_IF_ERROR(ReadOpset());
    BNN_RETURN_IF_ERROR(CheckOperators());
    BNN_RETURN_IF_ERROR(CollectNames());
    BNN_RETURN_IF_ERROR(SortNodes());
    OnnxGraphBuilder builder(&graph_, opset_, defined_, read_);
    BNN_RETURN_IF_ERROR(ReadConstants(&builder));
    BNN_RETURN_IF_ERROR(ReadInputs(&builder));
    for (const int index : order_) BNN_RETURN_IF_ERROR(ReadNode(proto_.node(index), &builder));
    for (const auto& output : proto_.output()) graph_.outputs.push_back(output.name());
    return std::move(graph_);
  }

 private:
  Status ReadOpset() {
    if (!model_.has_graph()) return InvalidModel("holds no graph");
    for (const auto& import : model_.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") opset_ = import.version();
    }
    if (opset_ < kOldestOpset || opset_ > kNewestOpset) {
      return Unsupported("is of opset " + std::to_string(opset_) + "; supported are " + std::to_string(kOldestOpset) +
                         " to " + std::to_string(kNewestOpset));
    }
    return OkStatus();
  }

  // All operators that are missing, in one error.
  Status CheckOperators() {
    if (proto_.node_size() > kMaxNodes) {
      return InvalidModel("has " + std::to_string(proto_.node_size()) + " nodes, the limit is " +
                          std::to_string(kMaxNodes));
    }
    std::string missing;
    for (const auto& node : proto_.node()) {
      if (FindOnnxOperator(node.domain(), node.op_type()) != nullptr) continue;
      const std::string domain = node.domain().empty() ? "" : node.domain() + ".";
      missing += "\n  node '" + NodeLabel(node) + "': " + domain + node.op_type();
    }
    return missing.empty() ? OkStatus() : Unsupported("these operators are not supported:" + missing);
  }

  Status Define(const std::string& name, const std::string& what) {
    if (name.empty()) return InvalidModel(what + " has no name");
    if (!defined_.insert(name).second) return InvalidModel(what + " '" + name + "' is defined twice");
    return OkStatus();
  }

  // Who defines which value. A file may list an initializer as an input as well: then it is a constant.
  Status CollectNames() {
    if (proto_.sparse_initializer_size() > 0) return Unsupported("has sparse initializers");
    for (const auto& initializer : proto_.initializer()) {
      BNN_RETURN_IF_ERROR(Define(initializer.name(), "initializer"));
    }
    const std::set<std::string> constants = defined_;
    for (int i = 0; i < proto_.input_size(); ++i) {
      if (constants.count(proto_.input(i).name()) > 0) continue;
      BNN_RETURN_IF_ERROR(Define(proto_.input(i).name(), "input"));
      inputs_.push_back(i);
    }
    for (int i = 0; i < proto_.node_size(); ++i) {
      const onnx::NodeProto& node = proto_.node(i);
      const std::string what = "node '" + NodeLabel(node) + "' (" + node.op_type() + ")";
      if (node.output_size() == 0 || node.output(0).empty()) return InvalidModel(what + " has no output");
      for (const std::string& output : node.output()) {
        if (output.empty()) continue;
        BNN_RETURN_IF_ERROR(Define(output, what + ": output"));
        producers_[output] = i;
      }
      read_.insert(node.input().begin(), node.input().end());
    }
    if (proto_.output_size() == 0) return InvalidModel("the graph has no output");
    for (const auto& output : proto_.output()) {
      if (defined_.count(output.name()) == 0) {
        return InvalidModel("nothing produces the output '" + output.name() + "'");
      }
      if (!outputs_.insert(output.name()).second) {
        return InvalidModel("output '" + output.name() + "' is listed twice");
      }
      read_.insert(output.name());
    }
    return OkStatus();
  }

  // Topological order, as close to the file's as possible: of the nodes that are ready, the first.
  Status SortNodes() {
    std::vector<int> waits(static_cast<size_t>(proto_.node_size()), 0);
    std::vector<std::vector<int>> readers(waits.size());
    std::set<int> ready;
    for (int i = 0; i < proto_.node_size(); ++i) {
      for (const std::string& input : proto_.node(i).input()) {
        if (input.empty()) continue;
        if (defined_.count(input) == 0) {
          return InvalidModel("node '" + NodeLabel(proto_.node(i)) + "' (" + proto_.node(i).op_type() + ") reads '" +
                              input + "', which nothing produces");
        }
        const auto producer = producers_.find(input);
        if (producer == producers_.end()) continue;
        ++waits[i];
        readers[producer->second].push_back(i);
      }
      if (waits[i] == 0) ready.insert(i);
    }
    while (!ready.empty()) {
      const int next = *ready.begin();
      ready.erase(ready.begin());
      order_.push_back(next);
      for (const int reader : readers[next]) {
        if (--waits[reader] == 0) ready.insert(reader);
      }
    }
    if (static_cast<int>(order_.size()) == proto_.node_size()) return OkStatus();
    const auto stuck = std::find_if(waits.begin(), waits.end(), [](int count) { return count > 0; });
    const auto& node = proto_.node(static_cast<int>(stuck - waits.begin()));
    return InvalidModel("node '" + NodeLabel(node) + "' (" + node.op_type() + ") is part of a cycle or depends on one");
  }

  Status ReadConstants(OnnxGraphBuilder* builder) {
    for (const auto& initializer : proto_.initializer()) {
      const std::string what = "initializer '" + initializer.name() + "'";
      BNN_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(initializer, what, folder_));
      builder->DefineConstant(initializer.name(), std::move(tensor));
      builder->SetElementType(initializer.name(), initializer.data_type());
    }
    return OkStatus();
  }

  Status ReadInputs(OnnxGraphBuilder* builder) {
    size_t open_batches = 0;
    for (const int index : inputs_) {
      bool batch_is_open = false;
      BNN_RETURN_IF_ERROR(ReadInput(proto_.input(index), builder, &batch_is_open));
      open_batches += batch_is_open ? 1 : 0;
    }
    BNN_RETURN_IF_ERROR(CheckGivenShapes(graph_.inputs, options_));
    if (open_batches > 0 && open_batches == inputs_.size()) builder->OpenBatch();
    return OkStatus();
  }

  Status ReadInput(const onnx::ValueInfoProto& input, OnnxGraphBuilder* builder, bool* batch_is_open) {
    const std::string what = "input '" + input.name() + "'";
    if (!input.type().has_tensor_type()) return Unsupported(what + " is no tensor");
    const auto& type = input.type().tensor_type();
    ValueInfo info;
    if (!DTypeFromOnnx(type.elem_type(), &info.type)) {
      return Unsupported(what + " has the data type " + std::to_string(type.elem_type()));
    }
    std::optional<std::vector<DeclaredDim>> declared;
    if (type.has_shape()) declared.emplace();
    for (const auto& dim : type.shape().dim()) {
      declared->push_back(
          {dim.has_dim_value() ? std::optional<int64_t>(dim.dim_value()) : std::nullopt, dim.dim_param()});
    }
    BNN_ASSIGN_OR_RETURN(InputDims resolved, ResolveInputDims(input.name(), declared, options_));
    *batch_is_open = resolved.batch_is_open;
    info.dims = std::move(resolved.dims);
    builder->DefineInput(input.name(), std::move(info));
    return OkStatus();
  }

  Status ReadNode(const onnx::NodeProto& proto, OnnxGraphBuilder* builder) {
    SourceNode node;
    node.name = NodeLabel(proto);
    node.op = proto.op_type();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
    while (node.outputs.size() > 1 && node.outputs.back().empty()) node.outputs.pop_back();
    BNN_RETURN_IF_ERROR(ReadOnnxAttributes(proto, opset_, folder_, &node));
    for (const auto& attribute : proto.attribute()) {
      if (node.op == "Constant" && attribute.has_t())
        builder->SetElementType(node.outputs[0], attribute.t().data_type());
    }
    return FindOnnxOperator(proto.domain(), proto.op_type())->normalize(std::move(node), builder);
  }

  const onnx::GraphProto& proto_;
  const onnx::ModelProto& model_;
  std::string folder_;
  const ImportOptions& options_;
  int64_t opset_ = 0;
  SourceGraph graph_;
  std::set<std::string> defined_;  // all value names
  std::set<std::string> read_;     // by a node or as an output
  std::set<std::string> outputs_;
  std::map<std::string, int> producers_;  // value -> node
  std::vector<int> inputs_;               // indices of proto_.input() that are no constants
  std::vector<int> order_;                // of the nodes
};

Result<SourceGraph> ParseAndRead(std::string_view bytes, const std::string& name, const std::string& folder,
                                 const ImportOptions& options) {
  if (static_cast<int64_t>(bytes.size()) > kMaxFileBytes) return Unsupported("is larger than 2 GiB");
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidModel("is no ONNX file, or is damaged: its protobuf encoding cannot be read");
  }
  BNN_ASSIGN_OR_RETURN(SourceGraph graph, OnnxReader(model, folder, options).Read(name));
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(graph));
  return graph;
}

// ONNX files have no signature. They begin with field 1 (ir_version, a varint below 128) of ModelProto.
bool RecognizesOnnx(std::string_view path, std::string_view first_bytes) {
  return path.ends_with(".onnx") ||
         (first_bytes.size() >= 2 && first_bytes[0] == '\x08' && first_bytes[1] > 0 && first_bytes[1] < 32);
}

Result<SourceGraph> ImportOnnx(const std::string& path, const ImportOptions& options) {
  return GuardImport(path, [&]() -> Result<SourceGraph> {
    BNN_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path, kMaxFileBytes));
    return ParseAndRead(bytes, path, std::filesystem::path(path).parent_path().string(), options);
  });
}

}  // namespace

const Importer kOnnxImporter = {
    "onnx",
    "ONNX, opsets 7 to 23, with the binary quantizers of QONNX, Brevitas, FINN and NNCF",
    RecognizesOnnx,
    ImportOnnx,
};

Result<SourceGraph> ImportOnnxBytes(std::string_view bytes, const std::string& name, const std::string& folder,
                                    const ImportOptions& options) {
  return GuardImport(name, [&] { return ParseAndRead(bytes, name, folder, options); });
}

}  // namespace bnn::formats
