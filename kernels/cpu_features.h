// What this CPU and its operating system can run.
#pragma once

#include <cstdint>
#include <string_view>

namespace bnn::kernels {

// The instruction sets that kernels are written for. A larger number is preferred on the same architecture.
enum class Isa : uint8_t {
  kReference = 0,     // plain C++, any CPU
  kNeon = 1,          // Advanced SIMD of aarch64, and of ARMv7 with VFPv4 (Cortex-A7, A15)
  kNeonSha3 = 2,      // the above of aarch64 and EOR3, of the SHA3 extension
  kSve = 3,           // SVE of aarch64 with vectors of 256 bits or more
  kAvx2 = 4,          // AVX2 + FMA + BMI2 (Haswell and later)
  kAvx512 = 5,        // AVX-512 F, BW, VL, DQ (Skylake-X)
  kAvx512Vpopcnt = 6  // the above and VPOPCNTDQ (Ice Lake, Zen 4)
};

inline constexpr Isa kAllIsas[] = {Isa::kReference, Isa::kNeon,   Isa::kNeonSha3,     Isa::kSve,
                                   Isa::kAvx2,      Isa::kAvx512, Isa::kAvx512Vpopcnt};

// The name used in `BNN_MAX_ISA`, plans and benchmarks: "reference", "neon", "neonsha3", "sve", "avx2", "avx512",
// "avx512vpopcnt".
const char* IsaName(Isa isa);

// The inverse of IsaName; false when `name` is none of them.
bool IsaFromName(std::string_view name, Isa* isa);

// True when the CPU has the instructions and the operating system saves their registers (XCR0). Thread-safe.
bool IsaSupported(Isa isa);

// True when the CPU also has the dot products of bytes (VNNI) in the vectors of `isa`: 256 bit for kAvx2, 512 bit for
// kAvx512 and above. kernels/stem8 and oneDNN's int8 kernels use them.
bool HasVnni(Isa isa);

// The best supported one; kNeonSha3 only where it is faster than kNeon: on the core that runs this, when it is first
// called.
Isa BestIsa();

// The refuse_cpu (kernels/bconv2d/bconv2d.h) of kernels that save carries by vpternlogd
// (kernels/x86/popcount_avx512vpopcnt.h).
const char* RefuseToSaveCarries();

// The same of kernels that use the instructions and registers of AVX-512 on 256 bits
// (kernels/bitpack/bitpack_planes.h).
const char* RefuseHalfVectors();

// What both ask: does such a CPU execute operations on 512 bits as two halves? `vendor`: of CPUID leaf 0; `family`: of
// leaf 1, extended family included.
bool SplitsLongVectors(std::string_view vendor, unsigned family);

// What BestIsa asks of the identification (MIDR_EL1) of a 64-bit ARM core: does it execute EOR3 so often that the
// kernels of kNeonSha3 gain?
bool GainsFromSha3(uint64_t midr);

}  // namespace bnn::kernels
