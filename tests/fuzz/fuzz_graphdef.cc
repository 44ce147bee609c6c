// libFuzzer target: any bytes as a frozen TensorFlow graph, through import, passes and interpreter.
// Build with -DBNN_FUZZ=ON and clang; seed it with the networks of tests/formats/data (fuzz_graphdef_seeds writes
// them).
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/formats/graphdef_mutator.h"
#include "tests/formats/import_fuzz_target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Half of the mutations change fields, where the file is sound enough to be taken apart.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string mutated = bnn::test::GraphdefMutator(seed).MutateFields(bytes);
  if (mutated == bytes || mutated.empty() || mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bnn::test::ImportAndInterpretGraphdef(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
