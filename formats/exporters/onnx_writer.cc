#include "formats/exporters/onnx_writer.h"

#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <set>
#include <string_view>
#include <utility>

#include "formats/file_writer.h"
#include "formats/onnx_proto.h"
#include "formats/ops/evaluator.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

constexpr int64_t kLowestOpset = 13;  // the first whose Squeeze, Unsqueeze, Split and ReduceSum take inputs, as ours do
constexpr int64_t kIrVersion = 7;     // the one that came with opset 13; readers accept newer opsets beside it

constexpr struct {
  const char* op;
  const char* domain;
} kQuantizers[] = {
    {"BipolarQuant", "qonnx.custom_op.general"},
    {"FakeQuantize", "org.openvinotoolkit"},
};

// Attributes and operators that came after the lowest opset.
constexpr struct {
  const char* op;
  const char* attribute;  // "": the operator itself
  int64_t opset;
} kNewer[] = {
    {"AveragePool", "dilations", 19},
    {"HardSwish", "", 14},
    {"Reshape", "allowzero", 14},
};

// These take their axes as an attribute up to opset 17, and as an input from then on.
bool ReducesByAttribute(const std::string& op) {
  return op == "ReduceMax" || op == "ReduceMean" || op == "ReduceMin" || op == "ReduceProd";
}

std::string DomainOf(const std::string& op) {
  for (const auto& quantizer : kQuantizers) {
    if (op == quantizer.op) return quantizer.domain;
  }
  return "";
}

bool IsOnlyOnes(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 1; });
}

class OnnxWriter {
 public:
  explicit OnnxWriter(const SourceGraph& graph) : graph_(graph) {}

  Result<std::string> Write() {
    BNN_RETURN_IF_ERROR(ChooseOpset());
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("bnn-convert");
    model_.set_producer_version(BNN_VERSION);
    proto_ = model_.mutable_graph();
    proto_->set_name(graph_.file);
    BNN_RETURN_IF_ERROR(WriteInputsAndOutputs());
    for (const SourceNode& node : graph_.nodes) WriteNode(node);
    for (const auto& [name, tensor] : graph_.constants) {
      if (as_attribute_.count(name) == 0) WriteTensor(tensor, name, proto_->add_initializer());
    }
    AddImport("", opset_);
    for (const std::string& domain : domains_) AddImport(domain, 1);
    if (model_.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
      return Unsupported("the ONNX file would be larger than 2 GiB");
    }
    std::string bytes;
    if (!model_.SerializeToString(&bytes)) return InternalError("protobuf cannot serialize the ONNX model");
    return bytes;
  }

 private:
  static bool Drops(const SourceNode& node, const std::string& key) {
    return node.op == "AveragePool" && key == "dilations" && IsOnlyOnes(node.Ints(key, {}));
  }

  // The lowest opset at which all nodes exist as they are. Constant axes can be written for any.
  Status ChooseOpset() {
    for (const SourceNode& node : graph_.nodes) {
      for (const auto& newer : kNewer) {
        if (node.op != newer.op) continue;
        const std::string key = newer.attribute;
        const bool is_used = key.empty() || (node.attributes.count(key) > 0 && !Drops(node, key));
        if (is_used) opset_ = std::max(opset_, newer.opset);
      }
      if (ReducesByAttribute(node.op) && node.HasInput(1) && graph_.FindConstant(node.inputs[1]) == nullptr) {
        opset_ = std::max<int64_t>(opset_, 18);
      }
      if (!DomainOf(node.op).empty()) {
        domains_.insert(DomainOf(node.op));
      } else if (onnx::OpSchemaRegistry::Schema(node.op, "") == nullptr) {
        return NodeUnsupported(node, "ONNX has no such operator");
      }
    }
    if (opset_ < 18) FindAxesAttributes();
    return OkStatus();
  }

  // Constants that only serve as the axes of such nodes are not written as initializers.
  void FindAxesAttributes() {
    for (const SourceNode& node : graph_.nodes) {
      if (ReducesByAttribute(node.op) && node.HasInput(1)) as_attribute_.insert(node.inputs[1]);
    }
    for (const SourceNode& node : graph_.nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (i != 1 || !ReducesByAttribute(node.op)) as_attribute_.erase(node.inputs[i]);
      }
    }
    for (const std::string& output : graph_.outputs) as_attribute_.erase(output);
  }

  void AddImport(const std::string& domain, int64_t version) {
    auto* import = model_.add_opset_import();
    import->set_domain(domain);
    import->set_version(version);
  }

  // Dims that grow with an open batch are written as open.
  Status WriteInputsAndOutputs() {
    for (const std::string& name : graph_.inputs) {
      Dims doubled = graph_.FindValue(name)->dims;
      if (graph_.batch_is_symbolic && !doubled.empty()) doubled[0] *= 2;
      WriteValue(name, doubled, proto_->add_input());
    }
    Result<ShapeInference> shapes = InferGraphWithBatch(graph_, graph_.batch_is_symbolic ? 2 : 1);
    for (const std::string& name : graph_.outputs) {
      ValueInfo info = *graph_.FindValue(name);
      if (graph_.batch_is_symbolic && shapes.ok()) shapes->FindValue(name, &info);
      WriteValue(name, info.dims, proto_->add_output());
    }
    return OkStatus();
  }

  void WriteValue(const std::string& name, const Dims& doubled, onnx::ValueInfoProto* proto) {
    const ValueInfo& info = *graph_.FindValue(name);
    proto->set_name(name);
    auto* type = proto->mutable_type()->mutable_tensor_type();
    type->set_elem_type(OnnxType(info.type));
    auto* shape = type->mutable_shape();
    for (size_t i = 0; i < info.dims.size(); ++i) {
      auto* dim = shape->add_dim();
      if (i >= doubled.size() || doubled[i] == info.dims[i]) {
        dim->set_dim_value(info.dims[i]);
      } else if (info.dims[i] == 1) {
        dim->set_dim_param("N");
      }  // else a multiple of the batch: open, without a name
    }
  }

  void WriteNode(const SourceNode& node) {
    onnx::NodeProto* proto = proto_->add_node();
    proto->set_name(node.name);
    proto->set_op_type(node.op);
    proto->set_domain(DomainOf(node.op));
    const bool axes_to_attribute = opset_ < 18 && ReducesByAttribute(node.op) && node.HasInput(1);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (i != 1 || !axes_to_attribute) proto->add_input(node.inputs[i]);
    }
    if (axes_to_attribute)
      WriteAttribute("axes", graph_.FindConstant(node.inputs[1])->integers, proto->add_attribute());
    for (const std::string& output : node.outputs) proto->add_output(output);
    for (const auto& [key, attribute] : node.attributes) {
      if (!Drops(node, key)) WriteAttribute(key, attribute, proto->add_attribute());
    }
  }

  const SourceGraph& graph_;
  onnx::ModelProto model_;
  onnx::GraphProto* proto_ = nullptr;
  int64_t opset_ = kLowestOpset;
  std::set<std::string> domains_;
  std::set<std::string> as_attribute_;  // constants that become attributes
};

}  // namespace

Result<std::string> SerializeOnnx(const SourceGraph& graph) {
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(graph));
  // protobuf, libonnx and the allocator throw; nothing of that leaves this module.
  try {
    Result<std::string> bytes = OnnxWriter(graph).Write();
    if (bytes.ok()) return bytes;
    return Status(bytes.status().code(), graph.file + ": " + bytes.status().message());
  } catch (const std::bad_alloc&) {
    return OutOfMemory(graph.file + ": not enough memory to write it as ONNX");
  } catch (const std::exception& error) {
    return InternalError(graph.file + ": " + error.what());
  }
}

Status WriteOnnxFile(const SourceGraph& graph, const std::string& path) {
  BNN_ASSIGN_OR_RETURN(const std::string bytes, SerializeOnnx(graph));
  return WriteFileWhole(path, bytes);
}

}  // namespace bnn::formats
