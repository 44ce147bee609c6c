// libFuzzer target: any bytes as an IR of OpenVINO (.xml, a zero byte, .bin), through import, passes and interpreter.
// Build with -DBNN_FUZZ=ON and clang; seed it with the networks of tests/formats/data (fuzz_openvino_seeds writes
// them).
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/formats/import_fuzz_target.h"
#include "tests/formats/openvino_mutator.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Half of the mutations change the texts of attributes, so that they get past the parser.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string mutated = bnn::test::IrMutator(seed).MutateFields(bytes.substr(0, end)) + bytes.substr(end);
  if (mutated.empty() || mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bnn::test::ImportAndInterpretIr(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
