// One shuffle and one addition are 256 binary MACs (kernels/limits/nibble_probe.h).
#include "kernels/limits/limits_table.h"
#include "kernels/limits/nibble_probe.h"
#include "kernels/limits/vector_probes.h"
#include "kernels/x86/popcount_avx2.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {
namespace {

struct Vectors {
  using Bytes = __m256i;
  static BNN_INLINE Bytes Zero() { return _mm256_setzero_si256(); }
  static BNN_INLINE Bytes Splat8(int8_t x) { return _mm256_set1_epi8(x); }
  static BNN_INLINE Bytes Dot8(Bytes sums, Bytes a, Bytes b) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)));
  }
  static BNN_INLINE Bytes Load(const unsigned char* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  static BNN_INLINE void Store(unsigned char* to, Bytes x) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), x); }
  static BNN_INLINE Bytes Or(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  static BNN_INLINE uint64_t Any(Bytes x) { return static_cast<uint64_t>(_mm256_testz_si256(x, x)); }
};

constexpr int kPairs = 4;

void RunBinary(int64_t rounds, uint32_t* sink) {
  RunNibbleProbe<NibblesAvx2, kPairs>(kHalfCountTables<16>.entry[0], rounds, sink);
}

}  // namespace

extern const LimitProbes kLimitsAvx2 = {
    "limits_avx2",
    Isa::kAvx2,
    /*needs_vnni=*/false,
    {"vpshufb into tables for 2 pixels, vpaddb; parted", kPairs* kLookups * 256, RunBinary},
    {"vfmadd231ps, 256 bit", kSums * 8, RunFloatProbe<Avx2>},
    {"vpmaddubsw, vpmaddwd, vpaddd, 256 bit", kSums * 32, RunInt8Probe<Vectors>},
    ReadBytes<Vectors>,
    WriteBytes<Vectors>,
};

}  // namespace bnn::kernels
