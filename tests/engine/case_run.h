// A network of a case file that is converted and run by the engine, against the outputs that its framework gives.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "formats/report.h"
#include "tests/engine/run_model.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::test {

// The outputs for all inputs of a case.
inline std::vector<std::vector<float>> RunCase(const Model& model, const OnnxCase& one) {
  auto session = Session::Create(model);
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  std::vector<bnn_buffer> in, out;
  for (const auto& [name, tensor] : one.inputs) {
    in.push_back({const_cast<float*>(tensor.floats.data()), tensor.floats.size() * sizeof(float)});
  }
  std::vector<std::vector<float>> outputs;
  for (size_t i = 0; i < one.outputs.size(); ++i) outputs.emplace_back(session->output_size(i));
  for (auto& output : outputs) out.push_back({output.data(), output.size() * sizeof(float)});
  const Status status = session->Run(in, out);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return outputs;
}

// Whether the layers run as a case's kind says: "binary" (all of them), or "16 of 21 binary".
inline void CheckKind(const formats::ConversionReport& report, const std::string& kind) {
  const std::string name = kind.substr(kind.rfind(' ') + 1);
  size_t count = 0;
  std::string others;
  for (const formats::LayerReport& layer : report.layers) {
    const bool runs_so = formats::RunsAsName(layer.runs_as) == name;
    count += runs_so ? 1 : 0;
    if (!runs_so) others += "\n" + layer.name + ": " + layer.reason;
  }
  if (name == kind) {
    CHECK_MESSAGE(count == report.layers.size(), "not ", kind, ":", others);
    const bool may_be_none = kind == "float";
    CHECK((may_be_none || count > 0));
  } else {
    CHECK(std::to_string(count) + " of " + std::to_string(report.layers.size()) + " " + name == kind);
  }
}

// Within the tolerance of the case: relative to max(1, |expected|), absolute for "int8".
inline void CheckRun(const Model& model, const OnnxCase& one) {
  const auto outputs = RunCase(model, one);
  for (size_t i = 0; i < one.outputs.size(); ++i) {
    const std::vector<float>& expected = one.outputs[i].second.floats;
    REQUIRE(outputs[i].size() == expected.size());
    size_t different = 0, first = 0;
    for (size_t k = 0; k < expected.size(); ++k) {
      const float scale = one.kind == "int8" ? 1.001F : std::fmax(1.0F, std::fabs(expected[k]));
      if (outputs[i][k] == expected[k] || std::fabs(outputs[i][k] - expected[k]) <= one.tolerance * scale) continue;
      if (different++ == 0) first = k;
    }
    CHECK_MESSAGE(different == 0, different, " elements differ, the first at ", first, ": ", outputs[i][first],
                  ", not ", expected[first]);
  }
}

}  // namespace bnn::test
