#include "tools/bnn_run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace bnn::run {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr int64_t kWidth = 40;

}  // namespace

ProgressBar::ProgressBar(int64_t total, bool wanted)
    : total_(total), enabled_(wanted && total > 0 && isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (enabled_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::Update(int64_t done) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_drawn_ < kInterval && done < total_) return;
  last_drawn_ = now;
  const double share = static_cast<double>(done) / static_cast<double>(total_);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const auto full = static_cast<int64_t>(share * kWidth);
  fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}/{}  {:.0f} s left \x1b[K", "", full, "", kWidth - full, done, total_,
             seconds / share - seconds);
  std::fflush(stderr);
}

}  // namespace bnn::run
