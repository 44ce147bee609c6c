// Constants that vary by channel.
#pragma once

#include <optional>
#include <vector>

#include "formats/tensor.h"

namespace bnn::formats {

// The constant as one value, or one per channel (ChannelAxis() of few_valued.h), for elementwise use with a value of
// dims `dims`; nothing where it varies along another axis or would enlarge the value.
std::optional<std::vector<float>> PerChannel(const Tensor& constant, const Dims& dims);

}  // namespace bnn::formats
