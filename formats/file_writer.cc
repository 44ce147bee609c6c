#include "formats/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace bnn::formats {
namespace {

Status SystemError(const std::string& path, const char* action, int error) {
  return IoError(path + ": " + action + ": " + std::strerror(error));
}

Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path, "cannot write", errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return OkStatus();
}

// A new file beside its target, removed again unless Rename() succeeded.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : target_(target) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!path_.empty()) unlink(path_.c_str());
  }

  // O_EXCL makes the name ours; unlike mkstemp, open() respects the umask.
  Status Create() {
    static std::atomic<uint32_t> counter{0};
    constexpr int kAttempts = 100;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::string name = ".bnn-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".tmp";
      const std::string candidate = (target_.parent_path() / name).string();
      descriptor_ = open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ >= 0) {
        path_ = candidate;
        return OkStatus();
      }
      if (errno != EEXIST) break;
    }
    return SystemError(target_.string(), "cannot create a file in its folder", errno);
  }

  Status Write(std::string_view bytes) {
    BNN_RETURN_IF_ERROR(WriteAll(descriptor_, bytes, path_));
    if (fsync(descriptor_) != 0) return SystemError(path_, "cannot flush to disk", errno);
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) return SystemError(path_, "cannot close", errno);
    return OkStatus();
  }

  Status Rename() {
    if (rename(path_.c_str(), target_.c_str()) != 0) return SystemError(target_.string(), "cannot replace", errno);
    path_.clear();
    // Makes the new name durable as well. Some file systems cannot flush a folder; the file itself is safe by now.
    const std::string folder = target_.has_parent_path() ? target_.parent_path().string() : ".";
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
      fsync(descriptor);
      close(descriptor);
    }
    return OkStatus();
  }

 private:
  std::filesystem::path target_;
  std::string path_;
  int descriptor_ = -1;
};

// Renaming onto a device would replace it by a file, and onto a symbolic link would replace the link: the former is
// refused, the latter followed.
Result<std::filesystem::path> ResolveTarget(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return std::filesystem::path(path);
  if (!std::filesystem::is_regular_file(status)) return IoError(path + ": exists and is not a regular file");
  std::filesystem::path target = std::filesystem::canonical(path, error);
  if (error) return IoError(path + ": cannot resolve: " + error.message());
  return target;
}

}  // namespace

Status WriteFileWhole(const std::string& path, std::string_view bytes) {
  BNN_ASSIGN_OR_RETURN(const std::filesystem::path target, ResolveTarget(path));
  TemporaryFile file(target);
  BNN_RETURN_IF_ERROR(file.Create());
  BNN_RETURN_IF_ERROR(file.Write(bytes));
  return file.Rename();
}

}  // namespace bnn::formats
