// How importers read their files, and how they end: with a graph, or with an error that begins with the file's name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// All bytes of a file of at most `limit`.
Result<std::string> ReadWholeFile(const std::string& path, uint64_t limit);

// Runs `import` and puts `name` in front of its errors. protobuf, libonnx and the allocator throw; nothing of that
// leaves the importers.
Result<SourceGraph> GuardImport(const std::string& name, const std::function<Result<SourceGraph>()>& import);

}  // namespace bnn::formats
