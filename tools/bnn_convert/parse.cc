#include "tools/bnn_convert/parse.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <system_error>

namespace bnn::convert {
namespace {

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

Result<double> ParseDouble(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value)) {
    return InvalidArgument("'" + text + "' is not a number");
  }
  return value;
}

}  // namespace

Result<float> ParseNumber(const std::string& text) {
  const size_t slash = text.find('/');
  BNN_ASSIGN_OR_RETURN(double value, ParseDouble(text.substr(0, slash)));
  if (slash != std::string::npos) {
    BNN_ASSIGN_OR_RETURN(const double divisor, ParseDouble(text.substr(slash + 1)));
    if (divisor == 0) return InvalidArgument("'" + text + "' divides by 0");
    value /= divisor;
  }
  const auto result = static_cast<float>(value);
  if (!std::isfinite(result)) return InvalidArgument("'" + text + "' is beyond the range of float32");
  return result;
}

Result<std::vector<float>> ParseNumbers(const std::string& text) {
  std::vector<float> numbers;
  for (const std::string& part : Split(text, ',')) {
    BNN_ASSIGN_OR_RETURN(const float number, ParseNumber(part));
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::pair<std::string, formats::Dims>> ParseShape(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return InvalidArgument("'" + text + "' is not NAME=DIM,DIM,...");
  formats::Dims dims;
  for (const std::string& part : Split(text.substr(equals + 1), ',')) {
    int64_t dim = 0;
    const char* end = part.data() + part.size();
    const auto [rest, error] = std::from_chars(part.data(), end, dim);
    if (error != std::errc() || rest != end || dim < 1) {
      return InvalidArgument("'" + part + "' in '" + text + "' is not a positive dim");
    }
    dims.push_back(dim);
  }
  return std::pair(text.substr(0, equals), dims);
}

Result<DumpFiles> ParseDumpFiles(const std::string& text) {
  const std::filesystem::path path(text), first = path.parent_path();
  if (path.filename().empty()) return InvalidArgument("'" + text + "' is neither FILE nor BEFORE/AFTER");
  std::error_code ignored;
  if (!first.has_extension() || std::filesystem::is_directory(first, ignored)) return DumpFiles{text, ""};
  return DumpFiles{first.string(), (first.parent_path() / path.filename()).string()};
}

}  // namespace bnn::convert
