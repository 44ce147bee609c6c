// Memory for benchmarks: aligned to 64 bytes as the engine's arena, filled with zeros or with noise.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <type_traits>

#include "kernels/bits.h"

namespace bnn::bench {

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(int64_t count) : count_(count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes == 0 ? 64 : bytes)));
    if (data_ == nullptr) throw std::bad_alloc();
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t count() const { return count_; }
  int64_t bytes() const { return count_ * static_cast<int64_t>(sizeof(T)); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  int64_t count_ = 0;
  std::unique_ptr<T[], Free> data_;
};

inline Buffer<uint32_t> RandomWords(int64_t count) {
  Buffer<uint32_t> words(count);
  std::mt19937 random(1);
  for (int64_t i = 0; i < count; ++i) words.data()[i] = static_cast<uint32_t>(random());
  return words;
}

// `rows` runs of `bits` bits, each in words of its own whose spare bits are 0 (kernels/bits.h).
inline Buffer<uint32_t> RandomBits(int64_t rows, int64_t bits) {
  const int64_t words = kernels::WordsFor(bits);
  Buffer<uint32_t> data = RandomWords(rows * words);
  for (int64_t row = 0; row < rows; ++row) data.data()[(row + 1) * words - 1] &= kernels::TailMask(bits);
  return data;
}

// In [-1, 1).
inline Buffer<float> RandomFloats(int64_t count) {
  Buffer<float> floats(count);
  std::mt19937 random(2);
  for (int64_t i = 0; i < count; ++i) {
    floats.data()[i] = static_cast<float>(static_cast<int32_t>(random())) * 0x1p-31f;
  }
  return floats;
}

}  // namespace bnn::bench
