#include "bench/timing.h"

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace bnn::bench {
namespace {

double Seconds(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double ThreadSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }

double WallSeconds() { return Seconds(CLOCK_MONOTONIC); }

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double FastestRun(const std::function<void()>& run, double seconds, double (*clock)()) {
  const double begin = clock();
  double before = begin;
  double fastest = std::numeric_limits<double>::infinity();
  do {
    run();
    benchmark::ClobberMemory();
    const double after = clock();
    fastest = std::min(fastest, after - before);
    before = after;
  } while (before - begin < seconds);
  return fastest;
}

int Contest::Add(std::function<void()> run) {
  contenders_.push_back({std::move(run), 1, {}});
  return static_cast<int>(contenders_.size()) - 1;
}

void Contest::Run() {
  if (options_.sample_seconds > 0) {
    for (Contender& contender : contenders_) Calibrate(contender);
  }
  for (int round = 0; round < options_.rounds; ++round) {
    for (Contender& contender : contenders_) {
      // Its data comes back into the caches first, also that of a run which fills a sample: 3x3 56x56x256 writes floats
      // 5 % slower where others have driven their place out of L3.
      for (int64_t i = 0; options_.sample_seconds > 0 && i < contender.runs; ++i) contender.run();
      contender.seconds.push_back(Sample(contender));
    }
  }
}

// Seconds of one run.
double Contest::Sample(const Contender& contender) const {
  const double begin = clock_();
  for (int64_t i = 0; i < contender.runs; ++i) {
    contender.run();
    benchmark::ClobberMemory();
  }
  return (clock_() - begin) / static_cast<double>(contender.runs);
}

// Doubles the runs until they take a fourth of a sample, enough to compute how many fill it.
void Contest::Calibrate(Contender& contender) const {
  contender.run();
  double seconds = Sample(contender);
  while (seconds * static_cast<double>(contender.runs) < options_.sample_seconds / 4) {
    contender.runs *= 2;
    seconds = Sample(contender);
  }
  contender.runs = std::max<int64_t>(1, static_cast<int64_t>(options_.sample_seconds / seconds));
}

double Contest::Seconds(int contender) const { return Median(contenders_[static_cast<size_t>(contender)].seconds); }

double Contest::Speedup(int contender, int other) const {
  const std::vector<double>& own = contenders_[static_cast<size_t>(contender)].seconds;
  const std::vector<double>& others = contenders_[static_cast<size_t>(other)].seconds;
  std::vector<double> ratios;
  for (size_t i = 0; i < own.size(); ++i) ratios.push_back(others[i] / own[i]);
  return Median(std::move(ratios));
}

}  // namespace bnn::bench
