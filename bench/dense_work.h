// A binary dense layer of a benchmark: the shape, and a kernel with all buffers to run it.
#pragma once

#include <cstdint>
#include <string>

#include "bench/buffer.h"
#include "bench/epilogue_work.h"
#include "kernels/bdense/bdense.h"

namespace bnn::bench {

inline int64_t MacsOf(const kernels::BDenseShape& shape) { return shape.rows * shape.in_features * shape.out_features; }
// "16x1024->1024": rows x in -> out.
std::string NameOf(const kernels::BDenseShape& shape);

class DenseWork {
 public:
  DenseWork(const kernels::BDenseKernel& kernel, const kernels::BDenseShape& shape, Output output);

  void Run() const;
  // The packed weights: what a single row is bound to read.
  const Buffer<uint32_t>& weights() const { return weights_; }

 private:
  const kernels::BDenseKernel& kernel_;
  const kernels::BDenseShape shape_;
  Buffer<uint32_t> in_, weights_;
  EpilogueWork epilogue_;
};

}  // namespace bnn::bench
