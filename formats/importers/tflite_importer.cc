#include "formats/importers/tflite_importer.h"

#include <cstring>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "formats/importers/source_file.h"
#include "formats/importers/tflite_graph.h"
#include "formats/importers/tflite_model.h"
#include "formats/importers/tflite_operators.h"

namespace bnn::formats {
namespace {

constexpr size_t kIdentifierOffset = 4;
constexpr size_t kAlignment = 16;
constexpr size_t kMaxOperators = 100000;
constexpr uint64_t kMaxFileBytes = std::numeric_limits<int32_t>::max() - 1;  // offsets in flatbuffers are signed

std::string OperatorName(const TfliteOperator& op) {
  if (const TfliteOperatorEntry* entry = FindTfliteOperator(op.code, op.custom_name)) return entry->name;
  if (op.code == kTfliteCustom) return "custom operator '" + op.custom_name + "'";
  return "builtin operator " + std::to_string(op.code);
}

// All operators that are missing, in one error.
Status CheckOperators(const TfliteModel& model) {
  if (model.operators.size() > kMaxOperators) {
    return InvalidModel("has " + std::to_string(model.operators.size()) + " operators, the limit is " +
                        std::to_string(kMaxOperators));
  }
  std::map<std::string, int> missing;
  for (const TfliteOperator& op : model.operators) {
    if (FindTfliteOperator(op.code, op.custom_name) == nullptr) ++missing[OperatorName(op)];
  }
  if (missing.empty()) return OkStatus();
  std::string message = "these operators are not supported:";
  for (const auto& [name, count] : missing) message += "\n  " + name + ": " + std::to_string(count);
  return Unsupported(message);
}

Result<SourceGraph> ReadGraph(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  BNN_ASSIGN_OR_RETURN(TfliteModel model, ReadTfliteModel(bytes));
  BNN_RETURN_IF_ERROR(CheckOperators(model));
  for (TfliteOperator& op : model.operators) {
    op.label = "operator " + std::to_string(op.index) + " (" + OperatorName(op) + ") of " +
               model.tensors[static_cast<size_t>(op.outputs[0])].label;
  }
  SourceGraph source;
  source.file = name;
  TfliteGraph graph(model, &source);
  BNN_RETURN_IF_ERROR(graph.AddInputs(options));
  for (const TfliteOperator& op : model.operators) BNN_RETURN_IF_ERROR(EntryOf(op).import(op, &graph));
  BNN_RETURN_IF_ERROR(graph.AddOutputs());
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(source));
  return source;
}

bool RecognizesTflite(std::string_view path, std::string_view first_bytes) {
  return path.ends_with(".tflite") || (first_bytes.size() >= 8 && first_bytes.substr(kIdentifierOffset, 4) == "TFL3");
}

Result<SourceGraph> ImportTflite(const std::string& path, const ImportOptions& options) {
  BNN_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path, kMaxFileBytes));
  return ImportTfliteBytes(bytes, path, options);
}

}  // namespace

const Importer kTfliteImporter = {
    "tflite",
    "TensorFlow Lite, float32 and int8, with the operators of Larq Compute Engine",
    RecognizesTflite,
    ImportTflite,
};

Result<SourceGraph> ImportTfliteBytes(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  return GuardImport(name, [&] {
    std::vector<std::max_align_t> aligned;  // flatbuffers read numbers where they lie
    if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment != 0 && !bytes.empty()) {
      aligned.resize((bytes.size() + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
      std::memcpy(aligned.data(), bytes.data(), bytes.size());
      bytes = {reinterpret_cast<const char*>(aligned.data()), bytes.size()};
    }
    return ReadGraph(bytes, name, options);
  });
}

}  // namespace bnn::formats
