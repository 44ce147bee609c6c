// Choices in which cores of one instruction set differ: kernels that share all of their code, each tuned for some
// cores. Counters that know but one way ignore them (kernels/x86/popcount_avx512vpopcnt.h argues those of its two
// kernels).
#pragma once

namespace bnn::kernels {

struct Tuning {
  bool saves_carries = false;       // long windows are counted with carries saved
  bool prefetches_weights = false;  // where each weight is used once, it is asked for ahead
};

}  // namespace bnn::kernels
