// Runs work on two threads without the cost of starting one.
#pragma once

#include <sched.h>

#include <atomic>
#include <functional>
#include <thread>

namespace bnn::bench {

// Cores that this process may use.
int AvailableCores();

// A second thread that waits for work in a spin loop, as a pool of an engine does between two layers of a network. Both
// threads are bound to a core of their own while it lives: on a busy machine the system would put them on the same one.
// Needs AvailableCores() >= 2.
class SecondThread {
 public:
  SecondThread();
  ~SecondThread();
  SecondThread(const SecondThread&) = delete;
  SecondThread& operator=(const SecondThread&) = delete;

  // Calls `second` on the second thread and `first` on this one; returns when both are done.
  void Run(const std::function<void()>& first, const std::function<void()>& second);

 private:
  void Work();

  const cpu_set_t before_;  // the cores of the calling thread

  std::atomic<const std::function<void()>*> work_ = nullptr;  // nullptr: wait
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace bnn::bench
