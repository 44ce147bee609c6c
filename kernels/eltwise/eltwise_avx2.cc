// The element-wise epilogue for AVX2.
#include "kernels/eltwise/eltwise_table.h"
#include "kernels/eltwise/eltwise_tiles.h"
#include "kernels/x86/vec_avx2.h"

namespace bnn::kernels {

const EltwiseKernel kEltwiseAvx2 = {"eltwise_avx2", Isa::kAvx2, RunEltwiseTiles<Avx2>};

}  // namespace bnn::kernels
