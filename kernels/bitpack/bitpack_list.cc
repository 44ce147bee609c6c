#include "kernels/bitpack/bitpack_table.h"
#include "kernels/select.h"

namespace bnn::kernels {
namespace {

// Best first, the reference last.
constexpr const BitpackKernel* kKernels[] = {
#if defined(__x86_64__)
    &kBitpackAvx512Ymm,
    &kBitpackAvx512,
    &kBitpackAvx2,
#elif defined(__aarch64__) || defined(__arm__)
    &kBitpackNeon,
#endif
    &kBitpackRef,
};

}  // namespace

BitpackKernelList BitpackKernels() { return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))}; }

const BitpackKernel* SelectBitpack(Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(BitpackKernels(), max_isa, refused, context);
}

}  // namespace bnn::kernels
