#include "kernels/select.h"
#include "kernels/stem8/stem8_table.h"

namespace bnn::kernels {
namespace {

// Best first, the reference last.
constexpr const Stem8Kernel* kKernels[] = {
#if defined(__x86_64__)
    &kStem8Avx512Vnni,
#endif
    &kStem8Ref,
};

}  // namespace

Stem8KernelList Stem8Kernels() { return {kKernels, static_cast<int64_t>(sizeof(kKernels) / sizeof(kKernels[0]))}; }

const Stem8Kernel* SelectStem8(const Stem8Shape& shape, Isa max_isa, RefusalFn refused, void* context) {
  const auto refuse = [&](const Stem8Kernel& kernel) -> const char* {
    if (kernel.needs_vnni && !HasVnni(kernel.isa)) return "not supported by this CPU: VNNI";
    return kernel.refuse(shape);
  };
  return SelectKernel(Stem8Kernels(), max_isa, refuse, refused, context);
}

}  // namespace bnn::kernels
