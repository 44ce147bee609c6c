// Two threads against one, on the wall clock. Work is cut as the engine cuts it (engine/ops/bconv2d.cc): by output rows
// or by channel blocks, whichever leaves the busier thread less.
//
// Other load on the machine can only lengthen a time on the wall clock, and two threads meet it more often than one: so
// the fastest repetitions are compared, not the median.
#include <functional>
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
  const kernels::Isa isa = options.isa.value_or(kernels::BestIsa());
  const kernels::BConv2dKernel& kernel = *kernels::SelectBConv2d(c.GroupShape(), isa, nullptr, nullptr);
  for (const Output output : kAllOutputs) {
    if (!options.WantsOutput(output)) continue;
    if (!options.WantsRow("threads/" + c.Name() + "/" + kernel.name + "/" + NameOf(output))) continue;
    const ConvWork work(kernel, c, output);
    const Halves halves = Split(work);
    Contest contest(options.contest, WallSeconds);
    const int one = contest.Add([&] { work.Run(); });
    const int two = contest.Add([&] { thread.Run(halves.first, halves.second); });
    contest.Run();
    const double one_seconds = contest.BestSeconds(one), two_seconds = contest.BestSeconds(two);
    report.AddRow(
        {c.Name(), kernel.name, NameOf(output), one_seconds * 1e6, two_seconds * 1e6, one_seconds / two_seconds});
  }
}

}  // namespace

void RunThreadSection(const Options& options, Report& report) {
  report.BeginSection("threads", "two threads against one, wall clock, the fastest repetition of each",
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
