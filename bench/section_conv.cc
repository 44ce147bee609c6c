// Binary convolutions of all kinds.
#include <memory>
#include <vector>

#include "bench/compare.h"
#include "bench/conv_work.h"
#include "bench/sections.h"

namespace bnn::bench {
namespace {

using kernels::Padding;

const ConvCase kCases[] = {
    // 3x3 as in residual networks, small and large
    {.height = 56, .width = 56, .in = 64, .out = 64},
    {.height = 56, .width = 56, .in = 256, .out = 256},
    {.height = 28, .width = 28, .in = 128, .out = 128},
    {.height = 28, .width = 28, .in = 512, .out = 512},
    {.height = 14, .width = 14, .in = 256, .out = 256},
    {.height = 7, .width = 7, .in = 512, .out = 512},
    // stride 2
    {.height = 56, .width = 56, .in = 64, .out = 128, .stride = 2},
    {.height = 28, .width = 28, .in = 128, .out = 256, .stride = 2},
    {.height = 14, .width = 14, .in = 256, .out = 512, .stride = 2},
    // 1x1: few multiplications for each output
    {.height = 56, .width = 56, .in = 64, .out = 64, .kernel = 1},
    {.height = 56, .width = 56, .in = 64, .out = 256, .kernel = 1},
    {.height = 28, .width = 28, .in = 128, .out = 128, .kernel = 1},
    {.height = 14, .width = 14, .in = 256, .out = 256, .kernel = 1},
    {.height = 7, .width = 7, .in = 512, .out = 512, .kernel = 1},
    // larger windows, dilation, groups
    {.height = 27, .width = 27, .in = 96, .out = 256, .kernel = 5},
    {.height = 28, .width = 28, .in = 64, .out = 64, .kernel = 7},
    {.height = 28, .width = 28, .in = 128, .out = 128, .dilation = 2},
    {.height = 28, .width = 28, .in = 128, .out = 128, .groups = 2},
    {.height = 28, .width = 28, .in = 256, .out = 256, .groups = 4},
    // what divides neither words nor tiles
    {.height = 28, .width = 28, .in = 100, .out = 100},
    {.height = 13, .width = 13, .in = 192, .out = 384},
    {.height = 31, .width = 17, .in = 72, .out = 40},
    {.height = 15, .width = 15, .in = 250, .out = 250, .kernel = 1},
    // padding that counts nothing: constants by border class
    {.height = 56, .width = 56, .in = 64, .out = 64, .padding = Padding::kZero},
    {.height = 14, .width = 14, .in = 256, .out = 256, .padding = Padding::kZero},
};

void RunCase(const ConvCase& c, const Options& options, Report& report) {
  Comparison comparison;
  comparison.name = c.Name();
  comparison.macs = c.Macs();
  const auto memory = std::make_shared<OutputMemory>();
  std::vector<std::unique_ptr<ConvWork>> works;
  const auto compete = [&](const kernels::BConv2dKernel& kernel, Output output) -> Competitor {
    works.push_back(std::make_unique<ConvWork>(kernel, c, output, 0, memory));
    const ConvWork* const work = works.back().get();
    return {kernel.name, kernel.isa, NameOf(output), [work] { work->Run(); }};
  };
  AddKernels("conv", kernels::BConv2dKernels(), c.GroupShape(), kAllOutputs, options, compete, &comparison);
  if (works.empty()) return;
  comparison.f32 = MakeConvPeer(PeerType::kF32, c.Shape(), c.groups);
  comparison.int8 = MakeConvPeer(PeerType::kInt8, c.Shape(), c.groups);
  AddComparisonRows(comparison, Compare(comparison, options.contest), report);
}

}  // namespace

void RunConvSection(const Options& options, Report& report) {
  report.BeginSection("conv",
                      "binary convolutions, batch 1, one thread; floats: affine; bits: integer thresholds; residual: "
                      "affine, + residual, PReLU; in-place: the same, the output takes the place of the residual; "
                      "shortcut: affine, + residual in place, floats and bits leave",
                      ComparisonColumns());
  for (const ConvCase& c : kCases) RunCase(c, options, report);
}

}  // namespace bnn::bench
