#include "bench/dense_work.h"

namespace bnn::bench {

std::string NameOf(const kernels::BDenseShape& shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.in_features) + "->" +
         std::to_string(shape.out_features);
}

DenseWork::DenseWork(const kernels::BDenseKernel& kernel, const kernels::BDenseShape& shape, Output output)
    : kernel_(kernel),
      shape_(shape),
      in_(RandomBits(shape.planes * shape.rows, shape.in_features)),
      weights_(kernel.packed_words(shape)),
      epilogue_(output, 1, shape.rows, shape.out_features, 1, shape.planes) {  // a row is a pixel
  kernel.pack(shape, RandomBits(shape.out_features, shape.in_features).data(), weights_.data());
}

void DenseWork::Run() const {
  kernels::EpilogueStep steps[kernels::kMaxEpilogueSteps];
  kernels::BDenseArgs args;
  args.in = in_.data();
  args.in_row_stride = kernels::WordsFor(shape_.in_features);
  args.in_plane_stride = shape_.rows * args.in_row_stride;
  args.weights = weights_.data();
  args.epilogue = epilogue_.Bind(0, steps);
  args.row_end = shape_.rows;
  args.block_end = kernels::PaddedChannels(shape_.out_features) / kernels::kChannelBlock;
  kernel_.run(shape_, args);
}

}  // namespace bnn::bench
