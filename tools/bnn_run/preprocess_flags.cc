// The texts of --mean and --scale.
#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "tools/bnn_run/preprocess.h"

namespace bnn::run {
namespace {

// strtof rounds once, from the decimal digits to the nearest float.
Result<float> ParseNumber(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const float value = std::strtof(copy.c_str(), &end);
  const bool is_number = !copy.empty() && end == copy.c_str() + copy.size() && copy.find(' ') == std::string::npos;
  if (!is_number || !std::isfinite(value)) return InvalidArgument(fmt::format("'{}' is not a finite number", text));
  return value;
}

// Calls `add` with each piece between commas.
template <typename F>
Status ForEachPiece(std::string_view text, F add) {
  while (true) {
    const size_t comma = text.find(',');
    BNN_RETURN_IF_ERROR(add(text.substr(0, comma)));
    if (comma == std::string_view::npos) return OkStatus();
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<float>> ParseNumbers(std::string_view text) {
  std::vector<float> numbers;
  BNN_RETURN_IF_ERROR(ForEachPiece(text, [&](std::string_view piece) -> Status {
    BNN_ASSIGN_OR_RETURN(const float number, ParseNumber(piece));
    numbers.push_back(number);
    return OkStatus();
  }));
  return numbers;
}

Result<Scale> ParseScale(std::string_view text) {
  Scale scale{{}, {}};
  BNN_RETURN_IF_ERROR(ForEachPiece(text, [&](std::string_view piece) -> Status {
    const size_t slash = piece.find('/');
    BNN_ASSIGN_OR_RETURN(const float factor, ParseNumber(piece.substr(0, slash)));
    float divisor = 1.0F;
    if (slash != std::string_view::npos) {
      BNN_ASSIGN_OR_RETURN(divisor, ParseNumber(piece.substr(slash + 1)));
      if (divisor == 0.0F) return InvalidArgument(fmt::format("'{}' divides by zero", piece));
    }
    scale.factor.push_back(factor);
    scale.divisor.push_back(divisor);
    return OkStatus();
  }));
  return scale;
}

}  // namespace bnn::run
