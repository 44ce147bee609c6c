// One shuffle and one addition are 256 MACs (bench/limit_probe_nibbles.h).
#include "bench/limit_probe.h"
#include "bench/limit_probe_nibbles.h"
#include "kernels/x86/popcount_avx2.h"

namespace bnn::bench {
namespace {

constexpr int kPairs = 4;

void Run(int64_t rounds, uint32_t* sink) {
  RunNibbleProbe<kernels::NibblesAvx2, kPairs>(kernels::kHalfCountTables<16>.entry[0], rounds, sink);
}

}  // namespace

extern const LimitProbe kLimitProbeAvx2 = {kernels::Isa::kAvx2, "vpshufb into tables for 2 pixels, vpaddb; parted",
                                           kPairs* kLookups * 256, Run};

}  // namespace bnn::bench
