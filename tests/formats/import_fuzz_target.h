// What the fuzz targets and the bounded mutation tests do with a file: all that bnn-convert would, up to lowering.
#pragma once

#include <algorithm>
#include <string_view>

#include "formats/importers/graphdef_importer.h"
#include "formats/importers/onnx_importer.h"
#include "formats/importers/openvino_importer.h"
#include "formats/importers/tflite_importer.h"
#include "formats/interpreter.h"
#include "formats/passes/passes.h"

namespace bnn::test {

// Interpreting is skipped above this size: slow is not wrong.
inline constexpr int64_t kMaxFuzzedElements = 1 << 16;

// Whether a file came through the passes and the interpreter, too. What follows a successful import must hold: the
// passes succeed or give an error, and leave a valid graph.
inline bool FoldAndInterpret(Result<formats::SourceGraph> imported) {
  if (!imported.ok()) return false;
  formats::SourceGraph graph = *std::move(imported);
  int64_t elements = 0;
  for (const auto& [name, info] : graph.values) elements += formats::CountElements(info.dims);
  if (elements > kMaxFuzzedElements) return true;
  if (!formats::FoldConstants(&graph).ok()) return false;
  if (!formats::RemoveDeadNodes(&graph).ok() || !formats::ValidateSourceGraph(graph).ok()) __builtin_trap();
  std::map<std::string, formats::Tensor> inputs;
  for (const std::string& name : graph.inputs) {
    const formats::ValueInfo& info = graph.values.at(name);
    formats::Tensor tensor;
    tensor.type = info.type;
    tensor.dims = info.dims;
    const auto count = static_cast<size_t>(formats::CountElements(info.dims));
    if (info.type == formats::DType::kFloat32) {
      tensor.floats.resize(count, 0.5F);
    } else {
      tensor.integers.resize(count, 1);
    }
    inputs[name] = std::move(tensor);
  }
  return formats::Interpret(graph, inputs).ok();
}

inline bool ImportAndInterpret(std::string_view bytes) {
  return FoldAndInterpret(formats::ImportOnnxBytes(bytes, "fuzzed.onnx", "/nonexistent", {}));
}

// Both files of an IR in one: the .xml, which holds no zero byte, a zero byte, and the .bin.
inline bool ImportAndInterpretIr(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view weights = bytes.substr(std::min(end + 1, bytes.size()));
  return FoldAndInterpret(formats::ImportOpenvinoBytes(bytes.substr(0, end), weights, "fuzzed.xml", {}));
}

inline bool ImportAndInterpretTflite(std::string_view bytes) {
  return FoldAndInterpret(formats::ImportTfliteBytes(bytes, "fuzzed.tflite", {}));
}

inline bool ImportAndInterpretGraphdef(std::string_view bytes) {
  return FoldAndInterpret(formats::ImportGraphdefBytes(bytes, "fuzzed.pb", {}));
}

}  // namespace bnn::test
