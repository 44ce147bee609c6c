// Inputs of 1 to 4 bits, side by side. Each plane is counted as the one plane of a binary layer is, so b planes should
// take b times as long; what is shared (weights that are loaded once, an epilogue) makes it less, what is added
// (doubling sums, levels instead of bits) makes it more.
#include <memory>
#include <vector>

#include "bench/conv_work.h"
#include "bench/dense_work.h"
#include "bench/sections.h"
#include "bench/timing.h"
#include "kernels/select.h"

namespace bnn::bench {
namespace {

const ConvCase kConvCases[] = {
    {.height = 56, .width = 56, .in = 64, .out = 64},
    {.height = 28, .width = 28, .in = 128, .out = 128},
    {.height = 14, .width = 14, .in = 256, .out = 256},
    {.height = 7, .width = 7, .in = 512, .out = 512},
    {.height = 56, .width = 56, .in = 64, .out = 64, .kernel = 1},
    {.height = 56, .width = 56, .in = 64, .out = 256, .kernel = 1},
    {.height = 28, .width = 28, .in = 128, .out = 128, .kernel = 1},
    {.height = 14, .width = 14, .in = 256, .out = 256, .kernel = 1},
};
constexpr kernels::BDenseShape kDenseCases[] = {{1, 1024, 1024}, {16, 1024, 1024}};
constexpr Output kOutputs[] = {Output::kFloats, Output::kBits, Output::kResidual};

ConvCase WithPlanes(ConvCase c, int planes) {
  c.planes = planes;
  return c;
}

kernels::BDenseShape WithPlanes(kernels::BDenseShape shape, int planes) {
  shape.planes = planes;
  return shape;
}

std::unique_ptr<ConvWork> MakeWork(const kernels::BConv2dKernel& kernel, const ConvCase& c, Output output,
                                   const std::shared_ptr<OutputMemory>& memory) {
  return std::make_unique<ConvWork>(kernel, c, output, 0, memory);
}

std::unique_ptr<DenseWork> MakeWork(const kernels::BDenseKernel& kernel, const kernels::BDenseShape& shape,
                                    Output output, const std::shared_ptr<OutputMemory>&) {
  return std::make_unique<DenseWork>(kernel, shape, output);
}

// A kernel with inputs of 1 to 4 planes, all in one contest.
template <class Kernel, class Case>
void RunKernel(const Kernel& kernel, const Case& c, const std::string& name, int64_t macs, Output output,
               const Options& options, Report& report) {
  const auto memory = std::make_shared<OutputMemory>();
  using Work = decltype(MakeWork(kernel, c, output, memory));
  std::vector<Work> works;
  Contest contest(options.contest);
  std::vector<int> contenders;
  for (int planes = 1; planes <= kernels::kMaxPlanes; ++planes) {
    works.push_back(MakeWork(kernel, WithPlanes(c, planes), output, memory));
    contenders.push_back(contest.Add([work = works.back().get()] { work->Run(); }));
  }
  contest.Run();
  for (int planes = 1; planes <= kernels::kMaxPlanes; ++planes) {
    const int contender = contenders[static_cast<size_t>(planes - 1)];
    const double seconds = contest.Seconds(contender);
    const double times_one = 1 / contest.Speedup(contender, contenders[0]);
    report.AddRow({name, kernel.name, NameOf(output), static_cast<double>(planes), seconds * 1e6,
                   static_cast<double>(macs * planes) / seconds * 1e-9, times_one / planes});
  }
}

template <class List, class Case, class Shape>
void RunCase(const List& list, const Case& c, const Shape& shape, const std::string& name, int64_t macs,
             const Options& options, Report& report) {
  for (int64_t i = 0; i < list.size; ++i) {
    const auto& kernel = *list.begin[i];
    if (!options.WantsIsa(kernel.isa) || kernel.refuse(shape) != nullptr) continue;
    if (kernels::RefuseCpu(kernel) != nullptr) continue;  // nearly the same code as the next one
    for (const Output output : kOutputs) {
      if (!options.WantsOutput(output)) continue;
      if (!options.WantsRow("planes/" + name + "/" + kernel.name + "/" + NameOf(output))) continue;
      RunKernel(kernel, c, name, macs, output, options, report);
    }
  }
}

}  // namespace

void RunPlaneSection(const Options& options, Report& report) {
  report.BeginSection("planes",
                      "inputs of 1 to 4 bits, weights of one bit, one thread; bits: as many planes leave as come "
                      "in; residual: affine, + residual, PReLU; relative: to one plane, time / (planes x time)",
                      {{"case", "case", 20},
                       {"kernel", "kernel", 22},
                       {"output", "output", 8},
                       {"planes", "planes", 6, 0},
                       {"us", "us", 9, 2},
                       {"giga_bit_macs_per_s", "G bit MAC/s", 11, 0},
                       {"relative", "relative", 8, 3}});
  for (const ConvCase& c : kConvCases) {
    RunCase(kernels::BConv2dKernels(), c, c.GroupShape(), c.Name(), c.Macs(), options, report);
  }
  for (const kernels::BDenseShape& shape : kDenseCases) {
    RunCase(kernels::BDenseKernels(), shape, shape, NameOf(shape), MacsOf(shape), options, report);
  }
}

}  // namespace bnn::bench
