#include <arm_neon.h>

#include "kernels/bmaxpool/bmaxpool_rows.h"
#include "kernels/bmaxpool/bmaxpool_table.h"

namespace bnn::kernels {
namespace {

struct PoolNeon {
  using Int = uint32x4_t;
  using Selection = uint8x16_t;  // the bytes of the words that an index names
  static constexpr int kLanes = 4;

  static BNN_INLINE Int Zero() { return vdupq_n_u32(0); }
  static BNN_INLINE Int Or(Int a, Int b) { return vorrq_u32(a, b); }
  static BNN_INLINE Int Xor(Int a, Int b) { return veorq_u32(a, b); }
  static BNN_INLINE Int Choose(Int mask, Int yes, Int no) { return vbslq_u32(mask, yes, no); }
  static BNN_INLINE Int LoadWordsPart(const uint32_t* words, uint32_t lanes) {
    if ((lanes & 15) == 15) return vld1q_u32(words);
    Int x = Zero();
    if (lanes & 1) x = vld1q_lane_u32(words, x, 0);
    if (lanes & 2) x = vld1q_lane_u32(words + 1, x, 1);
    if (lanes & 4) x = vld1q_lane_u32(words + 2, x, 2);
    if (lanes & 8) x = vld1q_lane_u32(words + 3, x, 3);
    return x;
  }
  static BNN_INLINE void StoreWords(uint32_t* words, Int x) { vst1q_u32(words, x); }
  static BNN_INLINE void StoreWordsPart(uint32_t* words, uint32_t lanes, Int x) {
    if (lanes & 1) vst1q_lane_u32(words, x, 0);
    if (lanes & 2) vst1q_lane_u32(words + 1, x, 1);
    if (lanes & 4) vst1q_lane_u32(words + 2, x, 2);
    if (lanes & 8) vst1q_lane_u32(words + 3, x, 3);
  }

  static BNN_INLINE Selection SelectionOf(const int32_t* index) {
    const uint32x4_t words = vreinterpretq_u32_s32(vld1q_s32(index));
    // Bytes 4 * i to 4 * i + 3 of each lane.
    return vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), words, 0x04040404));
  }
  static BNN_INLINE Int Select(Int a, Int b, Selection selection) {
#if defined(__aarch64__)
    const uint8x16x2_t table = {{vreinterpretq_u8_u32(a), vreinterpretq_u8_u32(b)}};
    return vreinterpretq_u32_u8(vqtbl2q_u8(table, selection));
#else
    const uint8x16_t x = vreinterpretq_u8_u32(a), y = vreinterpretq_u8_u32(b);
    const uint8x8x4_t table = {{vget_low_u8(x), vget_high_u8(x), vget_low_u8(y), vget_high_u8(y)}};
    return vreinterpretq_u32_u8(
        vcombine_u8(vtbl4_u8(table, vget_low_u8(selection)), vtbl4_u8(table, vget_high_u8(selection))));
#endif
  }
};

}  // namespace

const BMaxPoolKernel kBMaxPoolNeon = {"bmaxpool_neon", Isa::kNeon, Pool<PoolNeon>};

}  // namespace bnn::kernels
