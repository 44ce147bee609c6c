// The probes run, and touch and compute what they say. No speed is compared with another: that would test the machine.
#include "kernels/limits/limits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/test_support.h"

namespace bnn::kernels {
namespace {

constexpr Arithmetic kKinds[] = {Arithmetic::kBinary, Arithmetic::kFloat32, Arithmetic::kInt8};

TEST_CASE("the table of probes is ordered, and ends with a reference that has all of them") {
  const LimitProbesList list = AllLimitProbes();
  std::set<std::string> names;
  for (int64_t i = 0; i < list.size; ++i) {
    const LimitProbes& probes = *list.begin[i];
    CHECK(names.insert(probes.name).second);
    CHECK((probes.isa == Isa::kReference) == (i + 1 == list.size));
    if (i > 0) CHECK(list.begin[i - 1]->isa >= probes.isa);
    for (const ArithmeticProbe* probe : {&probes.binary, &probes.float32, &probes.int8}) {
      CHECK((probe->operations == nullptr) == (probe->run == nullptr));
      CHECK((probe->operations == nullptr) == (probe->macs_per_round == 0));
    }
  }
  const LimitProbes& reference = *list.begin[list.size - 1];
  CHECK(reference.binary.operations != nullptr);
  CHECK(reference.float32.operations != nullptr);
  CHECK(reference.int8.operations != nullptr);
  CHECK((reference.read != nullptr));
  CHECK((reference.write != nullptr));
}

TEST_CASE("every kind of arithmetic has a probe for every instruction set") {
  for (const Arithmetic kind : kKinds) {
    for (const Isa isa : kAllIsas) {
      if (!test::CpuHasIsa(IsaName(isa))) {
        if (isa != Isa::kNeon) test::Skip(std::string("limits: this CPU lacks ") + IsaName(isa));
        continue;
      }
      const ArithmeticProbe& probe = FindProbe(kind, isa);
      REQUIRE((probe.run != nullptr));
      CHECK(probe.macs_per_round > 0);
      CHECK(MacsOf(probe) == kProbeRounds * probe.macs_per_round);
      RunProbe(probe);
    }
  }
}

#if defined(__x86_64__)
TEST_CASE("the probe of bytes uses their dot products where the CPU has them") {
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
    if (!test::CpuHasIsa(IsaName(isa))) continue;
    const std::string operations = FindProbe(Arithmetic::kInt8, isa).operations;
    CHECK((operations.find("vpdpbusd") != std::string::npos) == HasVnni(isa));
  }
}
#endif

TEST_CASE("writing reaches every byte of the whole steps and none behind them, reading stays inside") {
  for (const Isa isa : kAllIsas) {
    if (!IsaSupported(isa)) continue;
    for (const int64_t bytes : {int64_t{0}, kMemoryStep - 1, kMemoryStep, 5 * kMemoryStep + 17, int64_t{70000}}) {
      CAPTURE(IsaName(isa));
      CAPTURE(bytes);
      alignas(64) static unsigned char data[80000];
      std::fill(std::begin(data), std::end(data), static_cast<unsigned char>(7));
      WriteAll(isa, data, bytes);
      const int64_t written = bytes / kMemoryStep * kMemoryStep;
      CHECK(std::count(data, data + sizeof(data), 0) == written);
      CHECK(std::all_of(data + written, data + sizeof(data), [](unsigned char byte) { return byte == 7; }));
      for (const ReadWay way : kReadWays) ReadAll(isa, data, bytes, way);
    }
  }
}

TEST_CASE("the result of reading depends on every byte") {
  constexpr int64_t kBytes = 131 * kMemoryStep;  // more than the first-level cache has, for the way with prefetches
  const LimitProbesList list = AllLimitProbes();
  for (int64_t i = 0; i < list.size; ++i) {
    const LimitProbes& probes = *list.begin[i];
    if (probes.read == nullptr || !IsaSupported(probes.isa)) continue;
    CAPTURE(probes.name);
    for (const ReadWay way : kReadWays) {
      alignas(64) static unsigned char data[kBytes] = {};
      const uint64_t nothing = probes.read(data, kBytes, way);
      int64_t unread = 0;
      for (int64_t byte = 0; byte < kBytes; byte += 4) {
        data[byte] = 1;
        if (probes.read(data, kBytes, way) == nothing) ++unread;
        data[byte] = 0;
      }
      CHECK(unread == 0);
    }
  }
}

}  // namespace
}  // namespace bnn::kernels
