// Weights in the layouts that oneDNN's primitives prefer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/ops/onednn.h"
#include "engine/weight_store.h"

namespace bnn::engine::onednn {

// A blob as memory objects of oneDNN. A layer that is cut into blocks of outputs has one for each.
class Weights final : public WeightForm {
 public:
  // `offset`: where the block begins in the source, in bytes; `from`: how it lies there; `to`: what the primitive
  // wants.
  struct Block {
    int64_t offset = 0;
    dnnl::memory::desc from, to;
  };

  // From the store. The blocks cover the blob. Throws dnnl::error.
  static std::shared_ptr<const Weights> Of(WeightStore& store, int blob, const std::vector<Block>& blocks);

  const dnnl::memory& block(size_t i) const { return memories_[i]; }

  int64_t bytes() const override;
  bool is_restorable() const override { return is_restorable_; }
  void Restore(std::byte* source) const override;

 private:
  Weights(const std::vector<Block>& blocks, const std::byte* source);

  // Layouts of int8 weights may hold sums beside them, and oneDNN does not turn all of those back.
  bool CanRestore(const std::byte* source) const;

  std::vector<Block> blocks_;
  std::vector<dnnl::memory> memories_;  // a block each
  bool is_restorable_ = false;
};

}  // namespace bnn::engine::onednn
