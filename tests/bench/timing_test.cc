#include "bench/timing.h"

#include <doctest/doctest.h>

#include <vector>

namespace bnn::bench {
namespace {

// A clock that only moves when work says so: what a contest computes is then known exactly.
double now = 0;
double FakeClock() { return now; }

TEST_CASE("The median is the middle value, or the mean of the two in the middle") {
  CHECK(Median({3}) == 3);
  CHECK(Median({5, 1, 3}) == 3);
  CHECK(Median({4, 1, 3, 100}) == 3.5);
}

TEST_CASE("A contest reports the seconds of one run and ratios of neighbours") {
  Contest contest({.rounds = 5, .sample_seconds = 1}, FakeClock);
  const int slow = contest.Add([] { now += 0.5; });
  const int fast = contest.Add([] { now += 0.125; });
  contest.Run();
  CHECK(contest.Seconds(slow) == 0.5);
  CHECK(contest.Seconds(fast) == 0.125);
  CHECK(contest.Speedup(fast, slow) == 4);
  CHECK(contest.Speedup(slow, fast) == 0.25);
}

// Both slow down together in some rounds, as on a shared machine: their own medians move, their ratio does not.
TEST_CASE("A ratio is taken within a round") {
  int runs = 0;  // of `b`: two a round, of which the first one only warms the caches
  const auto load = [&runs] { return runs / 2 % 2 == 0 ? 1.0 : 8.0; };
  Contest contest({.rounds = 6, .sample_seconds = 1e-9}, FakeClock);  // a run is longer: one run a sample
  const int a = contest.Add([&] { now += 3 * load(); });
  const int b = contest.Add([&] {
    now += load();
    ++runs;
  });
  contest.Run();
  CHECK(contest.Speedup(b, a) == 3);
  CHECK(contest.Seconds(a) == 13.5);
  CHECK(contest.Seconds(b) == 4.5);
}

TEST_CASE("Short work runs as often as fills a sample, long work once") {
  int64_t short_runs = 0, long_runs = 0;
  Contest contest({.rounds = 1, .sample_seconds = 1}, FakeClock);
  contest.Add([&] {
    now += 1.0 / 64;
    ++short_runs;
  });
  contest.Add([&] {
    now += 10;
    ++long_runs;
  });
  contest.Run();
  CHECK(short_runs >= 2 * 64);  // to warm the caches, and the sample
  CHECK(short_runs < 4 * 64);
  CHECK(long_runs == 4);  // to see how long it takes, and to warm the caches, too
}

TEST_CASE("Without a sample time everything runs once a round") {
  int64_t runs = 0;
  Contest contest({.rounds = 3, .sample_seconds = 0}, FakeClock);
  const int contender = contest.Add([&] {
    now += 1.0 / 1024;
    ++runs;
  });
  contest.Run();
  CHECK(runs == 3);
  CHECK(contest.Seconds(contender) == 1.0 / 1024);
}

TEST_CASE("The fastest run is the shortest single one") {
  int run = 0;
  const double seconds[] = {4, 2, 8, 3};
  const auto work = [&] { now += seconds[run++]; };
  CHECK(FastestRun(work, 15, FakeClock) == 2);
  CHECK(run == 4);
  run = 0;
  CHECK(FastestRun(work, 0, FakeClock) == 4);  // at least one
  CHECK(run == 1);
}

TEST_CASE("The clocks go forward") {
  const double thread = ThreadSeconds(), wall = WallSeconds();
  volatile double sum = 0;
  for (int i = 0; i < 1000000; ++i) sum = sum + i;
  CHECK(ThreadSeconds() > thread);
  CHECK(WallSeconds() > wall);
}

}  // namespace
}  // namespace bnn::bench
