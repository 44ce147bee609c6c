#include "tools/bnn_run/idx.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <optional>

#include "tools/bnn_run/input_file.h"

namespace bnn::run {
namespace {

std::optional<DType> TypeOfCode(int code) {
  if (code == 0x08) return DType::kU8;
  if (code == 0x09) return DType::kI8;
  if (code == 0x0b) return DType::kI16;
  if (code == 0x0c) return DType::kI32;
  if (code == 0x0d) return DType::kF32;
  if (code == 0x0e) return DType::kF64;
  return std::nullopt;
}

}  // namespace

Result<Array> ReadIdx(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  std::array<std::byte, 4> magic{};
  BNN_RETURN_IF_ERROR(file.Read(magic, "header"));
  const std::optional<DType> dtype = TypeOfCode(std::to_integer<int>(magic[2]));
  const int rank = std::to_integer<int>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0} || !dtype || rank == 0) {
    return InvalidArgument(fmt::format("{}: not an idx file", path));
  }
  Array array;
  array.dtype = *dtype;
  for (int d = 0; d < rank; ++d) {
    std::array<std::byte, 4> dim_bytes{};
    BNN_RETURN_IF_ERROR(file.Read(dim_bytes, "header"));
    int64_t dim = 0;
    for (const std::byte byte : dim_bytes) dim = dim * 256 + std::to_integer<int64_t>(byte);
    array.shape.push_back(dim);
  }
  BNN_ASSIGN_OR_RETURN(const int64_t bytes, ArrayBytes(array.shape, array.dtype, path));
  BNN_ASSIGN_OR_RETURN(array.data, file.ReadVector(bytes, "data"));
  BNN_RETURN_IF_ERROR(file.ExpectEnd());
  if (std::endian::native != std::endian::big) ReverseItemBytes(array.data, ItemSize(array.dtype));
  return array;
}

}  // namespace bnn::run
