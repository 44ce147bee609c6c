// Helpers that every test may use.
#pragma once

#if (defined(__aarch64__) || defined(__arm__)) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace bnn::test {

inline constexpr int kSkipExitCode = 77;

// Built for another processor, so run by an emulator: ten to twenty times slower.
inline constexpr bool kIsEmulated = BNN_TESTS_ARE_EMULATED != 0;

// The reasons recorded by Skip(), printed by test_main.cc.
std::vector<std::string>& SkippedReasons();

// Records that the current test case cannot run here; the caller then returns.
inline void Skip(const std::string& reason) {
  std::vector<std::string>& reasons = SkippedReasons();
  if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
}

// True when this CPU can run the instruction set of that BNN_MAX_ISA name. Asked of the compiler's own detection, so
// that a defect of kernels/cpu_features cannot skip its own tests.
inline bool CpuHasIsa(const char* name) {
  if (std::strcmp(name, "reference") == 0) return true;
#if defined(__x86_64__)
  if (std::strcmp(name, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (std::strcmp(name, "avx512") == 0) return __builtin_cpu_supports("avx512bw") != 0;
  if (std::strcmp(name, "avx512vpopcnt") == 0) return __builtin_cpu_supports("avx512vpopcntdq") != 0;
#elif defined(__aarch64__)
  if (std::strcmp(name, "neon") == 0) return true;
#if defined(__linux__)
  if (std::strcmp(name, "neonsha3") == 0) return (getauxval(AT_HWCAP) & (1ul << 17)) != 0;
  if (std::strcmp(name, "sve") == 0) {
    uint64_t bits = 0;  // of a vector: 8 times its bytes
    if ((getauxval(AT_HWCAP) & (1ul << 22)) == 0) return false;
    __asm__ volatile(".arch_extension sve\n\trdvl %0, #8" : "=r"(bits));
    return bits >= 256;
  }
#endif
#elif defined(__arm__) && defined(__linux__)
  constexpr unsigned long kNeonAndVfp4 = (1ul << 12) | (1ul << 16);
  if (std::strcmp(name, "neon") == 0) return (getauxval(AT_HWCAP) & kNeonAndVfp4) == kNeonAndVfp4;
#endif
  return false;
}

// The root of the source tree.
inline std::string SourceDir() { return BNN_SOURCE_DIR; }

// A folder for files of this test run; created on demand.
inline std::string ScratchDir() {
  const std::string path = std::string(BNN_BINARY_DIR) + "/test-scratch";
  std::filesystem::create_directories(path);
  return path;
}

// ../shared/data with its expected.json, or "" where it is absent: it is not part of the repository.
inline std::string AcceptanceDataDir() {
  const std::string path = SourceDir() + "/../shared/data";
  return std::filesystem::exists(path + "/expected.json") ? path : "";
}

}  // namespace bnn::test
