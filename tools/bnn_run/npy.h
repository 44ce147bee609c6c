// NumPy's .npy files, format versions 1 to 3: bool, integers and float32/float64 of any byte order and memory order.
// The format: the magic "\x93NUMPY", two version bytes, the length of the header (2 bytes in version 1, else 4), the
// header, which is the text of a Python dict with the keys descr, fortran_order and shape, then the items.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bnn/status.h"
#include "tools/bnn_run/array.h"

namespace bnn::run {

struct NpyHeader {
  DType dtype = DType::kU8;
  bool big_endian = false;
  bool fortran_order = false;  // the first dimension varies fastest
  std::vector<int64_t> shape;
};

// The text between the length field and the items. Anything but exactly the three keys is an error.
Result<NpyHeader> ParseNpyHeader(std::string_view text, const std::string& path);

// The array in row-major order. Sizes are checked against the file before memory is allocated, and the items must end
// where the file ends. The file may be gzip-compressed.
Result<Array> ReadNpy(const std::string& path);

// Writes a float32 .npy file of a shape that is known in advance, piece by piece.
class NpyWriter {
 public:
  static Result<NpyWriter> Create(const std::string& path, std::span<const int64_t> shape);

  Status Append(std::span<const float> items);

  // An error where the items written are not as many as the shape says, or could not be stored.
  Status Close();

 private:
  NpyWriter() = default;

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
  int64_t missing_ = 0;  // items
};

}  // namespace bnn::run
