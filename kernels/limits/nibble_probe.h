// The limit probes of AVX2 and of AVX-512 without VPOPCNTDQ, written once over the vectors N that their kernels use
// (kernels/x86/popcount_avx2.h, popcount_avx512.h). Included by files that are compiled for N's instruction set.
//
// Neither has a popcount, but a byte shuffle looks up every byte of a vector in a table of 16 bytes at once.
// kernels/x86/nibble_counter.h derives the sequence: 4 bits of the weights of the output channels are the indices, the
// same 4 bits of two pixels choose the table, whose entries count for both, in 4 bits each. One shuffle and one
// addition are 4 MACs of 2 pixels in each byte; after seven of them the sums are parted: bytes of one pixel, 16-bit
// lanes of the other. These 7 + 6 + 4 operations are below, into sums of kPairs pairs of pixels as in the kernel.
//
// The bytes would be widened every 18 rounds, and tables and weights would be loaded; neither is in here. The empty
// assembly makes the compiler believe that tables change, so that it repeats lookups, and that their results do, so
// that it does not add the tables first and look up once.
#pragma once

#include <cstdint>

#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

constexpr int kLookups = 7;

// `first_table`: what the tables start as.
template <class N, int kPairs>
void RunNibbleProbe(const uint8_t* first_table, int64_t rounds, uint32_t* sink) {
  using Bytes = typename N::Bytes;
  const Bytes weights = N::Splat32(0x0A0A0204);
  const Bytes low_bits = N::Splat16(0x0F0F);
  Bytes table = N::Table(first_table);
  Bytes low[kPairs], high[kPairs];
  for (int i = 0; i < kPairs; ++i) low[i] = high[i] = N::Zero();
  for (int64_t round = 0; round < rounds; ++round) {
    BNN_UNROLL for (int i = 0; i < kPairs; ++i) {
      __asm__ volatile("" : "+v"(table));
      Bytes sum = N::Shuffle(table, weights);
      BNN_UNROLL for (int lookup = 1; lookup < kLookups; ++lookup) {
        __asm__ volatile("" : "+v"(table));
        Bytes found = N::Shuffle(table, weights);
        __asm__ volatile("" : "+v"(found));
        sum = N::Add8(sum, found);
      }
      low[i] = N::Add8(low[i], N::And(sum, low_bits));
      high[i] = N::Add16(high[i], N::template Right16<4>(sum));
    }
  }
  for (int i = 0; i < kPairs; ++i) {
    const Bytes both = N::Add8(low[i], high[i]);
    uint32_t word;
    __builtin_memcpy(&word, &both, sizeof(word));
    *sink += word;
  }
}

}  // namespace
}  // namespace bnn::kernels
