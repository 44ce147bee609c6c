// Plain C++: what the compiler makes of the obvious inner loops for the baseline of the architecture. On CPUs for which
// no probe is written this stands in for the limit; it is none of the hardware's.
#include <cstring>

#include "kernels/limits/limits_table.h"

namespace bnn::kernels {
namespace {

// As many as fit the registers of the baseline.
constexpr int kSums = 8;

void RunBinary(int64_t rounds, uint32_t* sink) {
  uint64_t in = 0x0123456789ABCDEF;
  uint64_t sum = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+r"(in));
      sum += static_cast<uint64_t>(__builtin_popcountll(in ^ 0x5A5A12345A5A1234));
    }
  }
  *sink += static_cast<uint32_t>(sum);
}

// Vectors of 16 bytes, which every 64-bit baseline and NEON have.
using Floats = float __attribute__((vector_size(16)));
using Words = int32_t __attribute__((vector_size(16)));

void RunFloat(int64_t rounds, uint32_t* sink) {
  Floats x = {0.5f, 0.5f, 0.5f, 0.5f};
  const Floats scale = {0.25f, 0.25f, 0.25f, 0.25f};
  Floats sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+m"(x));
      sums[i] += x * scale;
    }
  }
  for (int i = 0; i < kSums; ++i) *sink += static_cast<uint32_t>(sums[i][0]);
}

void RunInt8(int64_t rounds, uint32_t* sink) {
  int8_t in[16], weights[16];
  std::memset(in, 3, sizeof(in));
  std::memset(weights, -5, sizeof(weights));
  Words sums = {};
  for (int64_t round = 0; round < rounds; ++round) {
    __asm__ volatile("" : "+m"(in), "+m"(weights));
    for (int i = 0; i < 16; ++i) sums[i % 4] += in[i] * weights[i];
  }
  *sink += static_cast<uint32_t>(sums[0] + sums[1] + sums[2] + sums[3]);
}

uint64_t Read(const unsigned char* data, int64_t bytes, ReadWay) {
  uint64_t sums[4] = {};
  for (int64_t i = 0; i < bytes; i += 32) {
    for (int s = 0; s < 4; ++s) {
      uint64_t word;
      std::memcpy(&word, data + i + 8 * s, sizeof(word));
      sums[s] |= word;
    }
  }
  return sums[0] | sums[1] | sums[2] | sums[3];
}

// The barrier keeps the compiler from calling memset.
void Write(unsigned char* data, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 8) {
    std::memset(data + i, 0, 8);
    __asm__ volatile("" : : : "memory");
  }
}

}  // namespace

extern const LimitProbes kLimitsRef = {
    "limits_ref",
    Isa::kReference,
    /*needs_vnni=*/false,
    {"64-bit xor, popcount, add in C++", kSums * 64, RunBinary},
    {"4 floats multiplied and added in C++", kSums * 4, RunFloat},
    {"bytes multiplied and added in C++", 16, RunInt8},
    Read,
    Write,
};

}  // namespace bnn::kernels
