#include "tools/bnn_run/input_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

namespace bnn::run {
namespace {

// No deflate stream grows to more than this many bytes for each of its own: the longest match is 258 bytes, and its
// length and distance take at least one bit each.
constexpr int64_t kMaxDeflateRatio = 258 * 8 / 2;

// Memory grows with what a compressed file really holds, from this much on, not with what it claims to hold.
constexpr int64_t kFirstChunk = int64_t{1} << 20;

}  // namespace

Result<InputFile> InputFile::Open(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return IoError(fmt::format("{}: {}", path, error ? error.message() : "no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) return IoError(fmt::format("{}: not a regular file", path));
  const auto file_bytes = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (error) return IoError(fmt::format("{}: {}", path, error.message()));

  InputFile file;
  file.path_ = path;
  errno = 0;
  file.file_.reset(gzopen(path.c_str(), "rb"));
  if (file.file_ == nullptr) return IoError(fmt::format("{}: {}", path, std::strerror(errno != 0 ? errno : ENOMEM)));
  const bool plain = gzdirect(file.file_.get()) != 0;
  if (plain) {
    file.max_bytes_ = file_bytes;
  } else if (__builtin_mul_overflow(file_bytes, kMaxDeflateRatio, &file.max_bytes_)) {
    file.max_bytes_ = std::numeric_limits<int64_t>::max();
  }
  return file;
}

Result<size_t> InputFile::ReadSome(std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size()) {
    const auto chunk = static_cast<unsigned>(std::min<size_t>(out.size() - done, size_t{1} << 28));
    const int got = gzread(file_.get(), out.data() + done, chunk);
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    // Z_BUF_ERROR: the compressed stream ends too early, perhaps only its checksum is missing.
    if (got < 0 || (got == 0 && code == Z_BUF_ERROR)) {
      return IoError(fmt::format("{}: {}", path_, code == Z_ERRNO ? std::strerror(errno) : message));
    }
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  position_ += static_cast<int64_t>(done);
  return done;
}

Status InputFile::Read(std::span<std::byte> out, const char* what) {
  BNN_ASSIGN_OR_RETURN(const size_t got, ReadSome(out));
  if (got < out.size()) {
    return InvalidArgument(
        fmt::format("{}: the file ends inside the {} ({} of {} bytes are there)", path_, what, got, out.size()));
  }
  return OkStatus();
}

Result<std::vector<std::byte>> InputFile::ReadVector(int64_t bytes, const char* what) {
  if (bytes > remaining_at_most()) {
    return InvalidArgument(fmt::format("{}: the {} should be {} bytes, but the file holds at most {} more", path_, what,
                                       bytes, remaining_at_most()));
  }
  std::vector<std::byte> data;
  int64_t done = 0;
  while (done < bytes) {
    const int64_t chunk = std::min(bytes - done, std::max(done, kFirstChunk));
    data.resize(static_cast<size_t>(done + chunk));
    BNN_ASSIGN_OR_RETURN(const size_t got, ReadSome(std::span(data).subspan(static_cast<size_t>(done))));
    done += static_cast<int64_t>(got);
    if (static_cast<int64_t>(got) < chunk) {
      return InvalidArgument(
          fmt::format("{}: the file ends inside the {} ({} of {} bytes are there)", path_, what, done, bytes));
    }
  }
  return data;
}

Result<std::vector<std::byte>> InputFile::ReadRest(int64_t limit) {
  std::vector<std::byte> data;
  while (true) {
    const size_t done = data.size();
    data.resize(done + static_cast<size_t>(std::max<int64_t>(static_cast<int64_t>(done), kFirstChunk)));
    BNN_ASSIGN_OR_RETURN(const size_t got, ReadSome(std::span(data).subspan(done)));
    if (static_cast<int64_t>(done + got) > limit) {
      return InvalidArgument(fmt::format("{}: larger than {} bytes", path_, limit));
    }
    if (done + got < data.size()) {
      data.resize(done + got);
      return data;
    }
  }
}

Status InputFile::ExpectEnd() {
  std::byte extra{};
  BNN_ASSIGN_OR_RETURN(const size_t got, ReadSome({&extra, 1}));
  if (got != 0) return InvalidArgument(fmt::format("{}: bytes are left after the last item of its shape", path_));
  return OkStatus();
}

}  // namespace bnn::run
