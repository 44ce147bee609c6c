// Reads a file from its beginning to its end, through gzip where the content is gzip. Knows in advance how many bytes
// can come at most, so that a header which claims more is refused before memory is allocated for it.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "bnn/status.h"

namespace bnn::run {

class InputFile {
 public:
  // Regular files only: a pipe or a device has no size to judge claims by.
  static Result<InputFile> Open(const std::string& path);

  // Fills `out`. `what` names the part for the error message: "<path>: the file ends inside the <what>".
  Status Read(std::span<std::byte> out, const char* what);

  // The next `bytes` bytes. Refuses more than remaining_at_most() before it allocates.
  Result<std::vector<std::byte>> ReadVector(int64_t bytes, const char* what);

  // All that is left, at most `limit` bytes: more is an error.
  Result<std::vector<std::byte>> ReadRest(int64_t limit);

  // An error where bytes are left. Also finds a gzip checksum that is wrong.
  Status ExpectEnd();

  // Exact for plain files; for gzip an upper bound.
  int64_t remaining_at_most() const { return max_bytes_ - position_; }

  const std::string& path() const { return path_; }

 private:
  InputFile() = default;

  // Up to out.size() bytes, fewer only at the end of the file.
  Result<size_t> ReadSome(std::span<std::byte> out);

  std::string path_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, int (*)(gzFile)> file_{nullptr, &gzclose_r};
  int64_t max_bytes_ = 0;
  int64_t position_ = 0;
};

}  // namespace bnn::run
