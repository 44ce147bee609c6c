#include "tools/bnn_convert/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "bnn/bnn.hpp"
#include "formats/interpreter.h"

namespace bnn::convert {
namespace {

using formats::Tensor;

float PerChannel(const std::vector<float>& values, size_t channel, float fallback) {
  if (values.empty()) return fallback;
  return values.size() == 1 ? values[0] : values[channel];
}

// Equal for every standard library: the distributions of <random> are not.
double Uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// 8-bit pixels where the model says what they mean, else uniform.
Tensor RandomInput(const formats::Conversion& conversion, size_t index, const VerifyOptions& options,
                   std::mt19937_64& random) {
  const formats::InputDef& input = conversion.model.inputs[index];
  const formats::Preprocessing& pixels = input.preprocessing;
  const formats::Dims& dims = conversion.source.FindValue(conversion.source.inputs[index])->dims;
  const bool has_pixels = !pixels.mean.empty() || !pixels.scale.empty();
  Tensor tensor = formats::FloatTensor(dims, std::vector<float>(static_cast<size_t>(formats::CountElements(dims))));
  // The channel axis of images is 1 in a source of layout NCHW, else the last one.
  const size_t channel_axis = input.layout == formats::ImageLayout::kNchw ? 1 : dims.size() - 1;
  size_t inner = 1;
  for (size_t i = channel_axis + 1; i < dims.size(); ++i) inner *= static_cast<size_t>(dims[i]);
  for (size_t i = 0; i < tensor.floats.size(); ++i) {
    const size_t channel = i / inner % static_cast<size_t>(dims[channel_axis]);
    if (has_pixels) {
      const auto pixel = static_cast<float>(random() >> 56);
      tensor.floats[i] = (pixel - PerChannel(pixels.mean, channel, 0)) * PerChannel(pixels.scale, channel, 1);
    } else {
      tensor.floats[i] = static_cast<float>(options.low + (options.high - options.low) * Uniform(random));
    }
  }
  return tensor;
}

void Compare(const std::string& name, int64_t sample, const std::vector<float>& expected,
             const std::vector<float>& actual, VerifyResult* result) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const double magnitude = std::fabs(static_cast<double>(expected[i]));
    if (std::isfinite(magnitude)) result->largest_output = std::max(result->largest_output, magnitude);
    double difference = std::fabs(static_cast<double>(expected[i]) - static_cast<double>(actual[i]));
    if (std::isnan(expected[i]) && std::isnan(actual[i])) difference = 0;
    if (expected[i] == actual[i]) difference = 0;  // infinities
    if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    if (!result->output.empty() && difference <= result->largest_difference) continue;
    result->largest_difference = difference;
    result->output = name;
    result->sample = sample;
    result->element = static_cast<int64_t>(i);
    result->expected = expected[i];
    result->actual = actual[i];
  }
}

// Runs the inputs once (one sample, or the batch that the source fixes) through both.
Status CompareRun(const formats::Conversion& conversion, Session& session, int64_t sample,
                  const std::map<std::string, Tensor>& inputs, VerifyResult* result) {
  const formats::SourceGraph& source = conversion.source;
  BNN_ASSIGN_OR_RETURN(const auto expected, formats::Interpret(source, inputs, source.outputs));
  std::vector<bnn_buffer> in, out;
  for (const std::string& name : source.inputs) {
    const std::vector<float>& floats = inputs.at(name).floats;
    in.push_back({const_cast<float*>(floats.data()), floats.size() * sizeof(float)});
  }
  std::vector<std::vector<float>> actual(source.outputs.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    actual[i].resize(session.output_size(i));
    out.push_back({actual[i].data(), actual[i].size() * sizeof(float)});
  }
  BNN_RETURN_IF_ERROR(session.Run(in, out));
  for (size_t i = 0; i < actual.size(); ++i) {
    const std::vector<float>& floats = expected.at(source.outputs[i]).floats;
    if (floats.size() != actual[i].size()) {
      return InternalError(fmt::format("output '{}' has {} elements in the source and {} in the engine",
                                       source.outputs[i], floats.size(), actual[i].size()));
    }
    Compare(source.outputs[i], sample, floats, actual[i], result);
  }
  return OkStatus();
}

}  // namespace

Result<VerifyResult> Verify(const formats::Conversion& conversion, const std::string& model_bytes,
                            const VerifyOptions& options) {
  BNN_ASSIGN_OR_RETURN(const Model model,
                       Model::LoadMemory(std::as_bytes(std::span(model_bytes.data(), model_bytes.size()))));
  BNN_ASSIGN_OR_RETURN(Session session, Session::Create(model));
  std::mt19937_64 random(options.seed);
  VerifyResult result;
  result.samples = options.samples;
  for (int64_t sample = 0; sample < options.samples; ++sample) {
    std::map<std::string, Tensor> inputs;
    for (size_t i = 0; i < conversion.source.inputs.size(); ++i) {
      inputs[conversion.source.inputs[i]] = RandomInput(conversion, i, options, random);
    }
    BNN_RETURN_IF_ERROR(CompareRun(conversion, session, sample, inputs, &result));
  }
  result.passed = result.largest_difference <= options.tolerance * std::max(1.0, result.largest_output);
  return result;
}

std::string FormatVerifyResult(const VerifyResult& result, double tolerance) {
  return fmt::format(
      "verify: {} random samples, largest difference {:.3g} (output '{}', sample {}, element {}: source {:.9g}, engine "
      "{:.9g}), allowed {:.3g}: {}\n",
      result.samples, result.largest_difference, result.output, result.sample, result.element, result.expected,
      result.actual, tolerance * std::max(1.0, result.largest_output), result.passed ? "passed" : "FAILED");
}

}  // namespace bnn::convert
