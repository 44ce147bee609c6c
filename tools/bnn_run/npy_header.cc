// The header of a .npy file is the text of a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#include <fmt/format.h>

#include <optional>

#include "tools/bnn_run/npy.h"

namespace bnn::run {
namespace {

constexpr size_t kMaxRank = 32;  // NumPy's own limit

// Takes tokens off the front of the text. Each method returns nothing, and takes nothing but spaces, where its token is
// not next.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  bool Take(std::string_view token) {
    SkipSpaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string_view> TakeString() {
    SkipSpaces();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }

  std::optional<bool> TakeBool() {
    if (Take("True")) return true;
    if (Take("False")) return false;
    return std::nullopt;
  }

  std::optional<int64_t> TakeInteger() {
    SkipSpaces();
    int64_t value = 0;
    size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (__builtin_mul_overflow(value, int64_t{10}, &value)) return std::nullopt;
      if (__builtin_add_overflow(value, int64_t{rest_[digits] - '0'}, &value)) return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    rest_.remove_prefix(digits);
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // how Python 2 wrote long integers
    return value;
  }

  std::optional<std::vector<int64_t>> TakeShape() {
    if (!Take("(")) return std::nullopt;
    std::vector<int64_t> shape;
    while (!Take(")")) {
      const std::optional<int64_t> dim = TakeInteger();
      if (!dim || shape.size() == kMaxRank) return std::nullopt;
      shape.push_back(*dim);
      if (!Take(",")) {
        // Without its comma, (3) is a number and no tuple.
        if (shape.size() == 1 || !Take(")")) return std::nullopt;
        break;
      }
    }
    return shape;
  }

  bool AtEnd() {
    SkipSpaces();
    return rest_.empty();
  }

 private:
  void SkipSpaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t' || rest_[0] == '\r')) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

// "<f4": byte order, kind, bytes of an item.
Status ParseDescr(std::string_view descr, const std::string& path, NpyHeader& header) {
  static constexpr struct {
    std::string_view code;
    DType dtype;
  } kTypes[] = {{"b1", DType::kBool}, {"u1", DType::kU8},  {"i1", DType::kI8},  {"u2", DType::kU16},
                {"i2", DType::kI16},  {"u4", DType::kU32}, {"i4", DType::kI32}, {"u8", DType::kU64},
                {"i8", DType::kI64},  {"f4", DType::kF32}, {"f8", DType::kF64}};
  const std::string_view orders = "<>|";
  if (descr.size() == 3 && orders.find(descr[0]) != std::string_view::npos) {
    for (const auto& type : kTypes) {
      if (descr.substr(1) != type.code) continue;
      if (descr[0] == '|' && ItemSize(type.dtype) != 1) break;  // '|' is for types that have no byte order
      header.dtype = type.dtype;
      header.big_endian = descr[0] == '>';
      return OkStatus();
    }
  }
  return Unsupported(fmt::format(
      "{}: items of type '{}' are not supported; bool, 8 to 64-bit integers, float32 and float64 are", path, descr));
}

}  // namespace

Result<NpyHeader> ParseNpyHeader(std::string_view text, const std::string& path) {
  const auto bad = [&](std::string_view what) {
    return InvalidArgument(fmt::format("{}: not a valid .npy header: {}", path, what));
  };
  Tokens tokens(text);
  NpyHeader header;
  bool has_descr = false, has_order = false, has_shape = false;
  if (!tokens.Take("{")) return bad("it does not begin with '{'");
  while (!tokens.Take("}")) {
    const std::optional<std::string_view> key = tokens.TakeString();
    if (!key || !tokens.Take(":")) return bad("a key and ':' are expected");
    if (*key == "descr" && !has_descr) {
      const std::optional<std::string_view> descr = tokens.TakeString();
      if (!descr) return Unsupported(fmt::format("{}: arrays of structures are not supported", path));
      BNN_RETURN_IF_ERROR(ParseDescr(*descr, path, header));
      has_descr = true;
    } else if (*key == "fortran_order" && !has_order) {
      const std::optional<bool> value = tokens.TakeBool();
      if (!value) return bad("fortran_order is neither True nor False");
      header.fortran_order = *value;
      has_order = true;
    } else if (*key == "shape" && !has_shape) {
      std::optional<std::vector<int64_t>> shape = tokens.TakeShape();
      if (!shape) return bad("shape is not a tuple of at most 32 integers that are not negative");
      header.shape = *std::move(shape);
      has_shape = true;
    } else {
      return bad(fmt::format("unexpected key '{}'", *key));
    }
    if (!tokens.Take(",")) {
      if (!tokens.Take("}")) return bad("',' or '}' is expected");
      break;
    }
  }
  if (!tokens.AtEnd()) return bad("text follows its '}'");
  if (!has_descr || !has_order || !has_shape) return bad("descr, fortran_order or shape is missing");
  return header;
}

}  // namespace bnn::run
