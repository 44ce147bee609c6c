// idx files, the format of MNIST: 2 zero bytes, a type byte, the number of dimensions, each dimension as a 32-bit
// big-endian number, then the items, big-endian, last dimension fastest.
#pragma once

#include <string>

#include "bnn/status.h"
#include "tools/bnn_run/array.h"

namespace bnn::run {

// Sizes are checked against the file before memory is allocated, and the items must end where the file ends. The file
// may be gzip-compressed.
Result<Array> ReadIdx(const std::string& path);

}  // namespace bnn::run
