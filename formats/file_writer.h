// Files that are written whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "bnn/status.h"

namespace bnn::formats {

// Writes a temporary file beside `path`, flushes it to disk and renames it, so that a failure leaves what was there
// before. A symbolic link is followed; a target that exists and is no regular file is refused. kIoError names the path.
Status WriteFileWhole(const std::string& path, std::string_view bytes);

}  // namespace bnn::formats
