// Detection against what the operating system reports, from a source of its own: /proc/cpuinfo lists a vector flag only
// when the kernel also saves its registers.
#include "kernels/cpu_features.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/test_support.h"

namespace bnn::kernels {
namespace {

#if defined(__aarch64__) || defined(__arm__)
constexpr const char* kFlagsLine = "Features";
#else
constexpr const char* kFlagsLine = "flags";
#endif

// The words of the line of this name of the first processor; empty where there is none (qemu shows the file of its
// host).
std::set<std::string> CpuinfoWords(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(name, 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> flags;
    for (std::string word; words >> word;) flags.insert(word);
    return flags;
  }
  return {};
}

bool HasAll(const std::set<std::string>& flags, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& flag) { return flags.count(flag) != 0; });
}

TEST_CASE("detection agrees with /proc/cpuinfo") {
  const std::set<std::string> flags = CpuinfoWords(kFlagsLine);
  if (flags.empty()) return test::Skip("/proc/cpuinfo has no flags of this architecture");
  const std::vector<std::string> avx2 = {"avx2", "fma", "bmi1", "bmi2"};
  std::vector<std::string> avx512 = avx2;
  for (const char* flag : {"avx512f", "avx512bw", "avx512vl", "avx512dq"}) avx512.push_back(flag);
  std::vector<std::string> vpopcnt = avx512;
  vpopcnt.push_back("avx512_vpopcntdq");
  CHECK(IsaSupported(Isa::kReference));
  CHECK(IsaSupported(Isa::kNeon) == (HasAll(flags, {"neon", "vfpv4"}) || HasAll(flags, {"asimd"})));
#if defined(__aarch64__)
  CHECK(IsaSupported(Isa::kNeonSha3) == HasAll(flags, {"sha3"}));
  if (!HasAll(flags, {"sve"})) CHECK_FALSE(IsaSupported(Isa::kSve));
#endif
  CHECK(IsaSupported(Isa::kAvx2) == HasAll(flags, avx2));
  CHECK(IsaSupported(Isa::kAvx512) == HasAll(flags, avx512));
  CHECK(IsaSupported(Isa::kAvx512Vpopcnt) == HasAll(flags, vpopcnt));
}

TEST_CASE("BestIsa is supported and nothing better is, but for EOR3 where it does not pay") {
  CHECK(IsaSupported(BestIsa()));
  for (const Isa isa : kAllIsas) {
    if (isa > BestIsa() && isa != Isa::kNeonSha3) CHECK_FALSE(IsaSupported(isa));
  }
}

TEST_CASE("vectors of 512 bits are split by AMD's Zen 3 and 4: no carries are saved there, and halves preferred") {
  CHECK(SplitsLongVectors("AuthenticAMD", 0x19));
  CHECK_FALSE(SplitsLongVectors("AuthenticAMD", 0x1A));  // Zen 5
  CHECK_FALSE(SplitsLongVectors("GenuineIntel", 0x6));
  CHECK_FALSE(SplitsLongVectors("GenuineIntel", 0x19));
  if (!IsaSupported(Isa::kAvx512)) return test::Skip("this CPU lacks avx512, which the question is about");
  const std::set<std::string> vendor = CpuinfoWords("vendor_id"), family = CpuinfoWords("cpu family");
  if (vendor.empty() || family.empty()) return test::Skip("/proc/cpuinfo names no vendor and family");
  const auto number = static_cast<unsigned>(std::stoul(*family.begin()));
  const bool splits = SplitsLongVectors(*vendor.begin(), number);
  CHECK((RefuseToSaveCarries() != nullptr) == splits);
  CHECK((RefuseHalfVectors() == nullptr) == splits);
}

TEST_CASE("EOR3 pays on the cores of Arm with two vector pipes, whatever their revision") {
  CHECK(GainsFromSha3(0x410FD490));         // Neoverse N2 r0p0
  CHECK(GainsFromSha3(0x411FD812));         // Cortex-A720 r1p2
  CHECK_FALSE(GainsFromSha3(0x411FD401));   // Neoverse V1: four pipes
  CHECK_FALSE(GainsFromSha3(0x410FD460));   // Cortex-A510: in order
  CHECK_FALSE(GainsFromSha3(0x414FD0B1));   // Cortex-A76: no EOR3
  CHECK_FALSE(GainsFromSha3(0x610FD490));   // another vendor's part of that number
  CHECK_FALSE(GainsFromSha3(0x1410FD490));  // more bits than the register has
}

TEST_CASE("names and instruction sets translate both ways") {
  for (const Isa isa : kAllIsas) {
    Isa back = isa == Isa::kReference ? Isa::kNeon : Isa::kReference;
    CHECK(IsaFromName(IsaName(isa), &back));
    CHECK(back == isa);
  }
  for (const char* name : {"", "AVX2", "avx", "avx5122", "avx512vpopcnt "}) {
    Isa isa = Isa::kNeon;
    CHECK_FALSE(IsaFromName(name, &isa));
    CHECK(isa == Isa::kNeon);
  }
}

TEST_CASE("all threads see the same answer") {
  std::vector<Isa> best(8, Isa::kReference);
  std::vector<std::thread> threads;
  for (Isa& isa : best) threads.emplace_back([&isa] { isa = BestIsa(); });
  for (std::thread& thread : threads) thread.join();
  for (const Isa isa : best) CHECK(isa == BestIsa());
}

}  // namespace
}  // namespace bnn::kernels
