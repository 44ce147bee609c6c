#include "bench/two_threads.h"

#include <sched.h>

namespace bnn::bench {
namespace {

// Tells the core that this is a wait, so that it saves power and leaves the loop quickly.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

int AvailableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

SecondThread::SecondThread() : thread_([this] { Work(); }) {}

SecondThread::~SecondThread() {
  stop_ = true;
  thread_.join();
}

void SecondThread::Run(const std::function<void()>& first, const std::function<void()>& second) {
  work_.store(&second, std::memory_order_release);
  first();
  while (work_.load(std::memory_order_acquire) != nullptr) Pause();
}

void SecondThread::Work() {
  while (!stop_.load(std::memory_order_relaxed)) {
    if (const auto* work = work_.load(std::memory_order_acquire)) {
      (*work)();
      work_.store(nullptr, std::memory_order_release);
    } else {
      Pause();
    }
  }
}

}  // namespace bnn::bench
