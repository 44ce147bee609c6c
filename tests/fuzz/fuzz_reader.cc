// libFuzzer target: any bytes as a .bnn file, as they are and with corrected checksums.
// Build with -DBNN_FUZZ=ON and clang; seed it with tests/formats/data/*.bnn.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/formats/model_fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  bnn::test::ReadAndWriteBack(file);
  bnn::test::ReadAndWriteBack(bnn::test::Reseal(file));
  return 0;
}
