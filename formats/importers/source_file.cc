#include "formats/importers/source_file.h"

#include <exception>
#include <filesystem>
#include <fstream>
#include <new>
#include <system_error>

namespace bnn::formats {

Result<std::string> ReadWholeFile(const std::string& path, uint64_t limit) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return IoError(path + ": cannot be read: " + error.message());
  if (size > limit) {
    return Unsupported(path + ": has " + std::to_string(size) + " bytes, the limit is " + std::to_string(limit));
  }
  std::string bytes(size, '\0');
  std::ifstream stream(path, std::ios::binary);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(size))) return IoError(path + ": cannot be read");
  return bytes;
}

Result<SourceGraph> GuardImport(const std::string& name, const std::function<Result<SourceGraph>()>& import) {
  try {
    Result<SourceGraph> result = import();
    if (result.ok() || result.status().message().starts_with(name + ":")) return result;
    return Status(result.status().code(), name + ": " + result.status().message());
  } catch (const std::bad_alloc&) {
    return OutOfMemory(name + ": not enough memory to import it");
  } catch (const std::exception& error) {
    return InvalidModel(name + ": " + error.what());
  }
}

}  // namespace bnn::formats
