#include "tools/bnn_run/image.h"

#include <fmt/format.h>
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include <cstring>
#include <limits>
#include <memory>

#include "tools/bnn_run/input_file.h"

namespace bnn::run {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;
constexpr int64_t kMaxPixels = int64_t{1} << 27;  // a decoder needs several bytes for each
constexpr int64_t kMaxInputSide = 1 << 15;

struct StbFree {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

}  // namespace

Result<Array> ReadImage(const std::string& path, int64_t height, int64_t width, int64_t channels) {
  if (channels != 1 && channels != 3) {
    return InvalidArgument(
        fmt::format("{}: the model's input has {} channels, but a picture gives 1 or 3", path, channels));
  }
  if (height > kMaxInputSide || width > kMaxInputSide) {
    return Unsupported(fmt::format("{}: the model's input of {}x{} is too large for a picture", path, height, width));
  }
  BNN_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  BNN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, file.ReadRest(kMaxFileBytes));
  const auto* const encoded = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int length = static_cast<int>(bytes.size());

  int w = 0, h = 0, file_channels = 0;
  if (stbi_info_from_memory(encoded, length, &w, &h, &file_channels) == 0) {
    return InvalidArgument(fmt::format("{}: cannot be decoded: {}", path, stbi_failure_reason()));
  }
  if (int64_t{w} * h > kMaxPixels) {
    return InvalidArgument(
        fmt::format("{}: {}x{} pixels are too many; at most {} are accepted", path, w, h, kMaxPixels));
  }
  const std::unique_ptr<stbi_uc, StbFree> pixels(
      stbi_load_from_memory(encoded, length, &w, &h, &file_channels, static_cast<int>(channels)));
  if (pixels == nullptr) return InvalidArgument(fmt::format("{}: cannot be decoded: {}", path, stbi_failure_reason()));

  Array array;
  array.dtype = DType::kU8;
  array.shape = {1, height, width, channels};
  array.data.resize(static_cast<size_t>(height * width * channels));
  if (w == width && h == height) {
    std::memcpy(array.data.data(), pixels.get(), array.data.size());
  } else if (stbir_resize_uint8_generic(pixels.get(), w, h, 0, reinterpret_cast<unsigned char*>(array.data.data()),
                                        static_cast<int>(width), static_cast<int>(height), 0,
                                        static_cast<int>(channels), STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                        STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr) == 0) {
    return OutOfMemory(fmt::format("{}: cannot be resized from {}x{} to {}x{}", path, w, h, width, height));
  }
  return array;
}

}  // namespace bnn::run
