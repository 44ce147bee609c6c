// From a number that is known at run time to one that is known to the compiler. ISA files only.
#pragma once

#include <cstdint>

namespace bnn::kernels {
namespace {

template <int kValue>
struct Size {
  static constexpr int value = kValue;
};

// fn(Size<n>()) with n = min(size, kMost). `size` is at least 1.
template <int kMost, class Fn>
void WithSize(int64_t size, const Fn& fn) {
  if constexpr (kMost > 1) {
    if (size < kMost) return WithSize<kMost - 1>(size, fn);
  }
  fn(Size<kMost>());
}

}  // namespace
}  // namespace bnn::kernels
