// What a binary kernel does with its accumulators in a benchmark, with all buffers that this needs.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/buffer.h"
#include "kernels/epilogue.h"

namespace bnn::bench {

enum class Output {
  kFloats,    // an affine step (batch-norm), floats leave
  kBits,      // integer thresholds, bits leave
  kResidual,  // affine, + residual, PReLU; floats leave
  kInPlace,   // the same, the floats take the place of the residual
  kShortcut   // affine, + residual, whose place the floats take; bits leave as well, by float thresholds
};
inline constexpr Output kAllOutputs[] = {Output::kFloats, Output::kBits, Output::kResidual, Output::kInPlace,
                                         Output::kShortcut};
const char* NameOf(Output output);

// What epilogues write to and add. Contenders of the same shape share it, as the layers of a network share an arena: a
// dozen of them, each with megabytes of its own, would drive one another out of L3.
struct OutputMemory {
  Buffer<float> floats, residual;
  Buffer<uint32_t> bits;
};

// The epilogue of `rows` rows of `cols` pixels of `groups` x `channels` channels. `planes`: of the bits. Makes the
// memory larger if it must be; nullptr: memory of its own.
class EpilogueWork {
 public:
  EpilogueWork(Output output, int64_t rows, int64_t cols, int64_t channels, int64_t groups = 1, int planes = 1,
               std::shared_ptr<OutputMemory> memory = nullptr);
  EpilogueWork(const EpilogueWork&) = delete;
  EpilogueWork& operator=(const EpilogueWork&) = delete;

  // Points to `steps`, which has room for kMaxEpilogueSteps, and to the memory as it is now.
  kernels::Epilogue Bind(int64_t group, kernels::EpilogueStep* steps) const;
  // Of the steps and outputs of a group.
  int64_t constant_bytes() const;

 private:
  Output output_;
  int planes_;
  int64_t group_channels_, group_words_;
  kernels::Strides float_strides_, bits_strides_;
  Buffer<float> scale_, bias_, slope_, float_thresholds_;
  Buffer<int32_t> thresholds_;
  Buffer<uint32_t> flip_;
  std::shared_ptr<OutputMemory> memory_;
};

}  // namespace bnn::bench
