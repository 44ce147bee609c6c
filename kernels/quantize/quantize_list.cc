#include "kernels/quantize/quantize_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

constexpr const QuantizeKernel* kKernels[] = {
#if defined(__x86_64__)
    &kQuantizeAvx512,
    &kQuantizeAvx2,
#elif defined(__aarch64__) || defined(__arm__)
    &kQuantizeNeon,
#endif
    &kQuantizeRef,
};

}  // namespace

QuantizeKernelList QuantizeKernels() {
  return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))};
}

const QuantizeKernel* SelectQuantize(Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(QuantizeKernels(), max_isa, refused, context);
}

}  // namespace bnn::kernels
