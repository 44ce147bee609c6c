// Two threads against one, on the wall clock. Work is cut as the engine cuts it (engine/ops/bconv2d.cc): by output rows
// or by channel blocks, whichever leaves the busier thread less.
//
// Two threads need two free cores at the same moment, which a shared machine has now and then only. So the shortest
// single runs are compared, not medians; blocks of one and of two threads alternate. Beside each kernel runs the
// limit's loop on registers, which shares nothing between threads, in as long a run cut in two halves: where that is
// not twice as fast either, a core was not free.
//
// The handover is what it takes to have the other core do nothing: 0.06 us on Zen 4 for cores that share a cache, 0.21
// for those that do not, which a virtual machine may be given at any moment. There it is dear to write where the other
// core wrote or reads: 7x7x512, cut by channels since its rows are few, so that both write to each line of bits, falls
// from 1.94 to 1.74, and 1x1 layers, short as they are, from 1.9 or more to as little as 1.7.
#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "bench/conv_work.h"
#include "bench/sections.h"
#include "bench/timing.h"
#include "bench/two_threads.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {
namespace {

const ConvCase kCases[] = {
    {.height = 56, .width = 56, .in = 64, .out = 64},
    {.height = 56, .width = 56, .in = 256, .out = 256},
    {.height = 28, .width = 28, .in = 128, .out = 128},
    {.height = 28, .width = 28, .in = 512, .out = 512},
    {.height = 14, .width = 14, .in = 256, .out = 256},
    {.height = 7, .width = 7, .in = 512, .out = 512},
    {.height = 56, .width = 56, .in = 64, .out = 256, .kernel = 1},
    {.height = 14, .width = 14, .in = 256, .out = 256, .kernel = 1},
};

struct Halves {
  std::function<void()> first, second;
};

Halves Split(const ConvWork& work) {
  const int64_t rows = work.rows(), blocks = work.blocks();
  // The larger half relative to the whole, compared without division.
  if ((rows + 1) / 2 * blocks <= (blocks + 1) / 2 * rows) {
    const int64_t middle = rows / 2;
    return {[&work, middle, blocks] { work.RunPart(0, middle, 0, blocks); },
            [&work, middle, rows, blocks] { work.RunPart(middle, rows, 0, blocks); }};
  }
  const int64_t middle = blocks / 2;
  return {[&work, middle, rows] { work.RunPart(0, rows, 0, middle); },
          [&work, middle, rows, blocks] { work.RunPart(0, rows, middle, blocks); }};
}

// Seconds of a run by one thread and by two.
struct Fastest {
  double one = std::numeric_limits<double>::infinity();
  double two = std::numeric_limits<double>::infinity();

  void Update(const std::function<void()>& whole, const Halves& halves, double block_seconds, SecondThread& thread) {
    one = std::min(one, FastestRun(whole, block_seconds));
    two = std::min(two, FastestRun([&] { thread.Run(halves.first, halves.second); }, block_seconds));
  }
};

void RunCase(const ConvCase& c, const Options& options, SecondThread& thread, Report& report) {
  const double block_seconds = 4 * options.contest.sample_seconds;
  const kernels::Isa isa = options.isa.value_or(kernels::BestIsa());
  const kernels::ArithmeticProbe& probe = kernels::FindProbe(kernels::Arithmetic::kBinary, isa);
  const kernels::BConv2dKernel& kernel = *kernels::SelectBConv2d(c.GroupShape(), isa, nullptr, nullptr);
  for (const Output output : kAllOutputs) {
    if (!options.WantsOutput(output)) continue;
    if (!options.WantsRow("threads/" + c.Name() + "/" + kernel.name + "/" + NameOf(output))) continue;
    const ConvWork work(kernel, c, output);
    const Halves halves = Split(work);
    const double probe_runs =
        FastestRun([&] { work.Run(); }, block_seconds) / FastestRun([&] { kernels::RunProbe(probe); }, block_seconds);
    const auto half_rounds = std::max(int64_t{1}, static_cast<int64_t>(probe_runs * kernels::kProbeRounds / 2));
    const auto probe_half = [&] { kernels::RunProbe(probe, half_rounds); };
    Fastest run, limit;
    const std::function<void()> nothing = [] {};
    double handover = std::numeric_limits<double>::infinity();
    for (int round = 0; round < options.contest.rounds; ++round) {
      run.Update([&] { work.Run(); }, halves, block_seconds, thread);
      limit.Update([&] { kernels::RunProbe(probe, 2 * half_rounds); }, {probe_half, probe_half}, block_seconds, thread);
      handover = std::min(handover, FastestRun([&] { thread.Run(nothing, nothing); }, 0.1 * block_seconds));
    }
    report.AddRow({c.Name(), kernel.name, NameOf(output), run.one * 1e6, run.two * 1e6, run.one / run.two,
                   limit.one / limit.two, handover * 1e6});
  }
}

}  // namespace

void RunThreadSection(const Options& options, Report& report) {
  report.BeginSection(
      "threads", "two threads against one, wall clock, the fastest run of each; needs two cores that nobody else uses",
      {{"case", "case", 24},
       {"kernel", "kernel", 22},
       {"output", "output", 8},
       {"one_thread_us", "1 thread us", 11, 2},
       {"two_threads_us", "2 threads us", 12, 2},
       {"speedup", "speedup", 7, 2},
       {"limit_speedup", "of limit", 8, 2},
       {"handover_us", "handover us", 11, 2}});
  if (AvailableCores() < 2) {
    report.AddNote("Skipped: this process may use one core only.");
    return;
  }
  SecondThread thread;
  for (const ConvCase& c : kCases) RunCase(c, options, thread, report);
}

}  // namespace bnn::bench
