// Runs models whose arithmetic is exact, so that the engine and the executable specification must agree to the last
// bit: constants and inputs are multiples of small powers of two, and no sum grows out of a float's digits.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/engine/run_model.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"

namespace bnn::test {

struct Ran {
  std::vector<std::string> ops, kernels, reasons;  // of the plan's steps
  int64_t session_bytes = 0;
};

// Runs the model twice, the second time on the data that the reference gets, and compares bit by bit.
inline Ran CheckAgainstReference(formats::ModelBuilder* b, const std::vector<int64_t>& input_dims, int64_t batch,
                                 int threads) {
  const int64_t sample = formats::ElementCount(input_dims);
  std::vector<float> x(static_cast<size_t>(batch * sample));
  for (float& value : x) value = static_cast<float>(b->random().Int(-40, 40)) / 8;
  const Model model = LoadDef(b->model(), ModelOptions{batch, threads, ""});
  const std::vector<std::vector<float>> outputs = RunModel(model, {std::vector<float>(x.size(), 1.5f), x});
  for (int64_t n = 0; n < batch; ++n) {
    const std::vector<float> one(x.begin() + n * sample, x.begin() + (n + 1) * sample);
    const std::vector<std::vector<float>> expected = formats::ReferenceOutputs(b->model(), {one});
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto size = static_cast<std::ptrdiff_t>(expected[i].size());
      const std::vector<float> actual(outputs[i].begin() + n * size, outputs[i].begin() + (n + 1) * size);
      CHECK(actual == expected[i]);
    }
  }
  Ran ran;
  for (const StepInfo& step : model.plan()) {
    ran.ops.push_back(step.op);
    ran.kernels.push_back(step.kernel);
    ran.reasons.push_back(step.reason);
  }
  auto session = Session::Create(model);
  REQUIRE(session.ok());
  ran.session_bytes = static_cast<int64_t>(session->memory_bytes());
  return ran;
}

inline int64_t Count(const std::vector<std::string>& texts, const std::string& part) {
  int64_t count = 0;
  for (const std::string& text : texts) count += text.find(part) != std::string::npos ? 1 : 0;
  return count;
}

}  // namespace bnn::test
