// A binary dense layer of a benchmark: the shape, and a kernel with all buffers to run it.
#pragma once

#include <cstdint>
#include <string>

#include "bench/buffer.h"
#include "bench/epilogue_work.h"
#include "kernels/bdense/bdense.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {

inline int64_t MacsOf(const kernels::BDenseShape& shape) { return shape.rows * shape.in_features * shape.out_features; }
// "16x1024->1024": rows x in -> out.
std::string NameOf(const kernels::BDenseShape& shape);

// The arguments are made in advance: of a single row they would take a tenth of the time.
class DenseWork {
 public:
  DenseWork(const kernels::BDenseKernel& kernel, const kernels::BDenseShape& shape, Output output);
  DenseWork(const DenseWork&) = delete;
  DenseWork& operator=(const DenseWork&) = delete;

  void Run() const { kernel_.run(shape_, args_); }
  // Merely reads as many bytes as a single row is bound to read: the packed weights and, from the room behind them, as
  // many as the epilogue has constants. (Those themselves are too short to be read at full speed one by one.)
  void ReadConstants(kernels::Isa isa, kernels::ReadWay way) const;

 private:
  const kernels::BDenseKernel& kernel_;
  const kernels::BDenseShape shape_;
  Buffer<uint32_t> in_;
  EpilogueWork epilogue_;
  Buffer<uint32_t> weights_;
  kernels::EpilogueStep steps_[kernels::kMaxEpilogueSteps];
  kernels::BDenseArgs args_;  // points to all of them
};

}  // namespace bnn::bench
