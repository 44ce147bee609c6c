#include "kernels/bconv2d/bconv2d_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

constexpr const BConv2dKernel* kKernels[] = {
#if defined(__x86_64__)
    &kBConv2dAvx512VpopcntCsa,
    &kBConv2dAvx512Vpopcnt,
    &kBConv2dAvx512,
    &kBConv2dAvx2,
#elif defined(__aarch64__) || defined(__arm__)
#if defined(BNN_ARM_EXTENSIONS)
    &kBConv2dSve,
    &kBConv2dNeonSha3,
#endif
    &kBConv2dNeon,
#endif
    &kBConv2dRef,
};

}  // namespace

BConv2dKernelList BConv2dKernels() { return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))}; }

const BConv2dKernel* SelectBConv2d(const BConv2dShape& shape, Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(
      BConv2dKernels(), max_isa, [&](const BConv2dKernel& kernel) { return kernel.refuse(shape); }, refused, context);
}

}  // namespace bnn::kernels
