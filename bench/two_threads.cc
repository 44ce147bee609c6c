#include "bench/two_threads.h"

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

// Those that the calling thread may use; none if the system does not say.
cpu_set_t Cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) CPU_ZERO(&cores);
  return cores;
}

// Binds the calling thread to the `index`-th core of `cores`. Failure only costs speed.
void Bind(const cpu_set_t& cores, int index) {
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &cores) || index-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof(one), &one);
    return;
  }
}

}  // namespace

int AvailableCores() {
  const cpu_set_t cores = Cores();
  return CPU_COUNT(&cores);
}

SecondThread::SecondThread() : before_(Cores()), thread_([this] { Work(); }) { Bind(before_, 1); }

SecondThread::~SecondThread() {
  stop_ = true;
  thread_.join();
  sched_setaffinity(0, sizeof(before_), &before_);
}

void SecondThread::Run(const std::function<void()>& first, const std::function<void()>& second) {
  work_.store(&second, std::memory_order_release);
  first();
  while (work_.load(std::memory_order_acquire) != nullptr) Pause();
}

void SecondThread::Work() {
  Bind(before_, 0);
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
