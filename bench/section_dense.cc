// Binary dense layers. One row uses every weight once: it is bound by reading the weights from the cache level where
// they lie, and with them what the epilogue has for each output (4 to 8 bytes beside in / 8 bytes of weights). Many
// rows use the weights again and again: they are bound by arithmetic.
#include <memory>
#include <vector>

#include "bench/compare.h"
#include "bench/dense_work.h"
#include "bench/sections.h"

namespace bnn::bench {
namespace {

constexpr kernels::BDenseShape kCases[] = {
    {1, 512, 1000},   {1, 1024, 1024},  {1, 4096, 4096},  {1, 25088, 4096},
    {16, 1024, 1024}, {16, 4096, 4096}, {64, 1024, 1024}, {64, 4096, 4096},
};

constexpr Output kOutputs[] = {Output::kFloats, Output::kBits};

void RunCase(const kernels::BDenseShape& shape, const Options& options, Report& report) {
  Comparison comparison;
  comparison.name = NameOf(shape);
  comparison.macs = MacsOf(shape);
  std::vector<std::unique_ptr<DenseWork>> works;
  const auto compete = [&](const kernels::BDenseKernel& kernel, Output output) -> Competitor {
    works.push_back(std::make_unique<DenseWork>(kernel, shape, output));
    const DenseWork* const work = works.back().get();
    return {kernel.name, kernel.isa, NameOf(output), [work] { work->Run(); },
            [work, isa = kernel.isa](kernels::ReadWay way) { work->ReadConstants(isa, way); }};
  };
  AddKernels("dense", kernels::BDenseKernels(), shape, kOutputs, options, compete, &comparison);
  if (works.empty()) return;
  comparison.f32 = MakeDensePeer(PeerType::kF32, shape);
  comparison.int8 = MakeDensePeer(PeerType::kInt8, shape);
  AddComparisonRows(comparison, Compare(comparison, options.contest), report);
}

}  // namespace

void RunDenseSection(const Options& options, Report& report) {
  report.BeginSection("dense",
                      "binary dense layers, rows x in -> out, one thread; share: of the limit that binds, which is the "
                      "arithmetic or reading the weights and the epilogue's constants",
                      ComparisonColumns());
  for (const kernels::BDenseShape& shape : kCases) RunCase(shape, options, report);
}

}  // namespace bnn::bench
