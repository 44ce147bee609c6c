#include "kernels/cpu_features.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#if (defined(__aarch64__) || defined(__arm__)) && defined(__linux__)
#include <sys/auxv.h>
#if defined(__aarch64__)
#include <sys/prctl.h>
#endif
#endif

namespace bnn::kernels {
namespace {

struct Support {
  bool neon = false;
  bool neon_sha3 = false;
  bool gains_from_sha3 = false;
  bool sve = false;
  bool avx2 = false;
  bool avx512 = false;
  bool avx512_vpopcnt = false;
  bool avx_vnni = false;
  bool avx512_vnni = false;
  bool splits_long_vectors = false;
};

#if defined(__x86_64__) || defined(__i386__)

// A vector instruction set needs two yeses. The CPU says in CPUID that it can execute the instructions; the operating
// system says in XCR0 that it saves their registers when it switches threads. Without the second the instructions trap
// (or, worse, lose their upper halves), so a kernel of that set must not run. XCR0 itself exists only where CPUID
// reports OSXSAVE.

constexpr bool Bit(unsigned value, int bit) { return ((value >> bit) & 1u) != 0; }

// XCR0: the register states that the operating system saves.
constexpr uint64_t kXmmAndYmm = (1u << 1) | (1u << 2);
constexpr uint64_t kOpmaskAndZmm = (1u << 5) | (1u << 6) | (1u << 7);  // k0-7, upper halves of zmm0-15, zmm16-31

uint64_t ReadXcr0() {
  uint32_t low = 0;
  uint32_t high = 0;
  // Written as assembly because the intrinsic would need -mxsave, and this file is compiled for any x86.
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

bool DetectSplitsLongVectors() {
  unsigned eax = 0;
  unsigned vendor[3] = {};  // in the order in which they spell it
  if (__get_cpuid(0, &eax, &vendor[0], &vendor[2], &vendor[1]) == 0) return false;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  const unsigned base = (eax >> 8) & 0xF;
  const unsigned family = base == 0xF ? base + ((eax >> 20) & 0xFF) : base;
  return SplitsLongVectors({reinterpret_cast<const char*>(vendor), sizeof(vendor)}, family);
}

Support Detect() {
  Support support;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;

  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return support;
  const bool fma = Bit(ecx, 12);
  const bool osxsave = Bit(ecx, 27);
  const bool avx = Bit(ecx, 28);
  if (!osxsave || !avx) return support;
  const uint64_t xcr0 = ReadXcr0();
  if ((xcr0 & kXmmAndYmm) != kXmmAndYmm) return support;

  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return support;
  const bool bmi1 = Bit(ebx, 3);
  const bool avx2 = Bit(ebx, 5);
  const bool bmi2 = Bit(ebx, 8);
  support.avx2 = avx2 && fma && bmi1 && bmi2;
  const unsigned ebx7 = ebx;
  const unsigned ecx7 = ecx;
  if (eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) support.avx_vnni = support.avx2 && Bit(eax, 4);

  if ((xcr0 & kOpmaskAndZmm) != kOpmaskAndZmm) return support;
  const bool f = Bit(ebx7, 16);
  const bool dq = Bit(ebx7, 17);
  const bool bw = Bit(ebx7, 30);
  const bool vl = Bit(ebx7, 31);
  support.avx512 = support.avx2 && f && dq && bw && vl;
  support.avx512_vpopcnt = support.avx512 && Bit(ecx7, 14);
  support.avx512_vnni = support.avx512 && Bit(ecx7, 11);
  support.splits_long_vectors = support.avx512 && DetectSplitsLongVectors();
  return support;
}

#elif defined(__aarch64__)

Support Detect() {
  Support support;
  support.neon = true;                         // Advanced SIMD is part of the architecture's base
#if defined(__linux__)
  constexpr unsigned long kCpuid = 1ul << 11;  // HWCAP_CPUID of <asm/hwcap.h>: programs may read MIDR_EL1
  constexpr unsigned long kSha3 = 1ul << 17;   // HWCAP_SHA3
  const unsigned long capabilities = getauxval(AT_HWCAP);
  support.neon_sha3 = (capabilities & kSha3) != 0;
  if ((capabilities & kCpuid) != 0) {
    uint64_t midr = 0;
    __asm__ volatile("mrs %0, midr_el1" : "=r"(midr));
    support.gains_from_sha3 = support.neon_sha3 && GainsFromSha3(midr);
  }
  constexpr unsigned long kSve = 1ul << 22;  // HWCAP_SVE
  constexpr int kGetVectorLength = 51;       // PR_SVE_GET_VL: bytes in the lower half, flags above
  constexpr int kLeastBytes = 32;
  const int length = (capabilities & kSve) != 0 ? prctl(kGetVectorLength) : 0;
  support.sve = length >= 0 && (length & 0xFFFF) >= kLeastBytes;
#endif
  return support;
}

#elif defined(__arm__) && defined(__linux__)

Support Detect() {
  // Our kernels use both: HWCAP_NEON and HWCAP_VFPv4 (fused multiply-add) of <asm/hwcap.h>.
  constexpr unsigned long kNeonAndVfp4 = (1ul << 12) | (1ul << 16);
  Support support;
  support.neon = (getauxval(AT_HWCAP) & kNeonAndVfp4) == kNeonAndVfp4;
  return support;
}

#else

Support Detect() { return Support{}; }

#endif

const Support& Cached() {
  static const Support support = Detect();  // initialized once, by whichever thread comes first
  return support;
}

}  // namespace

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kReference:
      return "reference";
    case Isa::kNeon:
      return "neon";
    case Isa::kNeonSha3:
      return "neonsha3";
    case Isa::kSve:
      return "sve";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vpopcnt:
      return "avx512vpopcnt";
  }
  return "unknown";
}

bool IsaFromName(std::string_view name, Isa* isa) {
  for (const Isa candidate : kAllIsas) {
    if (name == IsaName(candidate)) {
      *isa = candidate;
      return true;
    }
  }
  return false;
}

bool IsaSupported(Isa isa) {
  switch (isa) {
    case Isa::kReference:
      return true;
    case Isa::kNeon:
      return Cached().neon;
    case Isa::kNeonSha3:
      return Cached().neon_sha3;
    case Isa::kSve:
      return Cached().sve;
    case Isa::kAvx2:
      return Cached().avx2;
    case Isa::kAvx512:
      return Cached().avx512;
    case Isa::kAvx512Vpopcnt:
      return Cached().avx512_vpopcnt;
  }
  return false;
}

bool HasVnni(Isa isa) {
  switch (isa) {
    case Isa::kReference:
    case Isa::kNeon:
    case Isa::kNeonSha3:
    case Isa::kSve:
      return false;
    case Isa::kAvx2:
      return Cached().avx_vnni;
    case Isa::kAvx512:
    case Isa::kAvx512Vpopcnt:
      return Cached().avx512_vnni;
  }
  return false;
}

Isa BestIsa() {
  Isa best = Isa::kReference;
  for (const Isa candidate : kAllIsas) {
    if (candidate == Isa::kNeonSha3 && !Cached().gains_from_sha3) continue;
    if (IsaSupported(candidate)) best = candidate;
  }
  return best;
}

const char* RefuseToSaveCarries() {
  return Cached().splits_long_vectors ? "vpternlogd, by which it saves carries, is slow on this CPU" : nullptr;
}

const char* RefuseHalfVectors() {
  return Cached().splits_long_vectors ? nullptr : "this CPU executes vectors of 512 bits whole";
}

bool SplitsLongVectors(std::string_view vendor, unsigned family) {
  constexpr unsigned kZen4 = 0x19;  // and Zen 3, which lacks the instructions
  return vendor == "AuthenticAMD" && family == kZen4;
}

bool GainsFromSha3(uint64_t midr) {
  constexpr uint64_t kArm = 0x41;
  // Cores with two vector pipes, of which one executes EOR3: four in ten of the kernels' operations. (Larger cores have
  // four pipes and EOR3 on one; A510 and A520 execute in order and would wait.)
  constexpr uint64_t kParts[] = {
      0xD47,  // Cortex-A710
      0xD4D,  // Cortex-A715
      0xD81,  // Cortex-A720
      0xD87,  // Cortex-A725
      0xD49,  // Neoverse N2
      0xD8E,  // Neoverse N3
  };
  if (midr >> 24 != kArm) return false;
  for (const uint64_t part : kParts) {
    if (((midr >> 4) & 0xFFF) == part) return true;
  }
  return false;
}

}  // namespace bnn::kernels
