// Timing on a machine that has other things to do.
//
// The load of others changes clock, caches and memory bandwidth from one millisecond to the next by more than the
// differences that count here. So nothing is timed alone: in a Contest all that is to be compared runs in turn, a
// millisecond or two each, round after round, and every comparison is made within a round; the result is the median of
// the rounds. google-benchmark times one function after the other and can only compare what it has averaged; from it
// come the barriers that keep the optimizer from removing the work.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace bnn::bench {

// Seconds of CPU time that this thread has used: what it would take alone on its core.
double ThreadSeconds();
// Seconds on the wall clock.
double WallSeconds();

// The middle one, or the mean of the two in the middle. `values` is not empty.
double Median(std::vector<double> values);

// The shortest single run among those that fit into `seconds` of the wall clock, at least one. For work on several
// threads: the time that threads wait for a core that somebody else uses counts on the wall clock, but a run that was
// shorter than the others waited less.
double FastestRun(const std::function<void()>& run, double seconds, double (*clock)() = WallSeconds);

struct ContestOptions {
  int rounds = 15;
  // What one contender takes in one round, unless a single run takes longer. 0: one run, not even a warm-up.
  double sample_seconds = 1.5e-3;
};

class Contest {
 public:
  using Clock = double (*)();

  explicit Contest(const ContestOptions& options, Clock clock = ThreadSeconds) : options_(options), clock_(clock) {}

  // Contenders run in the order in which they were added: what is compared most closely should be neighbours. Returns
  // the contender's number.
  int Add(std::function<void()> run);

  void Run();

  // Seconds of one run of the contender: the median of the rounds.
  double Seconds(int contender) const;
  // The one of the two that took less.
  int Faster(int one, int other) const { return Seconds(one) <= Seconds(other) ? one : other; }
  // seconds of `other` / seconds of `contender`, taken in each round: the median of the rounds.
  double Speedup(int contender, int other) const;

 private:
  struct Contender {
    std::function<void()> run;
    int64_t runs = 1;             // a round
    std::vector<double> seconds;  // of one run, by round
  };

  double Sample(const Contender& contender) const;
  void Calibrate(Contender& contender) const;

  ContestOptions options_;
  Clock clock_;
  std::vector<Contender> contenders_;
};

}  // namespace bnn::bench
