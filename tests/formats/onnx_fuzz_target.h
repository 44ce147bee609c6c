// What both the fuzz target and the bounded mutation test do with a file: all that bnn-convert would, up to lowering.
#pragma once

#include <string_view>

#include "formats/importers/onnx_importer.h"
#include "formats/interpreter.h"
#include "formats/passes/passes.h"

namespace bnn::test {

// Interpreting is skipped above this size: slow is not wrong.
inline constexpr int64_t kMaxFuzzedElements = 1 << 16;

// Whether the file came through the import and the passes. What follows a successful import must hold: the passes
// succeed or give an error, and leave a valid graph.
inline bool ImportAndInterpret(std::string_view bytes) {
  Result<formats::SourceGraph> imported = formats::ImportOnnxBytes(bytes, "fuzzed.onnx", "/nonexistent", {});
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

}  // namespace bnn::test
