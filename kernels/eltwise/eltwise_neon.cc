// The element-wise epilogue for NEON.
#include "kernels/arm/vec_neon.h"
#include "kernels/eltwise/eltwise_table.h"
#include "kernels/eltwise/eltwise_tiles.h"

namespace bnn::kernels {

const EltwiseKernel kEltwiseNeon = {"eltwise_neon", Isa::kNeon, RunEltwiseTiles<Neon>};

}  // namespace bnn::kernels
