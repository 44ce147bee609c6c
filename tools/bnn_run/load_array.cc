#include "tools/bnn_run/load_array.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>

#include "tools/bnn_run/idx.h"
#include "tools/bnn_run/input_file.h"
#include "tools/bnn_run/npy.h"

namespace bnn::run {

Result<FileFormat> FormatOf(std::span<const std::byte> start, const std::string& path) {
  using namespace std::string_view_literals;
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with("\x93NUM"sv)) return FileFormat::kNpy;
  if (text.starts_with("\x89PNG"sv) || text.starts_with("\xff\xd8\xff"sv)) return FileFormat::kImage;
  if (text.starts_with("\0\0"sv)) return FileFormat::kIdx;
  return InvalidArgument(fmt::format("{}: neither .npy, idx, PNG nor JPEG", path));
}

Result<FileFormat> DetectFormat(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  std::array<std::byte, 4> start{};
  BNN_RETURN_IF_ERROR(file.Read(start, "first 4 bytes"));
  return FormatOf(start, path);
}

Result<Array> LoadArray(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(const FileFormat format, DetectFormat(path));
  switch (format) {
    case FileFormat::kNpy:
      return ReadNpy(path);
    case FileFormat::kIdx:
      return ReadIdx(path);
    case FileFormat::kImage:
      break;
  }
  return InvalidArgument(fmt::format("{}: a picture, where an array (.npy or idx) is needed", path));
}

}  // namespace bnn::run
