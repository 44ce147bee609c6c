// --verify: the source's float interpretation against the engine, on random inputs.
#pragma once

#include <cstdint>
#include <string>

#include "bnn/status.h"
#include "formats/convert.h"

namespace bnn::convert {

struct VerifyOptions {
  int64_t samples = 8;
  uint64_t seed = 1;
  float low = -1, high = 1;  // of inputs without preprocessing
  double tolerance = 1e-3;
};

struct VerifyResult {
  int64_t samples = 0;
  double largest_difference = 0;  // absolute; infinity where one of both is no number
  double largest_output = 0;      // absolute, of the source
  // Where the largest difference is.
  std::string output;
  int64_t sample = 0, element = 0;
  float expected = 0, actual = 0;
  bool passed = false;
};

// `model_bytes`: the contents of the .bnn file that the conversion gives.
Result<VerifyResult> Verify(const formats::Conversion& conversion, const std::string& model_bytes,
                            const VerifyOptions& options);

std::string FormatVerifyResult(const VerifyResult& result, double tolerance);

}  // namespace bnn::convert
