// The weights of a binary layer in the order of its kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/aligned_buffer.h"
#include "engine/weight_store.h"

namespace bnn::engine {

// Kernel: BConv2dKernel or BDenseKernel; its pack() stands for the order. A layer of several groups is packed group by
// group; each begins at an aligned word.
template <typename Kernel, typename Shape>
class PackedBits final : public WeightForm {
 public:
  // From the store; `shape` is that of one group, whose weights have `source_words` words in the file.
  static std::shared_ptr<const PackedBits> Of(WeightStore& store, int blob, const Kernel& kernel, const Shape& shape,
                                              int64_t groups, int64_t source_words) {
    return store.Get<PackedBits>(
        blob, [&](const PackedBits& form) { return form.kernel_->pack == kernel.pack && form.groups_ == groups; },
        [&](const std::byte* source) {
          return std::shared_ptr<const PackedBits>(
              new PackedBits(kernel, shape, groups, source_words, reinterpret_cast<const uint32_t*>(source)));
        });
  }

  const uint32_t* group(int64_t g) const { return words_.data() + g * group_words_; }

  int64_t bytes() const override { return static_cast<int64_t>(words_.bytes()); }
  bool is_restorable() const override { return true; }
  void Restore(std::byte* source) const override {
    auto* words = reinterpret_cast<uint32_t*>(source);
    for (int64_t g = 0; g < groups_; ++g) kernel_->unpack(shape_, group(g), words + g * source_words_);
  }

 private:
  PackedBits(const Kernel& kernel, const Shape& shape, int64_t groups, int64_t source_words, const uint32_t* source)
      : kernel_(&kernel), shape_(shape), groups_(groups), source_words_(source_words) {
    constexpr int64_t kAlignWords = int64_t{kAlignment / sizeof(uint32_t)};
    group_words_ = (kernel.packed_words(shape) + kAlignWords - 1) / kAlignWords * kAlignWords;
    words_ = AlignedBuffer<uint32_t>(static_cast<size_t>(group_words_ * groups));
    for (int64_t g = 0; g < groups; ++g) {
      kernel.pack(shape, source + g * source_words, words_.data() + g * group_words_);
    }
  }

  const Kernel* kernel_;  // of the static table
  const Shape shape_;     // of one group; orders depend on the weights' geometry alone
  const int64_t groups_, source_words_;
  int64_t group_words_ = 0;
  AlignedBuffer<uint32_t> words_;  // [groups][group_words_]
};

}  // namespace bnn::engine
