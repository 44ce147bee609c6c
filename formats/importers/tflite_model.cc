#include "formats/importers/tflite_model.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "formats/importers/tflite_generated.h"
#include "formats/importers/tflite_tensor.h"
#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

constexpr flatbuffers::uoffset_t kMaxTables = 1000000;
constexpr flatbuffers::uoffset_t kMaxDepth = 16;  // model, subgraph, operator, options, vector
constexpr uint32_t kSchemaVersion = 3;
constexpr size_t kMaxPrintedName = 200;

template <typename T>
size_t SizeOf(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string ToString(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

std::string Number(int64_t value) { return std::to_string(value); }

std::optional<TfliteType> KnownType(int8_t type) {
  for (const TfliteType known : {TfliteType::kFloat32, TfliteType::kFloat16, TfliteType::kInt32, TfliteType::kUInt8,
                                 TfliteType::kInt64, TfliteType::kBool, TfliteType::kInt8}) {
    if (type == static_cast<int8_t>(known)) return known;
  }
  return std::nullopt;
}

class ModelReader {
 public:
  explicit ModelReader(const tflite::Model& model) : model_(model) {}

  Result<TfliteModel> Read() {
    if (model_.version() != kSchemaVersion) {
      return Unsupported("field version is " + Number(model_.version()) + ", expected " + Number(kSchemaVersion));
    }
    if (SizeOf(model_.subgraphs()) != 1) {
      return Unsupported("field subgraphs has " + Number(static_cast<int64_t>(SizeOf(model_.subgraphs()))) +
                         " elements, expected 1: control flow and signatures of their own are not supported");
    }
    const tflite::SubGraph& graph = *model_.subgraphs()->Get(0);
    for (size_t i = 0; i < SizeOf(graph.tensors()); ++i) {
      BNN_RETURN_IF_ERROR(ReadTensor(static_cast<int>(i), *graph.tensors()->Get(static_cast<unsigned>(i))));
    }
    defined_.resize(out_.tensors.size());
    for (size_t i = 0; i < out_.tensors.size(); ++i) defined_[i] = out_.tensors[i].is_constant;
    BNN_RETURN_IF_ERROR(ReadInputs(graph));
    for (size_t i = 0; i < SizeOf(graph.operators()); ++i) {
      BNN_RETURN_IF_ERROR(ReadOperator(static_cast<int>(i), *graph.operators()->Get(static_cast<unsigned>(i))));
    }
    BNN_RETURN_IF_ERROR(ReadOutputs(graph));
    return std::move(out_);
  }

 private:
  Status ReadTensor(int index, const tflite::Tensor& table) {
    TfliteTensor tensor;
    tensor.name = ToString(table.name());
    tensor.label = "tensor " + Number(index) + " '" + tensor.name.substr(0, kMaxPrintedName) + "'";
    const std::optional<TfliteType> type = KnownType(table.type());
    if (!type) {
      return Unsupported(tensor.label + ": field type is " + Number(table.type()) +
                         ", expected float32, float16, int32, uint8, int64, bool or int8");
    }
    tensor.type = *type;
    if (table.is_variable()) return Unsupported(tensor.label + ": is a variable (field is_variable)");
    if (table.sparsity() != nullptr) return Unsupported(tensor.label + ": is sparse (field sparsity)");
    BNN_RETURN_IF_ERROR(ReadShape(table, &tensor));
    BNN_RETURN_IF_ERROR(ReadData(table, &tensor));
    BNN_RETURN_IF_ERROR(ReadQuantization(table, &tensor));
    out_.tensors.push_back(std::move(tensor));
    return OkStatus();
  }

  static Status ReadShape(const tflite::Tensor& table, TfliteTensor* tensor) {
    const size_t rank = SizeOf(table.shape());
    if (rank > kMaxRank) {
      return Unsupported(tensor->label + ": field shape has " + Number(static_cast<int64_t>(rank)) +
                         " dims, expected at most " + Number(static_cast<int64_t>(kMaxRank)));
    }
    for (size_t i = 0; i < rank; ++i) tensor->dims.push_back(table.shape()->Get(static_cast<unsigned>(i)));
    for (const int64_t dim : tensor->dims) {
      if (dim < 1) {
        return Unsupported(tensor->label + ": field shape is " + DimsToString(tensor->dims) +
                           ", expected dims of at least 1");
      }
    }
    BNN_RETURN_IF_ERROR(CheckDims(tensor->label, tensor->dims));
    tensor->open.resize(rank, false);
    const size_t signature_rank = SizeOf(table.shape_signature());
    if (signature_rank != 0 && signature_rank != rank) {
      return InvalidModel(tensor->label + ": field shape_signature has " +
                          Number(static_cast<int64_t>(signature_rank)) + " dims, expected " +
                          Number(static_cast<int64_t>(rank)) + " as in shape");
    }
    for (size_t i = 0; i < signature_rank; ++i) {
      tensor->open[i] = table.shape_signature()->Get(static_cast<unsigned>(i)) == -1;
    }
    return OkStatus();
  }

  // Buffer 0 is the empty one by convention; any other empty buffer means the same.
  Status ReadData(const tflite::Tensor& table, TfliteTensor* tensor) const {
    if (table.buffer() >= SizeOf(model_.buffers())) {
      if (table.buffer() == 0) return OkStatus();
      return InvalidModel(tensor->label + ": field buffer is " + Number(table.buffer()) + ", expected less than " +
                          Number(static_cast<int64_t>(SizeOf(model_.buffers()))));
    }
    const tflite::Buffer& buffer = *model_.buffers()->Get(table.buffer());
    if (buffer.offset() > 1 || buffer.size() > 1) {  // 1 stands for an empty buffer in such files
      return Unsupported(tensor->label + ": buffer " + Number(table.buffer()) +
                         " lies outside the flatbuffer (fields offset and size, of models above 2 GB)");
    }
    const size_t held = SizeOf(buffer.data());
    if (held == 0) return OkStatus();
    const int64_t expected = CountElements(tensor->dims) * StoredBytes(StoredTypeOf(tensor->type));
    if (static_cast<int64_t>(held) != expected) {
      return InvalidModel(tensor->label + ": buffer " + Number(table.buffer()) + " holds " +
                          Number(static_cast<int64_t>(held)) + " bytes, expected " + Number(expected) + " for " +
                          TfliteTypeName(tensor->type) + DimsToString(tensor->dims));
    }
    tensor->is_constant = true;
    tensor->data = {buffer.data()->data(), held};
    return OkStatus();
  }

  static Status ReadQuantization(const tflite::Tensor& table, TfliteTensor* tensor) {
    const tflite::QuantizationParameters* parameters = table.quantization();
    if (parameters == nullptr) return OkStatus();
    const std::string where = tensor->label + ": quantization: ";
    if (parameters->details_type() != 0) return Unsupported(where + "field details is set: it is a custom one");
    TfliteQuantization& out = tensor->quantization;
    const size_t scales = SizeOf(parameters->scale());
    const size_t zero_points = SizeOf(parameters->zero_point());
    if (scales == 0) return OkStatus();
    if (zero_points != scales && zero_points != 0) {
      return InvalidModel(where + "field zero_point has " + Number(static_cast<int64_t>(zero_points)) +
                          " elements, expected " + Number(static_cast<int64_t>(scales)) + " as in scale");
    }
    out.axis = parameters->quantized_dimension();
    if (scales > 1) {
      const bool is_axis = out.axis >= 0 && out.axis < static_cast<int64_t>(tensor->dims.size());
      if (!is_axis || tensor->dims[static_cast<size_t>(out.axis)] != static_cast<int64_t>(scales)) {
        return InvalidModel(where + "field scale has " + Number(static_cast<int64_t>(scales)) +
                            " elements along quantized_dimension " + Number(out.axis) + ", expected one for each of " +
                            DimsToString(tensor->dims));
      }
    }
    for (unsigned i = 0; i < scales; ++i) {
      const float scale = parameters->scale()->Get(i);
      if (!std::isfinite(scale) || !(scale > 0)) {
        return InvalidModel(where + "field scale is " + std::to_string(scale) + ", expected a positive number");
      }
      const int64_t zero_point = zero_points == 0 ? 0 : parameters->zero_point()->Get(i);
      const bool is_unsigned = tensor->type == TfliteType::kUInt8;
      const bool is_byte = is_unsigned || tensor->type == TfliteType::kInt8;
      if (is_byte && (zero_point < (is_unsigned ? 0 : -128) || zero_point > (is_unsigned ? 255 : 127))) {
        return InvalidModel(where + "field zero_point is " + Number(zero_point) + ", expected a value of " +
                            TfliteTypeName(tensor->type));
      }
      out.scales.push_back(scale);
      out.zero_points.push_back(zero_point);
    }
    return OkStatus();
  }

  // Whether `index` names a tensor.
  bool IsTensor(int32_t index) const { return index >= 0 && index < static_cast<int64_t>(out_.tensors.size()); }

  Status IndexError(const std::string& what, int32_t index) const {
    return InvalidModel(what + " is tensor " + Number(index) + ", expected 0 to " +
                        Number(static_cast<int64_t>(out_.tensors.size()) - 1));
  }

  Status ReadInputs(const tflite::SubGraph& graph) {
    for (unsigned i = 0; i < SizeOf(graph.inputs()); ++i) {
      const int32_t index = graph.inputs()->Get(i);
      if (!IsTensor(index)) return IndexError("input " + Number(i) + " of the subgraph", index);
      const TfliteTensor& tensor = out_.tensors[static_cast<size_t>(index)];
      if (defined_[static_cast<size_t>(index)]) {
        return InvalidModel(tensor.label + " is an input of the subgraph, and " +
                            (tensor.is_constant ? "constant" : "listed twice"));
      }
      defined_[static_cast<size_t>(index)] = true;
      out_.inputs.push_back(index);
    }
    return OkStatus();
  }

  Status ReadOutputs(const tflite::SubGraph& graph) {
    if (SizeOf(graph.outputs()) == 0) return InvalidModel("the subgraph has no output");
    for (unsigned i = 0; i < SizeOf(graph.outputs()); ++i) {
      const int32_t index = graph.outputs()->Get(i);
      if (!IsTensor(index)) return IndexError("output " + Number(i) + " of the subgraph", index);
      const TfliteTensor& tensor = out_.tensors[static_cast<size_t>(index)];
      if (!defined_[static_cast<size_t>(index)]) {
        return InvalidModel(tensor.label + " is an output of the subgraph, but nothing produces it");
      }
      if (std::find(out_.outputs.begin(), out_.outputs.end(), index) != out_.outputs.end()) {
        return Unsupported(tensor.label + " is listed twice as an output of the subgraph");
      }
      out_.outputs.push_back(index);
    }
    return OkStatus();
  }

  Status ReadOperator(int index, const tflite::Operator& table) {
    TfliteOperator op;
    op.index = index;
    op.table = &table;
    const std::string where = "operator " + Number(index);
    if (table.opcode_index() >= SizeOf(model_.operator_codes())) {
      return InvalidModel(where + ": field opcode_index is " + Number(table.opcode_index()) + ", expected less than " +
                          Number(static_cast<int64_t>(SizeOf(model_.operator_codes()))));
    }
    const tflite::OperatorCode& code = *model_.operator_codes()->Get(table.opcode_index());
    op.code = std::max<int32_t>(code.builtin_code(), code.deprecated_builtin_code());
    if (op.code == kTfliteCustom) op.custom_name = ToString(code.custom_code()).substr(0, kMaxPrintedName);
    if (table.large_custom_options_offset() > 1) {
      return Unsupported(where + ": its options lie outside the flatbuffer (field large_custom_options_offset)");
    }
    for (unsigned i = 0; i < SizeOf(table.inputs()); ++i) {
      const int32_t input = table.inputs()->Get(i);
      if (input != kTfliteAbsent && !IsTensor(input)) return IndexError(where + ": input " + Number(i), input);
      if (input != kTfliteAbsent && !defined_[static_cast<size_t>(input)]) {
        return InvalidModel(where + ": input " + Number(i) + " is " + out_.tensors[static_cast<size_t>(input)].label +
                            ", which no input, constant or earlier operator provides");
      }
      op.inputs.push_back(input);
    }
    if (SizeOf(table.outputs()) == 0) return InvalidModel(where + " has no output");
    for (unsigned i = 0; i < SizeOf(table.outputs()); ++i) {
      const int32_t output = table.outputs()->Get(i);
      if (!IsTensor(output)) return IndexError(where + ": output " + Number(i), output);
      if (defined_[static_cast<size_t>(output)]) {
        return InvalidModel(where + ": output " + Number(i) + " is " + out_.tensors[static_cast<size_t>(output)].label +
                            ", which something else provides already");
      }
      defined_[static_cast<size_t>(output)] = true;
      op.outputs.push_back(output);
    }
    out_.operators.push_back(std::move(op));
    return OkStatus();
  }

  const tflite::Model& model_;
  TfliteModel out_;
  std::vector<bool> defined_;  // tensors that something provides
};

}  // namespace

const char* TfliteTypeName(TfliteType type) {
  switch (type) {
    case TfliteType::kFloat32:
      return "float32";
    case TfliteType::kFloat16:
      return "float16";
    case TfliteType::kInt32:
      return "int32";
    case TfliteType::kUInt8:
      return "uint8";
    case TfliteType::kInt64:
      return "int64";
    case TfliteType::kBool:
      return "bool";
    case TfliteType::kInt8:
      return "int8";
  }
  return "?";
}

Result<TfliteModel> ReadTfliteModel(std::string_view bytes) {
  if (bytes.size() >= static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Unsupported("is larger than 2 GiB");
  }
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  // The verifier reads offsets; where there is no room for root and identifier it may not start.
  constexpr size_t kHeader = sizeof(flatbuffers::uoffset_t) + flatbuffers::FlatBufferBuilder::kFileIdentifierLength;
  if (bytes.size() < kHeader || !tflite::ModelBufferHasIdentifier(data)) {
    return InvalidModel("is no TensorFlow Lite file: the identifier TFL3 is missing");
  }
  flatbuffers::Verifier verifier(data, bytes.size(), kMaxDepth, kMaxTables);
  if (!tflite::VerifyModelBuffer(verifier)) {
    return InvalidModel("is damaged: an offset, a length or a table of its flatbuffer lies outside the file");
  }
  return ModelReader(*tflite::GetModel(data)).Read();
}

}  // namespace bnn::formats
