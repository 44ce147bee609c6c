// The threads of one session: started once, asleep when idle.
//
// A network is a few dozen short steps, each of which is split over the threads. OpenMP's pool waits for the next step
// in one of two ways, by the host's environment: it sleeps, and each step pays some microseconds to be woken; or it
// spins, and on a machine with other work a step waits for a spinning thread's time slice to end (measured with
// libgomp: 6.5 us a step, or 8 ms when the cores are busy). This pool spins for kSpinMicroseconds, longer than the gaps
// between the steps of a run, then sleeps: within a run a step costs below a microsecond, and an idle session nothing.
//
// Work is split into fixed contiguous parts, part i on thread i, so results do not depend on timing.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "engine/cpu_list.h"

namespace bnn::engine {

class ThreadPool {
 public:
  static constexpr int kSpinMicroseconds = 20;

  // Starts threads - 1 threads, which stay on `cpus` unless that is empty; the caller of Run is the first one. Throws
  // std::system_error where the system has no more, std::bad_alloc.
  explicit ThreadPool(int threads, const CpuList& cpus = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Lets the threads leave their sleep and returns at once, so that the first steps of a run wait less for it.
  void Wake();

  // Calls fn(part) for part = 0, ..., parts - 1, at most threads() of them, each on its own thread, and returns when
  // all are done. `fn` does not throw. Called from one thread at a time and not from within fn.
  template <typename Fn>
  void Run(int parts, const Fn& fn) {
    Start([](const void* context, int part) { (*static_cast<const Fn*>(context))(part); }, &fn, parts);
  }

 private:
  using Function = void (*)(const void* context, int part);

  struct Task {
    Function function = nullptr;  // nullptr: nothing to do
    const void* context = nullptr;
    int parts = 0;
    bool stop = false;
  };

  void Start(Function function, const void* context, int parts);
  void Publish(const Task& task);
  void AwaitWorkers();
  void Work(int index);

  Task task_;  // written before epoch_ moves on, read after
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<uint32_t> busy_{0};  // workers that have not finished the task
  std::vector<std::thread> workers_;
};

}  // namespace bnn::engine
