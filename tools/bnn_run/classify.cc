#include "tools/bnn_run/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "tools/bnn_run/input_file.h"
#include "tools/bnn_run/load_array.h"

namespace bnn::run {
namespace {

constexpr int64_t kMaxNamesBytes = int64_t{1} << 26;

}  // namespace

int64_t ArgMax(std::span<const float> scores) {
  int64_t best = -1;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) continue;
    if (best < 0 || scores[i] > scores[static_cast<size_t>(best)]) best = static_cast<int64_t>(i);
  }
  return best;
}

std::vector<int64_t> TopK(std::span<const float> scores, int64_t k) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto count = std::min<int64_t>(k, static_cast<int64_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (x > y || x < y) return x > y;
    return a < b;
  });
  order.resize(static_cast<size_t>(count));
  return order;
}

bool EndsInSoftmax(std::span<const StepInfo> plan) {
  if (plan.empty()) return false;
  const std::string_view op = plan.back().op;  // "dense+softmax" where it was fused
  const size_t plus = op.rfind('+');
  return op.substr(plus == std::string_view::npos ? 0 : plus + 1) == "softmax";
}

Result<std::vector<std::string>> ReadClassNames(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  BNN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, file.ReadRest(kMaxNamesBytes));
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    names.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (names.empty()) return InvalidArgument(fmt::format("{}: holds no class names", path));
  return names;
}

Result<std::vector<int64_t>> ReadLabels(const std::string& path, int64_t samples, int64_t classes) {
  BNN_ASSIGN_OR_RETURN(const Array array, LoadArray(path));
  const size_t rank = array.shape.size();
  if (rank == 0 || rank > 2 || (rank == 2 && array.shape[1] != 1)) {
    return InvalidArgument(
        fmt::format("{}: labels have the shape {}, but [N] or [N,1] is needed", path, ShapeString(array.shape)));
  }
  if (array.size() != samples) {
    return InvalidArgument(fmt::format("{}: {} labels, but there are {} images", path, array.size(), samples));
  }
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> labels, ToIntegers(array, path));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      return InvalidArgument(
          fmt::format("{}: label {} is {}, but the model's classes are 0 to {}", path, i, labels[i], classes - 1));
    }
  }
  return labels;
}

}  // namespace bnn::run
