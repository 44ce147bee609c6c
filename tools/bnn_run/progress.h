// A progress bar on stderr, for terminals.
#pragma once

#include <chrono>
#include <cstdint>

namespace bnn::run {

class ProgressBar {
 public:
  // Draws only if `wanted` and stderr is a terminal.
  ProgressBar(int64_t total, bool wanted);
  ~ProgressBar();  // wipes the bar away

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Update(int64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  int64_t total_;
  bool enabled_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_{};
};

}  // namespace bnn::run
