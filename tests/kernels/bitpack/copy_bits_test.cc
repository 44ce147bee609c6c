// CopyBits over all alignments of source and destination, with inaccessible memory around both.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "kernels/bitpack/bitpack.h"
#include "tests/kernels/guarded_buffer.h"

namespace bnn::kernels {
namespace {

using test::Guard;
using test::GuardedBuffer;

std::vector<bool> ToFlags(const std::vector<uint32_t>& words) {
  std::vector<bool> flags;
  for (const uint32_t word : words) {
    for (int b = 0; b < 32; ++b) flags.push_back(((word >> b) & 1u) != 0);
  }
  return flags;
}

std::vector<uint32_t> RandomWords(int64_t count, std::mt19937& random) {
  std::vector<uint32_t> words(static_cast<size_t>(count));
  for (uint32_t& word : words) word = static_cast<uint32_t>(random());
  return words;
}

// Both buffers are exactly as long as the range needs, so that any other word is a fault.
void CheckCopy(int64_t from_bit, int64_t to_bit, int64_t count, std::mt19937& random, Guard guard) {
  INFO("from_bit ", from_bit, " to_bit ", to_bit, " count ", count);
  const std::vector<uint32_t> from = RandomWords((from_bit + count + 31) / 32, random);
  const std::vector<uint32_t> before = RandomWords((to_bit + count + 31) / 32, random);
  std::vector<bool> expected = ToFlags(before);
  const std::vector<bool> source = ToFlags(from);
  for (int64_t i = 0; i < count; ++i) {
    expected[static_cast<size_t>(to_bit + i)] = source[static_cast<size_t>(from_bit + i)];
  }
  const GuardedBuffer<uint32_t> guarded_from(from, guard);
  GuardedBuffer<uint32_t> to(before, guard);
  CopyBits(guarded_from.data(), from_bit, to.data(), to_bit, count);
  REQUIRE(ToFlags(to.ToVector()) == expected);
  REQUIRE(to.SlackIntact());
}

TEST_CASE("CopyBits: all alignments") {
  std::mt19937 random(3);
  for (int64_t from_bit = 0; from_bit < 32; ++from_bit) {
    for (int64_t to_bit = 0; to_bit < 32; ++to_bit) {
      for (const int64_t count : {1, 2, 31, 32, 33, 63, 64, 65, 97}) {
        CheckCopy(from_bit, to_bit, count, random, Guard::kAfter);
      }
    }
  }
}

TEST_CASE("CopyBits: all counts at some alignments, guarded on both sides") {
  std::mt19937 random(4);
  for (const Guard guard : test::kBothGuards) {
    for (int64_t count = 0; count <= 130; ++count) {
      for (const int64_t from_bit : {0, 1, 31, 32, 45}) {
        for (const int64_t to_bit : {0, 1, 17, 31, 64}) CheckCopy(from_bit, to_bit, count, random, guard);
      }
    }
  }
}

TEST_CASE("CopyBits: nothing to copy touches nothing") {
  CopyBits(nullptr, 0, nullptr, 0, 0);
  CopyBits(nullptr, 5, nullptr, 7, 0);
}

}  // namespace
}  // namespace bnn::kernels
