#include "kernels/bdense/bdense_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

constexpr const BDenseKernel* kKernels[] = {
#if defined(__x86_64__)
    &kBDenseAvx512VpopcntCsa,
    &kBDenseAvx512Vpopcnt,
    &kBDenseAvx512,
    &kBDenseRowAvx512,
    &kBDenseAvx2,
    &kBDenseRowAvx2,
#elif defined(__aarch64__) || defined(__arm__)
#if defined(BNN_ARM_EXTENSIONS)
    &kBDenseSve,
    &kBDenseNeonSha3,
#endif
    &kBDenseNeon,
#endif
    &kBDenseRef,
};

}  // namespace

BDenseKernelList BDenseKernels() { return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))}; }

const BDenseKernel* SelectBDense(const BDenseShape& shape, Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(
      BDenseKernels(), max_isa, [&](const BDenseKernel& kernel) { return kernel.refuse(shape); }, refused, context);
}

}  // namespace bnn::kernels
