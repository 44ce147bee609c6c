#include "bench/dense_work.h"

#include "kernels/limits/limits.h"

namespace bnn::bench {

std::string NameOf(const kernels::BDenseShape& shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.in_features) + "->" +
         std::to_string(shape.out_features);
}

DenseWork::DenseWork(const kernels::BDenseKernel& kernel, const kernels::BDenseShape& shape, Output output)
    : kernel_(kernel),
      shape_(shape),
      in_(RandomBits(shape.planes * shape.rows, shape.in_features)),
      epilogue_(output, 1, shape.rows, shape.out_features, 1, shape.planes),  // a row is a pixel
      weights_(kernel.packed_words(shape) + epilogue_.constant_bytes() / int64_t{sizeof(uint32_t)}) {
  kernel.pack(shape, RandomBits(shape.out_features, shape.in_features).data(), weights_.data());
  args_.in = in_.data();
  args_.in_row_stride = kernels::WordsFor(shape.in_features);
  args_.in_plane_stride = shape.rows * args_.in_row_stride;
  args_.weights = weights_.data();
  args_.epilogue = epilogue_.Bind(0, steps_);
  args_.row_end = shape.rows;
  args_.block_end = kernels::PaddedChannels(shape.out_features) / kernels::kChannelBlock;
}

void DenseWork::ReadConstants(kernels::Isa isa, kernels::ReadWay way) const {
  kernels::ReadAll(isa, weights_.data(), weights_.bytes(), way);
}

}  // namespace bnn::bench
