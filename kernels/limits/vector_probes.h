// The probes of float32, int8 and memory, written once over the vectors V of an instruction set. ISA files only.
//
//   V::Float Splat(x), Fma(x, scale, bias): those of kernels/x86/vec_*.h
//   V::Bytes Dot8(sums, unsigned_bytes, signed_bytes): sums of 4 products in 32-bit lanes
//   V::Load, V::Store (aligned), V::Or, V::Any (a number that depends on every bit), V::Splat8, V::Zero
//
// Empty assembly that may change a register makes the compiler repeat work on the same inputs.
#pragma once

#include <cstdint>

#include "kernels/limits/limits.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

// A fused multiply-add takes 4 cycles and a core starts 2 a cycle, so 8 sums would do; 12 leave room for 5 cycles and
// for uneven scheduling.
constexpr int kSums = 12;

template <class V>
void RunFloatProbe(int64_t rounds, uint32_t* sink) {
  typename V::Float x = V::Splat(0.5f), sums[kSums];
  const typename V::Float scale = V::Splat(0.25f);
  BNN_UNROLL for (int i = 0; i < kSums; ++i) sums[i] = V::Splat(0);
  for (int64_t round = 0; round < rounds; ++round) {
    BNN_UNROLL for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+" BNN_VECTOR_REGISTER(x));
      sums[i] = V::Fma(x, scale, sums[i]);
    }
  }
  for (int i = 0; i < kSums; ++i) {
    uint32_t word;
    __builtin_memcpy(&word, &sums[i], sizeof(word));
    *sink += word;
  }
}

// The products of 7-bit by 8-bit numbers are what oneDNN's sequence without VNNI can add without saturation.
template <class V>
void RunInt8Probe(int64_t rounds, uint32_t* sink) {
  typename V::Bytes x = V::Splat8(3), sums[kSums];
  const typename V::Bytes weights = V::Splat8(-5);
  BNN_UNROLL for (int i = 0; i < kSums; ++i) sums[i] = V::Zero();
  for (int64_t round = 0; round < rounds; ++round) {
    BNN_UNROLL for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+" BNN_VECTOR_REGISTER(x));
      sums[i] = V::Dot8(sums[i], x, weights);
    }
  }
  for (int i = 0; i < kSums; ++i) {
    uint32_t word;
    __builtin_memcpy(&word, &sums[i], sizeof(word));
    *sink += word;
  }
}

// The result depends on every byte, so that the compiler keeps the loads, and goes through enough accumulators that the
// latency of combining them hides behind two loads a cycle. Half of a step comes from `low`, half from `high`;
// kPrefetch: 2 KB ahead.
template <class V, bool kPrefetch>
uint64_t ReadStreams(const unsigned char* low, const unsigned char* high, int64_t steps, int64_t advance) {
  constexpr int64_t kAhead = 2048;
  constexpr int kLoads = kMemoryStep / 2 / int{sizeof(typename V::Bytes)};
  typename V::Bytes sums[2 * kLoads];
  BNN_UNROLL for (int s = 0; s < 2 * kLoads; ++s) sums[s] = V::Zero();
  for (int64_t step = 0; step < steps; ++step) {
    if constexpr (kPrefetch) {
      BNN_UNROLL for (int64_t line = 0; line < kMemoryStep / 2; line += 64) {
        __builtin_prefetch(low + kAhead + line);
        __builtin_prefetch(high + kAhead + line);
      }
    }
    BNN_UNROLL for (int s = 0; s < kLoads; ++s) {
      sums[s] = V::Or(sums[s], V::Load(low + s * int{sizeof(typename V::Bytes)}));
      sums[s + kLoads] = V::Or(sums[s + kLoads], V::Load(high + s * int{sizeof(typename V::Bytes)}));
    }
    low += advance;
    high += advance;
  }
  BNN_UNROLL for (int s = 1; s < 2 * kLoads; ++s) sums[0] = V::Or(sums[0], sums[s]);
  return V::Any(sums[0]);
}

template <class V>
uint64_t ReadBytes(const unsigned char* data, int64_t bytes, ReadWay way) {
  constexpr int64_t kFirstLevelBytes = 32 << 10;
  constexpr int64_t kHalfStep = kMemoryStep / 2;
  const int64_t steps = bytes / kMemoryStep;
  if (way == ReadWay::kAhead && bytes > kFirstLevelBytes) {
    return ReadStreams<V, true>(data, data + steps * kHalfStep, steps, kHalfStep);
  }
  return ReadStreams<V, false>(data, data + kHalfStep, steps, kMemoryStep);
}

// The barrier keeps the compiler from calling memset.
template <class V>
void WriteBytes(unsigned char* data, int64_t bytes) {
  constexpr int kStores = kMemoryStep / int{sizeof(typename V::Bytes)};
  for (int64_t i = 0; i < bytes; i += kMemoryStep) {
    BNN_UNROLL for (int s = 0; s < kStores; ++s) V::Store(data + i + s * int{sizeof(typename V::Bytes)}, V::Zero());
    __asm__ volatile("" : : : "memory");
  }
}

}  // namespace
}  // namespace bnn::kernels
