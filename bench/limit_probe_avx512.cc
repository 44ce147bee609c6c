// Vectors of twice the size of AVX2's: 32 output channels of one block and 32 of the next. One shuffle and one addition
// are 512 MACs (bench/limit_probe_nibbles.h). Left out is also the insertion that joins the indices of two blocks, one
// for 7 lookups.
//
// Carry-save adders (kernels/x86/popcount_row_avx512.h) take 3.31 operations for 512 MACs instead of 2.43: on Zen 5
// their probe reached 2,400 GMAC/s where this one reaches 3,050.
#include "bench/limit_probe.h"
#include "bench/limit_probe_nibbles.h"
#include "kernels/x86/popcount_avx512.h"

namespace bnn::bench {
namespace {

constexpr int kPairs = 7;

void Run(int64_t rounds, uint32_t* sink) {
  RunNibbleProbe<kernels::NibblesAvx512, kPairs>(kernels::kHalfCountTables<64>.entry[0], rounds, sink);
}

}  // namespace

extern const LimitProbe kLimitProbeAvx512 = {kernels::Isa::kAvx512, "vpshufb into tables for 2 pixels, vpaddb; parted",
                                             kPairs* kLookups * 512, Run};

}  // namespace bnn::bench
