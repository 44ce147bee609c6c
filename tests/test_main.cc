// main() of every test executable. A test case that cannot run here calls bnn::test::Skip(reason); the reasons are
// printed at the end, so that a skipped test never looks like a passed one.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/test_support.h"

namespace bnn::test {

std::vector<std::string>& SkippedReasons() {
  static std::vector<std::string> reasons;
  return reasons;
}

}  // namespace bnn::test

int main(int argc, char** argv) {
  const char* isa = std::getenv("BNN_MAX_ISA");
  if (isa != nullptr && !bnn::test::CpuHasIsa(isa)) {
    std::printf("SKIPPED: BNN_MAX_ISA=%s, which this CPU lacks\n", isa);
    return bnn::test::kSkipExitCode;
  }
  doctest::Context context(argc, argv);
  const int result = context.run();
  for (const std::string& reason : bnn::test::SkippedReasons()) std::printf("SKIPPED: %s\n", reason.c_str());
  return result;
}
