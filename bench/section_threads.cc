// Two threads against one, on the wall clock. Work is cut as the engine cuts it (engine/ops/bconv2d.cc): by output rows
// or by channel blocks, whichever leaves the busier thread less.
//
// Two threads need two free cores at the same moment, which a shared machine has now and then only. So the shortest
// single runs are compared, not medians; blocks of one and of two threads alternate.
#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "bench/conv_work.h"
#include "bench/sections.h"
#include "bench/timing.h"
#include "bench/two_threads.h"

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

void RunCase(const ConvCase& c, const Options& options, SecondThread& thread, Report& report) {
  const double block_seconds = 4 * options.contest.sample_seconds;
  const kernels::Isa isa = options.isa.value_or(kernels::BestIsa());
  const kernels::BConv2dKernel& kernel = *kernels::SelectBConv2d(c.GroupShape(), isa, nullptr, nullptr);
  for (const Output output : kAllOutputs) {
    if (!options.WantsOutput(output)) continue;
    if (!options.WantsRow("threads/" + c.Name() + "/" + kernel.name + "/" + NameOf(output))) continue;
    const ConvWork work(kernel, c, output);
    const Halves halves = Split(work);
    double one = std::numeric_limits<double>::infinity(), two = one;
    for (int round = 0; round < options.contest.rounds; ++round) {
      one = std::min(one, FastestRun([&] { work.Run(); }, block_seconds));
      two = std::min(two, FastestRun([&] { thread.Run(halves.first, halves.second); }, block_seconds));
    }
    report.AddRow({c.Name(), kernel.name, NameOf(output), one * 1e6, two * 1e6, one / two});
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
       {"speedup", "speedup", 7, 2}});
  if (AvailableCores() < 2) {
    report.AddNote("Skipped: this process may use one core only.");
    return;
  }
  SecondThread thread;
  for (const ConvCase& c : kCases) RunCase(c, options, thread, report);
}

}  // namespace bnn::bench
