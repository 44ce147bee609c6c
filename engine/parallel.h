// How work is split, and the only use of OpenMP in bnn. Parts are fixed and contiguous, so results do not depend on
// timing; kernels compute every output element in one piece, so they do not depend on the number of threads either.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "engine/thread_pool.h"

namespace bnn::engine {

// Calls fn(begin, end) for the parts of [0, count), each on its own thread of the pool. One thread: a plain call.
template <typename Fn>
void ParallelFor(ThreadPool& pool, int64_t count, const Fn& fn) {
  const int parts = static_cast<int>(std::min<int64_t>(pool.threads(), count));
  if (parts <= 1) {
    if (count > 0) fn(int64_t{0}, count);
    return;
  }
  pool.Run(parts, [&](int part) { fn(count * part / parts, count * (part + 1) / parts); });
}

// While it lives, libraries that use OpenMP (oneDNN) run with `threads` threads when called from this thread. The
// setting belongs to the calling thread and is restored, so the host's own OpenMP code is not disturbed.
class ScopedThreads {
 public:
  explicit ScopedThreads(int threads) : before_(omp_get_max_threads()) {
    if (before_ != threads) omp_set_num_threads(threads);
    threads_ = threads;
  }
  ~ScopedThreads() {
    if (before_ != threads_) omp_set_num_threads(before_);
  }
  ScopedThreads(const ScopedThreads&) = delete;
  ScopedThreads& operator=(const ScopedThreads&) = delete;

 private:
  int before_;
  int threads_ = 1;
};

}  // namespace bnn::engine
