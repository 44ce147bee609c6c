#include "kernels/bmaxpool/bmaxpool_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

// Best first, the reference last.
constexpr const BMaxPoolKernel* kKernels[] = {
#if defined(__x86_64__)
    &kBMaxPoolAvx512,
    &kBMaxPoolAvx2,
#elif defined(__aarch64__) || defined(__arm__)
    &kBMaxPoolNeon,
#endif
    &kBMaxPoolRef,
};

}  // namespace

BMaxPoolKernelList BMaxPoolKernels() {
  return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))};
}

const BMaxPoolKernel* SelectBMaxPool(Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(BMaxPoolKernels(), max_isa, refused, context);
}

}  // namespace bnn::kernels
