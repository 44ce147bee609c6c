// The element-wise epilogue for AVX-512.
#include "kernels/eltwise/eltwise_table.h"
#include "kernels/eltwise/eltwise_tiles.h"
#include "kernels/x86/vec_avx512.h"

namespace bnn::kernels {

const EltwiseKernel kEltwiseAvx512 = {"eltwise_avx512", Isa::kAvx512, RunEltwiseTiles<Avx512>};

}  // namespace bnn::kernels
