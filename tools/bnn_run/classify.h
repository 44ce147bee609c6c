// From scores to classes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"

namespace bnn::run {

// The index of the largest score, the first of equal ones. NaN never wins; -1 where there is nothing else.
int64_t ArgMax(std::span<const float> scores);

// The k best classes, or all if there are fewer: by score, equal ones by index, NaN last.
std::vector<int64_t> TopK(std::span<const float> scores, int64_t k);

// True when the network ends in a softmax, so that its scores are probabilities.
bool EndsInSoftmax(std::span<const StepInfo> plan);

// One class name a line; empty lines at the end do not count.
Result<std::vector<std::string>> ReadClassNames(const std::string& path);

// The labels of `samples` samples as class numbers: a .npy or idx array of integers, [N] or [N,1], each 0 ..
// `classes` - 1.
Result<std::vector<int64_t>> ReadLabels(const std::string& path, int64_t samples, int64_t classes);

}  // namespace bnn::run
