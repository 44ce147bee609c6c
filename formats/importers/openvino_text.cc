#include "formats/importers/openvino_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

namespace bnn::formats {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  text = Trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename T, typename Parse>
std::optional<std::vector<T>> ParseList(std::string_view text, Parse parse) {
  std::vector<T> values;
  for (const std::string_view part : SplitAtCommas(text)) {
    const std::optional<T> value = parse(part);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::vector<std::string_view> SplitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  if (Trimmed(text).empty()) return parts;
  while (true) {
    const size_t comma = text.find(',');
    parts.push_back(Trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<int64_t> ParseIrInteger(std::string_view text) { return ParseWhole<int64_t>(text); }

std::optional<float> ParseIrFloat(std::string_view text) {
  const std::optional<double> value = ParseWhole<double>(text);
  if (!value) return std::nullopt;
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::isinf(*value) || std::isnan(*value)) return static_cast<float>(*value);
  return static_cast<float>(std::clamp(*value, -kLargest, kLargest));
}

std::optional<bool> ParseIrBool(std::string_view text) {
  text = Trimmed(text);
  if (text == "1" || EqualIgnoringCase(text, "true")) return true;
  if (text == "0" || EqualIgnoringCase(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::vector<int64_t>> ParseIrIntegers(std::string_view text) {
  return ParseList<int64_t>(text, ParseIrInteger);
}

std::optional<std::vector<float>> ParseIrFloats(std::string_view text) { return ParseList<float>(text, ParseIrFloat); }

std::optional<std::vector<DeclaredDim>> ParseIrShape(std::string_view text) {
  return ParseList<DeclaredDim>(text, [](std::string_view part) -> std::optional<DeclaredDim> {
    if (part == "?" || part == "-1") return DeclaredDim{};
    if (const size_t dots = part.find(".."); dots != std::string_view::npos) {
      const std::string_view low = part.substr(0, dots), high = part.substr(dots + 2);
      const bool is_range = (low.empty() || ParseIrInteger(low)) && (high.empty() || ParseIrInteger(high));
      return is_range ? std::optional(DeclaredDim{std::nullopt, std::string(part)}) : std::nullopt;
    }
    const std::optional<int64_t> value = ParseIrInteger(part);
    if (!value || *value < 0) return std::nullopt;
    return DeclaredDim{value, ""};
  });
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return LowerCase(x) == LowerCase(y); });
}

}  // namespace bnn::formats
