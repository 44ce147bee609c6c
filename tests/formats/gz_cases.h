// The committed networks with expected outputs whose files are compressed.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/formats/onnx_cases.h"

namespace bnn::test {

// Of a file of tests/formats/data.
inline std::vector<OnnxCase> ReadGzCases(const std::string& name) {
  const std::string path = SourceDir() + "/tests/formats/data/" + name;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error(path + " cannot be opened");
  std::string bytes;
  std::vector<char> part(1 << 16);
  int count = 0;
  while ((count = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0) {
    bytes.append(part.data(), static_cast<size_t>(count));
  }
  gzclose(file);
  if (count < 0) throw std::runtime_error(path + " is damaged");
  return OnnxCaseReader(path, std::move(bytes)).ReadAll();
}

}  // namespace bnn::test
