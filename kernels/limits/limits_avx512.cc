// Binary: vectors of twice the size of AVX2's, 32 output channels of one block and 32 of the next. One shuffle and one
// addition are 512 MACs (kernels/limits/nibble_probe.h). Left out are also the operations that make
// indices of the weights of two blocks, 2 for 7 lookups.
//
// Carry-save adders (kernels/x86/popcount_row_avx512.h) take 3.31 operations for 512 MACs instead of 2.43: on Zen 5
// their probe reached 2,400 GMAC/s where this one reaches 3,050.
#include "kernels/limits/limits_table.h"
#include "kernels/limits/nibble_probe.h"
#include "kernels/limits/vector_probes.h"
#include "kernels/x86/popcount_avx512.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {
namespace {

struct Vectors {
  using Bytes = __m512i;
  static BNN_INLINE Bytes Zero() { return _mm512_setzero_si512(); }
  static BNN_INLINE Bytes Splat8(int8_t x) { return _mm512_set1_epi8(x); }
  static BNN_INLINE Bytes Dot8(Bytes sums, Bytes a, Bytes b) {
    return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1)));
  }
  static BNN_INLINE Bytes Load(const unsigned char* from) { return _mm512_load_si512(from); }
  static BNN_INLINE void Store(unsigned char* to, Bytes x) { _mm512_store_si512(to, x); }
  static BNN_INLINE Bytes Or(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  static BNN_INLINE uint64_t Any(Bytes x) { return _mm512_test_epi32_mask(x, x); }
};

constexpr int kPairs = 7;

void RunBinary(int64_t rounds, uint32_t* sink) {
  RunNibbleProbe<NibblesAvx512, kPairs>(kHalfCountTables<64>.entry[0], rounds, sink);
}

}  // namespace

extern const LimitProbes kLimitsAvx512 = {
    "limits_avx512",
    Isa::kAvx512,
    /*needs_vnni=*/false,
    {"vpshufb into tables for 2 pixels, vpaddb; parted", kPairs* kLookups * 512, RunBinary},
    {"vfmadd231ps, 512 bit", kSums * 16, RunFloatProbe<Avx512>},
    {"vpmaddubsw, vpmaddwd, vpaddd, 512 bit", kSums * 64, RunInt8Probe<Vectors>},
    ReadBytes<Vectors>,
    WriteBytes<Vectors>,
};

}  // namespace bnn::kernels
