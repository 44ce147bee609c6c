#include "engine/ops/onednn_weights.h"

#include <algorithm>
#include <cstring>

#include "engine/parallel.h"

namespace bnn::engine::onednn {

using dnnl::memory;

std::shared_ptr<const Weights> Weights::Of(WeightStore& store, int blob, const std::vector<Block>& blocks) {
  const auto matches = [&](const Weights& form) {
    return std::equal(blocks.begin(), blocks.end(), form.blocks_.begin(), form.blocks_.end(),
                      [](const Block& a, const Block& b) { return a.offset == b.offset && a.to == b.to; });
  };
  return store.Get<Weights>(blob, matches, [&](const std::byte* source) {
    return std::shared_ptr<const Weights>(new Weights(blocks, source));
  });
}

Weights::Weights(const std::vector<Block>& blocks, const std::byte* source) : blocks_(blocks) {
  for (const Block& block : blocks_) memories_.push_back(Constant(source + block.offset, block.from, block.to));
  is_restorable_ = CanRestore(source);
}

// A float layout is a permutation with gaps, which can always be undone. Of int8, only what was seen to come back whole
// counts.
bool Weights::CanRestore(const std::byte* source) const {
  const Block& last = blocks_.back();
  if (TypeOf(last.from) == DataType::f32) return true;
  std::vector<std::byte> restored(static_cast<size_t>(last.offset) + last.from.get_size());
  try {
    Restore(restored.data());
  } catch (const dnnl::error&) {
    return false;
  }
  return std::memcmp(restored.data(), source, restored.size()) == 0;
}

int64_t Weights::bytes() const {
  int64_t total = 0;
  for (const Block& block : blocks_) total += static_cast<int64_t>(block.to.get_size());
  return total;
}

void Weights::Restore(std::byte* source) const {
  const ScopedThreads one_thread(1);
  dnnl::stream stream(Cpu());
  for (size_t i = 0; i < blocks_.size(); ++i) {
    memory target(blocks_[i].from, Cpu(), source + blocks_[i].offset);
    memory from = memories_[i];  // a handle; only read
    dnnl::reorder(from, target).execute(stream, from, target);
  }
  stream.wait();
}

}  // namespace bnn::engine::onednn
