// Choosing from an ordered table of kernels, best first, reference last.
#pragma once

#include "kernels/cpu_features.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

// Why this process does not run kernels of `isa`, or nullptr when it does.
inline const char* RefuseIsa(Isa isa, Isa max_isa) {
  if (isa == Isa::kReference) return nullptr;
  if (isa > max_isa) return "above the maximal instruction set";
  if (!IsaSupported(isa)) return "not supported by this CPU or its operating system";
  return nullptr;
}

// Why a kernel should not run on this CPU although it could, or nullptr.
template <class Kernel>
const char* RefuseCpu(const Kernel& kernel) {
  if constexpr (requires { kernel.refuse_cpu; }) {
    if (kernel.refuse_cpu != nullptr) return kernel.refuse_cpu();
  }
  return nullptr;
}

// The first kernel that neither its instruction set nor `refuse(kernel)` nor its own refuse_cpu, if it has one,
// excludes, the last (the reference) in any case. `refused`, unless it is nullptr, hears of each kernel that was passed
// over.
template <class List, class Refuse>
auto SelectKernel(const List& list, Isa max_isa, Refuse refuse, RefusalFn refused, void* context) {
  for (int64_t i = 0; i + 1 < list.size; ++i) {
    const char* reason = RefuseIsa(list.begin[i]->isa, max_isa);
    if (reason == nullptr) reason = refuse(*list.begin[i]);
    if (reason == nullptr) reason = RefuseCpu(*list.begin[i]);
    if (reason == nullptr) return list.begin[i];
    if (refused != nullptr) refused(context, list.begin[i]->name, reason);
  }
  return list.begin[list.size - 1];
}

// The same for kernels that accept every shape.
template <class List>
auto SelectKernel(const List& list, Isa max_isa, RefusalFn refused, void* context) {
  return SelectKernel(
      list, max_isa, [](const auto&) -> const char* { return nullptr; }, refused, context);
}

}  // namespace bnn::kernels
