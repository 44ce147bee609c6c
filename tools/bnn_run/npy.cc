#include "tools/bnn_run/npy.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "tools/bnn_run/input_file.h"

namespace bnn::run {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kMaxHeaderBytes = 1 << 20;
constexpr bool kBigEndianMachine = std::endian::native == std::endian::big;

// Column-major to row-major: item i[0] + d[0] * (i[1] + d[1] * (...)) of the file belongs at the row-major place of i.
std::vector<std::byte> ToRowMajor(const std::vector<std::byte>& data, std::span<const int64_t> shape,
                                  int64_t item_size) {
  const size_t rank = shape.size();
  std::vector<int64_t> stride(rank);  // of each dimension in the file, in items
  int64_t items = 1;
  for (size_t d = 0; d < rank; ++d) {
    stride[d] = items;
    items *= shape[d];
  }
  std::vector<std::byte> out(data.size());
  std::vector<int64_t> index(rank, 0);
  int64_t from = 0;
  for (int64_t to = 0; to < items; ++to) {
    std::memcpy(out.data() + to * item_size, data.data() + from * item_size, static_cast<size_t>(item_size));
    for (size_t d = rank; d-- > 0;) {  // the next index in row-major order: the last dimension runs fastest
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

Result<NpyHeader> ReadHeader(InputFile& file) {
  std::array<std::byte, 8> start{};
  BNN_RETURN_IF_ERROR(file.Read(start, "header"));
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) {
    return InvalidArgument(fmt::format("{}: not a .npy file", file.path()));
  }
  const int major = std::to_integer<int>(start[6]);
  const int minor = std::to_integer<int>(start[7]);
  if (major < 1 || major > 3 || minor != 0) {
    return Unsupported(
        fmt::format("{}: .npy version {}.{} is unknown; 1.0, 2.0 and 3.0 are supported", file.path(), major, minor));
  }
  std::array<std::byte, 4> length_bytes{};
  BNN_RETURN_IF_ERROR(file.Read(std::span(length_bytes).first(major == 1 ? 2 : 4), "header"));
  int64_t length = 0;
  for (int i = 3; i >= 0; --i) length = length * 256 + std::to_integer<int64_t>(length_bytes[static_cast<size_t>(i)]);
  if (length > kMaxHeaderBytes) {
    return InvalidArgument(
        fmt::format("{}: a header of {} bytes; at most {} are accepted", file.path(), length, kMaxHeaderBytes));
  }
  BNN_ASSIGN_OR_RETURN(const std::vector<std::byte> text, file.ReadVector(length, "header"));
  return ParseNpyHeader({reinterpret_cast<const char*>(text.data()), text.size()}, file.path());
}

}  // namespace

Result<Array> ReadNpy(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  BNN_ASSIGN_OR_RETURN(NpyHeader header, ReadHeader(file));
  BNN_ASSIGN_OR_RETURN(const int64_t bytes, ArrayBytes(header.shape, header.dtype, path));
  Array array;
  array.dtype = header.dtype;
  BNN_ASSIGN_OR_RETURN(array.data, file.ReadVector(bytes, "data"));
  BNN_RETURN_IF_ERROR(file.ExpectEnd());
  if (header.big_endian != kBigEndianMachine) ReverseItemBytes(array.data, ItemSize(array.dtype));
  if (header.fortran_order) array.data = ToRowMajor(array.data, header.shape, ItemSize(array.dtype));
  array.shape = std::move(header.shape);
  return array;
}

Result<NpyWriter> NpyWriter::Create(const std::string& path, std::span<const int64_t> shape) {
  BNN_ASSIGN_OR_RETURN(const int64_t bytes, ArrayBytes(shape, DType::kF32, path));
  std::string dims;
  for (const int64_t dim : shape) dims += fmt::format("{}, ", dim);
  std::string text =
      fmt::format("{{'descr': '{}f4', 'fortran_order': False, 'shape': ({}), }}", kBigEndianMachine ? '>' : '<', dims);
  // Spaces and a newline bring the items to a multiple of 64 bytes, so that they can be mapped and used in place.
  const size_t fixed = kMagic.size() + 4;
  text.append(63 - (fixed + text.size()) % 64, ' ');
  text += '\n';
  if (text.size() > 0xffff) return InvalidArgument(fmt::format("{}: the shape has too many dimensions", path));
  std::string start(kMagic);
  start += '\x01';
  start += '\x00';
  start += static_cast<char>(text.size() & 0xff);
  start += static_cast<char>(text.size() >> 8);
  start += text;

  NpyWriter writer;
  writer.path_ = path;
  writer.missing_ = bytes / ItemSize(DType::kF32);
  writer.file_.reset(std::fopen(path.c_str(), "wb"));
  if (writer.file_ == nullptr || std::fwrite(start.data(), 1, start.size(), writer.file_.get()) != start.size()) {
    return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return writer;
}

Status NpyWriter::Append(std::span<const float> items) {
  if (static_cast<int64_t>(items.size()) > missing_) {
    return InternalError(fmt::format("{}: more items than its shape has", path_));
  }
  if (std::fwrite(items.data(), sizeof(float), items.size(), file_.get()) != items.size()) {
    return IoError(fmt::format("{}: {}", path_, std::strerror(errno)));
  }
  missing_ -= static_cast<int64_t>(items.size());
  return OkStatus();
}

Status NpyWriter::Close() {
  if (missing_ != 0) return InternalError(fmt::format("{}: {} items of its shape were not written", path_, missing_));
  if (std::fclose(file_.release()) != 0) return IoError(fmt::format("{}: {}", path_, std::strerror(errno)));
  return OkStatus();
}

}  // namespace bnn::run
