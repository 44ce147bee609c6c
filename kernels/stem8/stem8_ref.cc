// The definition, in plain C++.
#include "kernels/stem8/stem8_table.h"

namespace bnn::kernels {
namespace {

int32_t ValueOf(const Stem8Args& args, uint8_t byte) {
  return args.in_is_signed ? int32_t{static_cast<int8_t>(byte)} : int32_t{byte};
}

int8_t PackedWeight(const Stem8Shape& s, const int8_t* packed, int64_t c, int64_t term) {
  return packed[((c / kStem8Lanes * s.quads() + term / 4) * kStem8Lanes + c % kStem8Lanes) * 4 + term % 4];
}

int32_t SumOf(const Stem8Shape& s, const Stem8Args& args, int64_t row, int64_t col, int64_t c) {
  const uint8_t* image = args.in + row / s.out_h * s.in_h * s.in_w * s.in_c;
  int32_t sum = 0;
  for (int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
    const int64_t y = row % s.out_h * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
    const int64_t x = col * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
    if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) continue;
    for (int64_t i = 0; i < s.in_c; ++i) {
      const int32_t value = ValueOf(args, image[(y * s.in_w + x) * s.in_c + i]) - args.zero_point;
      sum += value * PackedWeight(s, args.weights, c, tap * s.in_c + i);
    }
  }
  return sum;
}

void Run(const Stem8Shape& s, const Stem8Args& args) {
  for (int64_t row = args.row_begin; row < args.row_end; ++row) {
    for (int64_t col = 0; col < s.out_w; ++col) {
      float* out = args.out + ((row - args.first_row) * s.out_w + col) * s.out_c;
      for (int64_t c = 0; c < s.out_c; ++c) {
        const float scaled = static_cast<float>(SumOf(s, args, row, col, c)) * args.scale[c];
        const float y = args.bias == nullptr ? scaled : scaled + args.bias[c];
        out[c] = y < args.low ? args.low : (y > args.high ? args.high : y);
      }
    }
  }
}

const char* Refuse(const Stem8Shape&) { return nullptr; }

}  // namespace

const Stem8Kernel kStem8Ref = {"stem8_ref", Isa::kReference, /*needs_vnni=*/false, Refuse, Run};

}  // namespace bnn::kernels
