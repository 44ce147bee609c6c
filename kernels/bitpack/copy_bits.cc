#include "kernels/bitpack/bitpack.h"

namespace bnn::kernels {
namespace {

constexpr uint32_t LowMask(int64_t count) { return count >= kBitsPerWord ? ~uint32_t{0} : (uint32_t{1} << count) - 1; }

// Bits [bit, bit + count) of `words`, count in [1, 32], in the low bits of the result (higher ones are arbitrary).
// Reads only words that hold one of them: one, or two where the run crosses a word boundary.
uint32_t ReadRun(const uint32_t* words, int64_t bit, int64_t count) {
  const int64_t word = bit / kBitsPerWord;
  const int64_t shift = bit % kBitsPerWord;
  uint32_t run = words[word] >> shift;
  if (shift + count > kBitsPerWord) run |= words[word + 1] << (kBitsPerWord - shift);
  return run;
}

// Replaces bits [bit, bit + count) of one word, bit + count <= 32, by the low bits of `run`.
void WriteRun(uint32_t* word, int64_t bit, int64_t count, uint32_t run) {
  const uint32_t mask = LowMask(count) << bit;
  *word = (*word & ~mask) | ((run << bit) & mask);
}

}  // namespace

// The destination decides the steps: a partial word up to its first boundary, whole words, a partial word at the end.
// A whole destination word is one funnel shift over two source words (or a plain copy where both are aligned alike).
void CopyBits(const uint32_t* from, int64_t from_bit, uint32_t* to, int64_t to_bit, int64_t count) {
  if (count <= 0) return;
  uint32_t* out = to + to_bit / kBitsPerWord;

  const int64_t offset = to_bit % kBitsPerWord;
  if (offset != 0) {
    const int64_t room = kBitsPerWord - offset;
    const int64_t head = count < room ? count : room;
    WriteRun(out, offset, head, ReadRun(from, from_bit, head));
    ++out;
    from_bit += head;
    count -= head;
  }

  const int64_t whole = count / kBitsPerWord;
  const uint32_t* const in = from + from_bit / kBitsPerWord;
  const int64_t shift = from_bit % kBitsPerWord;
  if (shift == 0) {
    for (int64_t i = 0; i < whole; ++i) out[i] = in[i];
  } else {
    for (int64_t i = 0; i < whole; ++i) out[i] = (in[i] >> shift) | (in[i + 1] << (kBitsPerWord - shift));
  }
  out += whole;
  from_bit += whole * kBitsPerWord;
  count -= whole * kBitsPerWord;

  if (count > 0) WriteRun(out, 0, count, ReadRun(from, from_bit, count));
}

}  // namespace bnn::kernels
