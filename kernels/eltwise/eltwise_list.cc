#include "kernels/eltwise/eltwise_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

constexpr const EltwiseKernel* kKernels[] = {
#if defined(__x86_64__)
    &kEltwiseAvx512,
    &kEltwiseAvx2,
#elif defined(__aarch64__) || defined(__arm__)
    &kEltwiseNeon,
#endif
    &kEltwiseRef,
};

}  // namespace

EltwiseKernelList EltwiseKernels() { return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))}; }

const EltwiseKernel* SelectEltwise(Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(EltwiseKernels(), max_isa, refused, context);
}

}  // namespace bnn::kernels
