// Which kind of file is this? Decided by its first bytes, not by its name.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "bnn/status.h"
#include "tools/bnn_run/array.h"

namespace bnn::run {

enum class FileFormat { kNpy, kIdx, kImage };

// `start`: the first bytes of the (decompressed) file, 4 or more.
Result<FileFormat> FormatOf(std::span<const std::byte> start, const std::string& path);
Result<FileFormat> DetectFormat(const std::string& path);

// A .npy or idx file, plain or gzip-compressed.
Result<Array> LoadArray(const std::string& path);

}  // namespace bnn::run
