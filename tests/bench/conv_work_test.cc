#include "bench/conv_work.h"

#include <doctest/doctest.h>

#include <string>

#include "bench/dense_work.h"

namespace bnn::bench {
namespace {

TEST_CASE("Names of convolutions tell the case apart") {
  CHECK(ConvCase{.height = 56, .width = 56, .in = 64, .out = 64}.Name() == "3x3/56x56x64->64");
  CHECK(ConvCase{.height = 31, .width = 17, .in = 8, .out = 9, .kernel = 5, .stride = 2, .dilation = 3, .groups = 4}
            .Name() == "5x5s2d3g4/31x17x8->9");
  CHECK(ConvCase{.height = 7, .width = 7, .in = 8, .out = 8, .padding = kernels::Padding::kZero}.Name() ==
        "3x3/7x7x8->8/zero");
}

TEST_CASE("Shapes: padding keeps the size at stride 1, valid has none, MACs count one group's terms") {
  const ConvCase same = {.height = 28, .width = 14, .in = 128, .out = 64, .dilation = 2};
  CHECK(same.Shape().out_h() == 28);
  CHECK(same.Shape().out_w() == 14);
  CHECK(same.Macs() == 28 * 14 * 64 * 9 * 128);
  const ConvCase valid = {.height = 30, .width = 30, .in = 64, .out = 64, .valid = true};
  CHECK(valid.Shape().out_h() == 28);
  CHECK(valid.Shape().pad_top == 0);
  const ConvCase grouped = {.height = 4, .width = 4, .in = 64, .out = 32, .groups = 2};
  CHECK(grouped.GroupShape().in_channels == 32);
  CHECK(grouped.GroupShape().out_channels == 16);
  CHECK(grouped.Macs() == 4 * 4 * 32 * 9 * 32);
}

// Sanitized builds see every access of every kernel to the buffers of the benchmark.
TEST_CASE("Every kernel runs every output, whole and in parts") {
  const ConvCase cases[] = {
      {.height = 5, .width = 6, .in = 40, .out = 70},
      {.height = 9, .width = 9, .in = 33, .out = 5, .stride = 2, .padding = kernels::Padding::kZero},
      {.height = 6, .width = 6, .in = 64, .out = 96, .dilation = 2, .groups = 2},
      {.height = 4, .width = 4, .in = 256, .out = 64, .kernel = 4, .valid = true},
  };
  const kernels::BConv2dKernelList list = kernels::BConv2dKernels();
  for (int64_t i = 0; i < list.size; ++i) {
    const kernels::BConv2dKernel& kernel = *list.begin[i];
    if (!kernels::IsaSupported(kernel.isa)) continue;
    for (const ConvCase& c : cases) {
      if (kernel.refuse(c.GroupShape()) != nullptr) continue;
      for (const Output output : kAllOutputs) {
        CAPTURE(std::string(kernel.name));
        CAPTURE(c.Name());
        const ConvWork work(kernel, c, output);
        CHECK(work.rows() == c.Shape().out_h());
        work.Run();
        work.RunPart(0, work.rows() / 2, 0, work.blocks());
        work.RunPart(0, work.rows(), work.blocks() / 2, work.blocks());

        const ConvWork cold(kernel, c, output, 3 * work.weight_bytes());
        CHECK(cold.weights().bytes() == 4 * work.weight_bytes());
        for (int run = 0; run < 5; ++run) cold.Run();
      }
    }
  }
}

TEST_CASE("Every dense kernel runs every output") {
  const kernels::BDenseKernelList list = kernels::BDenseKernels();
  for (int64_t i = 0; i < list.size; ++i) {
    if (!kernels::IsaSupported(list.begin[i]->isa)) continue;
    for (const kernels::BDenseShape& shape : {kernels::BDenseShape{1, 100, 33}, kernels::BDenseShape{9, 64, 32}}) {
      for (const Output output : kAllOutputs) {
        const DenseWork work(*list.begin[i], shape, output);
        work.Run();
        work.ReadConstants(list.begin[i]->isa, kernels::ReadWay::kPlain);
      }
    }
  }
  CHECK(NameOf(kernels::BDenseShape{16, 1024, 1000}) == "16x1024->1000");
  CHECK(MacsOf(kernels::BDenseShape{16, 1024, 1000}) == 16384000);
}

TEST_CASE("Random bits keep their spare bits 0") {
  const Buffer<uint32_t> bits = RandomBits(5, 40);
  REQUIRE(bits.count() == 10);
  uint32_t used = 0;
  for (int64_t row = 0; row < 5; ++row) {
    used |= bits.data()[2 * row + 1];
    CHECK((bits.data()[2 * row + 1] & ~kernels::TailMask(40)) == 0);
  }
  CHECK(used != 0);
}

}  // namespace
}  // namespace bnn::bench
