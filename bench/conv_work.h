// A binary convolution of a benchmark: the shape, and a kernel with all buffers to run it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/buffer.h"
#include "bench/epilogue_work.h"
#include "kernels/bconv2d/bconv2d.h"

namespace bnn::bench {

// One image. Padding is as wide as keeps the size at stride 1, unless it is made otherwise.
struct ConvCase {
  int64_t height = 1, width = 1;
  int64_t in = 0, out = 0;  // channels of all groups
  int64_t kernel = 3, stride = 1, dilation = 1, groups = 1;
  bool valid = false;  // no padding
  kernels::Padding padding = kernels::Padding::kMinusOne;
  int planes = 1;  // bits of an input element, and of an output element where bits leave

  // Of all groups together.
  kernels::BConv2dShape Shape() const;
  kernels::BConv2dShape GroupShape() const;
  int64_t Macs() const;
  // "3x3s2/56x56x64->128", with d2 for a dilation, g4 for groups, /zero for padding that counts nothing.
  std::string Name() const;
};

class ConvWork {
 public:
  // With `cold_bytes`, runs take turns with copies of the weights, of so many bytes together: those of a network, which
  // do not fit into L2, come from L3 in every layer. `memory`: see EpilogueWork.
  ConvWork(const kernels::BConv2dKernel& kernel, const ConvCase& c, Output output, int64_t cold_bytes = 0,
           std::shared_ptr<OutputMemory> memory = nullptr);

  void Run() const {
    RunPart(0, shape_.out_h(), 0, blocks());
    if (++copy_ == copies_) copy_ = 0;
  }
  // Output rows and channel blocks (of every group).
  void RunPart(int64_t row_begin, int64_t row_end, int64_t block_begin, int64_t block_end) const;

  // Packed, of all groups; all copies.
  const Buffer<uint32_t>& weights() const { return weights_; }
  int64_t weight_bytes() const { return weights_.bytes() / copies_; }  // that a run reads
  int64_t rows() const { return shape_.out_h(); }
  int64_t blocks() const { return kernels::PaddedChannels(shape_.out_channels) / kernels::kChannelBlock; }

 private:
  const kernels::BConv2dKernel& kernel_;
  const kernels::BConv2dShape shape_;  // of one group
  const int64_t groups_;
  kernels::Strides in_strides_;
  Buffer<uint32_t> in_;
  int64_t group_weights_ = 0;  // words
  int64_t copies_ = 1;
  mutable int64_t copy_ = 0;  // of the next run
  Buffer<uint32_t> weights_;
  std::vector<uint16_t> row_class_, col_class_;  // empty: one class
  int64_t num_col_classes_ = 1;
  Buffer<int32_t> base_;
  EpilogueWork epilogue_;
};

}  // namespace bnn::bench
