// Runs models through the public interface.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "formats/model_def.h"
#include "formats/writer.h"

namespace bnn::test {

inline Model LoadBytes(const std::string& bytes, const ModelOptions& options = {}) {
  auto model = Model::LoadMemory(std::as_bytes(std::span(bytes)), options);
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  return *std::move(model);
}

inline Model LoadDef(const formats::ModelDef& def, const ModelOptions& options = {}) {
  const Result<std::string> bytes = formats::SerializeModel(def);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  return LoadBytes(*bytes, options);
}

// The outputs of the last one of these inputs of the model's one input, all run in one session: memory is reused, so
// nothing of the runs before may linger.
inline std::vector<std::vector<float>> RunModel(const Model& model, std::vector<std::vector<float>> inputs) {
  auto session = Session::Create(model);
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  std::vector<std::vector<float>> outputs;
  std::vector<bnn_buffer> buffers;
  for (const TensorInfo& info : model.outputs()) outputs.emplace_back(info.size());
  for (std::vector<float>& output : outputs) buffers.push_back({output.data(), output.size() * sizeof(float)});
  for (std::vector<float>& input : inputs) {
    const bnn_buffer in{input.data(), input.size() * sizeof(float)};
    const Status status = session->Run({&in, 1}, buffers);
    REQUIRE_MESSAGE(status.ok(), status.message());
  }
  return outputs;
}

}  // namespace bnn::test
