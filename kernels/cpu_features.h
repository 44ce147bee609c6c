// What this CPU and its operating system can run.
#pragma once

#include <cstdint>
#include <string_view>

namespace bnn::kernels {

// The instruction sets that kernels are written for. A larger number is preferred on the same architecture.
enum class Isa : uint8_t {
  kReference = 0,     // plain C++, any CPU
  kNeon = 1,          // Advanced SIMD of aarch64, and of ARMv7 with VFPv4 (Cortex-A7, A15)
  kAvx2 = 2,          // AVX2 + FMA + BMI2 (Haswell and later)
  kAvx512 = 3,        // AVX-512 F, BW, VL, DQ (Skylake-X)
  kAvx512Vpopcnt = 4  // the above and VPOPCNTDQ (Ice Lake, Zen 4)
};

inline constexpr Isa kAllIsas[] = {Isa::kReference, Isa::kNeon, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vpopcnt};

// The name used in `BNN_MAX_ISA`, plans and benchmarks: "reference", "neon", "avx2", "avx512", "avx512vpopcnt".
const char* IsaName(Isa isa);

// The inverse of IsaName; false when `name` is none of them.
bool IsaFromName(std::string_view name, Isa* isa);

// True when the CPU has the instructions and the operating system saves their registers (XCR0). Thread-safe.
bool IsaSupported(Isa isa);

// True when the CPU also has the dot products of bytes (VNNI) in the vectors of `isa`: 256 bit for kAvx2, 512 bit for
// kAvx512 and above. kernels/stem8 and oneDNN's int8 kernels use them.
bool HasVnni(Isa isa);

// The best supported one.
Isa BestIsa();

}  // namespace bnn::kernels
