// .tflite files taken apart and put together again, for tests of what a file may say.
#pragma once

#include <flatbuffers/flatbuffers.h>
#include <flatbuffers/flexbuffers.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/importers/tflite_generated.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::test {

namespace tflite = formats::tflite;

// "tflite_lce" or "tflite_builtin".
inline std::vector<OnnxCase> ReadTfliteCases(const std::string& name) {
  return OnnxCaseReader(SourceDir() + "/tests/formats/data/" + name + ".cases").ReadAll();
}

// A file with the fields of our schema; others are lost. So is the type of options that are not there, which a file may
// have: Pack() would follow the null pointer.
class TfliteFile {
 public:
  explicit TfliteFile(const std::string& bytes) {
    const std::vector<uint64_t> aligned = Aligned(bytes);
    model = std::unique_ptr<tflite::ModelT>(tflite::UnPackModel(aligned.data()));
    for (const auto& subgraph : model->subgraphs) {
      for (const auto& op : subgraph->operators) {
        if (op->builtin_options.value == nullptr) op->builtin_options.Reset();
      }
    }
  }

  std::string Bytes() const {
    flatbuffers::FlatBufferBuilder builder;
    tflite::FinishModelBuffer(builder, tflite::Model::Pack(builder, model.get()));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
  }

  tflite::SubGraphT& graph() const { return *model->subgraphs[0]; }
  tflite::TensorT& tensor(int index) const { return *graph().tensors[static_cast<size_t>(index)]; }

  // The first operator of a custom name.
  tflite::OperatorT& Custom(const std::string& name) const {
    for (const auto& op : graph().operators) {
      if (model->operator_codes[op->opcode_index]->custom_code == name) return *op;
    }
    throw std::runtime_error("the file has no " + name);
  }

  std::unique_ptr<tflite::ModelT> model;

 private:
  static std::vector<uint64_t> Aligned(const std::string& bytes) {
    std::vector<uint64_t> aligned(bytes.size() / sizeof(uint64_t) + 1);
    std::memcpy(aligned.data(), bytes.data(), bytes.size());
    return aligned;
  }
};

// A FlexBuffer map of integers.
inline std::vector<uint8_t> FlexMap(const std::vector<std::pair<std::string, int64_t>>& options) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    for (const auto& [key, value] : options) builder.Int(key.c_str(), value);
  });
  builder.Finish();
  return builder.GetBuffer();
}

}  // namespace bnn::test
