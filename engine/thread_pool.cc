#include "engine/thread_pool.h"

#include <chrono>

namespace bnn::engine {
namespace {

// Tells the core that this is a loop that waits.
void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

// Waits until `value` differs from `old`: spins for a while, then sleeps until it is notified.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  using std::chrono::steady_clock;
  const auto changed = [&] { return value.load(std::memory_order_acquire) != old; };
  if (changed()) return;
  const auto until = steady_clock::now() + std::chrono::microseconds(ThreadPool::kSpinMicroseconds);
  do {
    for (int i = 0; i < 32; ++i) {
      if (changed()) return;
      Pause();
    }
  } while (steady_clock::now() < until);
  while (!changed()) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads, const CpuList& cpus) {
  workers_.reserve(static_cast<size_t>(threads > 1 ? threads - 1 : 0));
  try {
    for (int i = 1; i < threads; ++i) {
      workers_.emplace_back([this, i, cpus] {
        if (!cpus.empty()) StayOn(cpus);  // a CPU that went away since the model was loaded is no reason not to run
        Work(i);
      });
    }
  } catch (...) {
    Publish({nullptr, nullptr, 0, true});
    for (std::thread& worker : workers_) worker.join();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  Publish({nullptr, nullptr, 0, true});
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Publish(const Task& task) {
  AwaitWorkers();  // they may still be waking up
  task_ = task;
  busy_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
}

void ThreadPool::AwaitWorkers() {
  while (const uint32_t busy = busy_.load(std::memory_order_acquire)) AwaitChange(busy_, busy);
}

void ThreadPool::Wake() {
  if (!workers_.empty()) Publish({});
}

void ThreadPool::Start(Function function, const void* context, int parts) {
  if (parts > 1) Publish({function, context, parts, false});
  if (parts > 0) function(context, 0);
  if (parts > 1) AwaitWorkers();
}

void ThreadPool::Work(int index) {
  for (uint32_t seen = 0;; ++seen) {
    AwaitChange(epoch_, seen);
    const Task task = task_;
    if (task.stop) return;
    if (index < task.parts) task.function(task.context, index);
    if (busy_.fetch_sub(1, std::memory_order_release) == 1) busy_.notify_one();
  }
}

}  // namespace bnn::engine
