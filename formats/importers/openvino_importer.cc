#include "formats/importers/openvino_importer.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/importers/input_dims.h"
#include "formats/importers/openvino_operators.h"
#include "formats/importers/openvino_text.h"
#include "formats/importers/source_file.h"

namespace bnn::formats {
namespace {

// A .bin may hold each constant once for many layers. What they take together ends here.
constexpr int64_t kMaxConstantElements = int64_t{1} << 30;

constexpr uint64_t kMaxWeightBytes = uint64_t{1} << 34;

bool IsType(const IrLayer& layer, std::string_view type) { return EqualIgnoringCase(layer.type, type); }
bool IsConstant(const IrLayer& layer) { return IsType(layer, "Const") || IsType(layer, "Constant"); }
bool IsParameter(const IrLayer& layer) { return IsType(layer, "Parameter"); }
bool IsResult(const IrLayer& layer) { return IsType(layer, "Result"); }

// Imports one network; each member is one step.
class IrReader {
 public:
  IrReader(const IrNet& net, std::string_view weights, const ImportOptions& options)
      : net_(net), weights_(weights), options_(options), builder_(&graph_, {}) {}

  Result<SourceGraph> Read(const std::string& file) {
    graph_.file = file;
    BNN_RETURN_IF_ERROR(CheckOperators());
    BNN_ASSIGN_OR_RETURN(const std::vector<size_t> order, SortIr(net_));
    BNN_RETURN_IF_ERROR(MarkReaders());
    BNN_RETURN_IF_ERROR(NameValues());
    BNN_RETURN_IF_ERROR(ReadInputs());
    for (const size_t index : order) {
      BNN_RETURN_IF_ERROR(ReadLayer(index));
      BNN_RETURN_IF_ERROR(CheckOutputs(index));
    }
    for (const IrLayer& layer : net_.layers) {  // in the file's order, which is OpenVINO's
      if (IsResult(layer)) BNN_RETURN_IF_ERROR(ReadResult(layer));
    }
    if (graph_.outputs.empty()) return InvalidModel("has no Result layer");
    return std::move(graph_);
  }

 private:
  // All operators that are missing, in one error.
  Status CheckOperators() const {
    std::string missing;
    for (const IrLayer& layer : net_.layers) {
      if (IsConstant(layer) || IsParameter(layer) || IsResult(layer)) continue;
      const OpenvinoOperator* known = FindOpenvinoOperator(layer.type);
      if (known != nullptr && layer.opset >= 1 && layer.opset <= known->newest_opset) continue;
      missing += "\n  " + LayerLabel(layer) + " of " + (layer.version.empty() ? "no opset" : layer.version);
      if (known != nullptr) missing += "; known up to opset" + std::to_string(known->newest_opset);
    }
    return missing.empty() ? OkStatus() : Unsupported("these operators are not supported:" + missing);
  }

  // Who reads what.
  Status MarkReaders() {
    read_by_binary_.assign(net_.layers.size(), false);
    read_by_others_ = read_by_binary_;
    for (const IrLayer& layer : net_.layers) read_.emplace_back(layer.outputs.size(), false);
    for (const IrLayer& layer : net_.layers) {
      if (IsResult(layer) && layer.sources.size() != 1) return LayerError(layer, "must have one input");
      for (const IrSource& source : layer.sources) {
        read_[source.layer][source.port] = true;
        (IsType(layer, "BinaryConvolution") ? read_by_binary_ : read_by_others_)[source.layer] = true;
      }
    }
    return OkStatus();
  }

  // Inputs of the network get their names first, then its outputs, then everything else.
  Status NameValues() {
    for (const IrLayer& layer : net_.layers) {
      std::vector<std::string>& names = values_.emplace_back(layer.outputs.size());
      if (!IsParameter(layer) && !IsConstant(layer)) continue;
      if (names.size() != 1 || !layer.inputs.empty()) return LayerError(layer, "must have one output and no input");
      if (!IsParameter(layer)) continue;
      names[0] = builder_.NewValueName(layer.name);
      if (names[0] != layer.name) return LayerError(layer, "another Parameter has the same name");
    }
    for (const IrLayer& layer : net_.layers) {
      if (!IsResult(layer)) continue;
      std::string& value = values_[layer.sources[0].layer][layer.sources[0].port];
      if (value.empty()) value = builder_.NewValueName(OutputName(layer));
    }
    for (size_t i = 0; i < net_.layers.size(); ++i) {
      for (size_t port = 0; port < values_[i].size(); ++port) {
        std::string& value = values_[i][port];
        if (value.empty()) value = builder_.NewValueName(TensorName(net_.layers[i], port));
      }
    }
    return OkStatus();
  }

  static std::string TensorName(const IrLayer& layer, size_t port) {
    if (!layer.outputs[port].names.empty()) return layer.outputs[port].names[0];
    return layer.outputs.size() == 1 ? layer.name : layer.name + "." + std::to_string(port);
  }

  std::string OutputName(const IrLayer& result) const {
    if (!result.sinks.empty()) return result.sinks[0];
    return TensorName(net_.layers[result.sources[0].layer], result.sources[0].port);
  }

  // In the file's order, which is OpenVINO's.
  Status ReadInputs() {
    size_t open_batches = 0;
    for (const IrLayer& layer : net_.layers) {
      if (!IsParameter(layer)) continue;
      BNN_ASSIGN_OR_RETURN(const IrElementType* type, ElementTypeAttribute(layer, "element_type"));
      const auto shape = layer.data.find("shape");
      if (shape == layer.data.end()) return LayerError(layer, "attribute 'shape' is missing");
      const std::optional<std::vector<DeclaredDim>> declared = ParseIrShape(shape->second);
      if (!declared && shape->second != "...") {
        return LayerError(layer, "attribute 'shape' is '" + shape->second + "', expected dims");
      }
      BNN_ASSIGN_OR_RETURN(InputDims resolved, ResolveInputDims(layer.name, declared, options_));
      open_batches += resolved.batch_is_open ? 1 : 0;
      builder_.DefineInput(layer.name, {type->held, std::move(resolved.dims)});
    }
    BNN_RETURN_IF_ERROR(CheckGivenShapes(graph_.inputs, options_));
    if (open_batches > 0 && open_batches == graph_.inputs.size()) builder_.OpenBatch();
    return OkStatus();
  }

  Status ReadLayer(size_t index) {
    const IrLayer& layer = net_.layers[index];
    if (IsParameter(layer) || IsResult(layer)) return OkStatus();
    if (IsConstant(layer)) return ReadConstantLayer(index);
    const OpenvinoOperator& known = *FindOpenvinoOperator(layer.type);
    if (layer.inputs.size() < known.min_inputs || layer.inputs.size() > known.max_inputs) {
      return LayerError(layer, "has " + std::to_string(layer.inputs.size()) + " input ports, expected " +
                                   std::to_string(known.min_inputs) + " to " + std::to_string(known.max_inputs));
    }
    if (layer.outputs.empty()) return LayerError(layer, "has no output port");
    std::vector<std::string> inputs;
    for (const IrSource& source : layer.sources) inputs.push_back(values_[source.layer][source.port]);
    const Status status = known.import(IrNode(layer, known.op, std::move(inputs), values_[index], &builder_));
    if (status.ok() || status.message().starts_with(LayerLabel(layer))) return status;
    return {status.code(), LayerLabel(layer) + ": " + status.message()};
  }

  // The readers of a constant decide what its u1 elements mean.
  Result<BitOrder> BitOrderOf(size_t index) const {
    if (!read_by_binary_[index]) return BitOrder::kHighestFirst;
    if (!read_by_others_[index]) return BitOrder::kLowestFirst;
    return LayerUnsupported(net_.layers[index], "is read by a BinaryConvolution and by other operators");
  }

  Status ReadConstantLayer(size_t index) {
    const IrLayer& layer = net_.layers[index];
    BNN_ASSIGN_OR_RETURN(const BitOrder bit_order, BitOrderOf(index));
    BNN_ASSIGN_OR_RETURN(Tensor tensor, ReadConstant(layer, weights_, bit_order));
    constant_elements_ += tensor.size();
    if (constant_elements_ > kMaxConstantElements) {
      return LayerUnsupported(
          layer, "the constants up to this one have more than " + std::to_string(kMaxConstantElements) + " elements");
    }
    builder_.DefineConstant(values_[index][0], std::move(tensor));
    return OkStatus();
  }

  // A value that is an input or already an output is copied, so that each output has a name of its own.
  Status ReadResult(const IrLayer& layer) {
    const std::string& value = values_[layer.sources[0].layer][layer.sources[0].port];
    const bool is_input = IsParameter(net_.layers[layer.sources[0].layer]);
    if (!is_input && outputs_.insert(value).second) {
      graph_.outputs.push_back(value);
      return OkStatus();
    }
    SourceNode copy;
    copy.name = layer.name;
    copy.op = "Identity";
    copy.inputs = {value};
    copy.outputs = {builder_.NewValueName(layer.sinks.empty() ? layer.name : layer.sinks[0])};
    graph_.outputs.push_back(copy.outputs[0]);
    return builder_.Emit(std::move(copy));
  }

  // What we understood has the types and dims that the file states.
  Status CheckOutputs(size_t index) {
    const IrLayer& layer = net_.layers[index];
    for (size_t port = 0; port < layer.outputs.size(); ++port) {
      const IrPort& stated = layer.outputs[port];
      const std::string label = "output port " + std::to_string(stated.id);
      ValueInfo info;
      if (!builder_.shapes().FindValue(values_[index][port], &info)) {
        if (!read_[index][port]) continue;
        return LayerUnsupported(layer, label + " is used, but not supported");
      }
      bool same = stated.dims.size() == info.dims.size();
      for (size_t i = 0; same && i < info.dims.size(); ++i) same = stated.dims[i] < 0 || stated.dims[i] == info.dims[i];
      if (!same) {
        return LayerError(layer, label + " states dims " + DimsToString(stated.dims) + ", but its inputs give " +
                                     DimsToString(info.dims));
      }
      const IrElementType* type = FindElementType(stated.precision);
      if (type != nullptr && type->held != info.type && type->bits > 1) {  // floats may be stated as the bits they are
        return LayerError(
            layer, label + " states precision " + stated.precision + ", but its inputs give " + DTypeName(info.type));
      }
    }
    return OkStatus();
  }

  const IrNet& net_;
  std::string_view weights_;
  const ImportOptions& options_;
  SourceGraph graph_;
  SourceGraphBuilder builder_;
  std::vector<std::vector<std::string>> values_;  // names, by layer and output port
  std::vector<std::vector<bool>> read_;           // likewise: whether somebody reads the value
  std::vector<bool> read_by_binary_;              // by layer: whether a BinaryConvolution reads one of its outputs
  std::vector<bool> read_by_others_;              // likewise: any other layer
  std::set<std::string> outputs_;
  int64_t constant_elements_ = 0;
};

Result<SourceGraph> ReadNet(const IrNet& net, std::string_view weights, const std::string& name,
                            const ImportOptions& options) {
  BNN_ASSIGN_OR_RETURN(SourceGraph graph, IrReader(net, weights, options).Read(name));
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(graph));
  return graph;
}

// The ending decides; without it, XML whose first element is <net>.
bool RecognizesOpenvino(std::string_view path, std::string_view first_bytes) {
  if (first_bytes.starts_with("\xEF\xBB\xBF")) first_bytes.remove_prefix(3);
  return path.ends_with(".xml") || first_bytes.starts_with("<?xml") || first_bytes.starts_with("<net");
}

// The .bin, which a network without constants need not have.
Result<std::string> ReadWeights(const IrNet& net, const std::string& path, const ImportOptions& options) {
  const bool is_given = !options.weights_path.empty();
  const std::string file =
      is_given ? options.weights_path : std::filesystem::path(path).replace_extension(".bin").string();
  std::error_code error;
  if (is_given || std::filesystem::exists(file, error)) return ReadWholeFile(file, kMaxWeightBytes);
  if (std::none_of(net.layers.begin(), net.layers.end(), IsConstant)) return std::string();
  return IoError("its weights, " + file + ", are missing; --weights names a file that lies elsewhere");
}

Result<SourceGraph> ImportOpenvino(const std::string& path, const ImportOptions& options) {
  return GuardImport(path, [&]() -> Result<SourceGraph> {
    BNN_ASSIGN_OR_RETURN(const std::string xml, ReadWholeFile(path, kMaxIrBytes));
    BNN_ASSIGN_OR_RETURN(const IrNet net, ParseIr(xml));
    BNN_ASSIGN_OR_RETURN(const std::string weights, ReadWeights(net, path, options));
    return ReadNet(net, weights, path, options);
  });
}

}  // namespace

const Importer kOpenvinoImporter = {
    "openvino",
    "OpenVINO IR, versions 10 and 11: a .xml with its .bin",
    RecognizesOpenvino,
    ImportOpenvino,
    /*takes_weights=*/true,
};

Result<SourceGraph> ImportOpenvinoBytes(std::string_view xml, std::string_view weights, const std::string& name,
                                        const ImportOptions& options) {
  return GuardImport(name, [&]() -> Result<SourceGraph> {
    BNN_ASSIGN_OR_RETURN(const IrNet net, ParseIr(xml));
    return ReadNet(net, weights, name, options);
  });
}

}  // namespace bnn::formats
