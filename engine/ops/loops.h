// What the operators written as plain loops share.
#pragma once

#include <cstdint>

#include "engine/parallel.h"

namespace bnn::engine {

// Handing work to another thread costs up to some microseconds: below this many elements an operation runs on the
// calling thread.
inline constexpr int64_t kElementsWorthThreads = int64_t{1} << 15;

// ParallelFor over `count` items of `elements_per_item` elements each, on one thread where that is less work than
// waking others.
template <typename Fn>
void ParallelItems(ThreadPool& pool, int64_t count, int64_t elements_per_item, const Fn& fn) {
  if (count * elements_per_item >= kElementsWorthThreads) return ParallelFor(pool, count, fn);
  if (count > 0) fn(int64_t{0}, count);
}

}  // namespace bnn::engine
