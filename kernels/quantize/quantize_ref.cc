// The reference, as loops that compilers turn into vector instructions of any CPU.
#include <bit>
#include <cstdint>

#include "kernels/quantize/quantize_table.h"

namespace bnn::kernels {
namespace {

// Rounding half to even without a rounding instruction: floats in [2^23, 2^24) have a spacing of 1, so adding 1.5 *
// 2^23 to a smaller number rounds it (in the current, default mode), and the low bits of the sum are the integer.
constexpr float kShift = 12582912.0f;
constexpr int32_t kShiftBits = std::bit_cast<int32_t>(kShift);

// Limits are integers, so clipping before rounding gives what saturating after it does. NaN gives the lowest.
template <typename Q>
void QuantizeAll(const QuantizeArgs& args) {
  const auto low = static_cast<float>(args.quantizer.low);
  const auto high = static_cast<float>(args.quantizer.high);
  const int32_t offset = args.quantizer.zero_point - kShiftBits;
  const float scale = args.quantizer.scale;
  const int64_t count = args.count;
  const float* in = args.in;
  Q* out = static_cast<Q*>(args.out);  // of characters, which may alias anything: so nothing is read from args below
  for (int64_t i = 0; i < count; ++i) {
    const float x = in[i] / scale;
    const float above = x > low ? x : low;
    const float clipped = above < high ? above : high;
    out[i] = static_cast<Q>(std::bit_cast<int32_t>(clipped + kShift) + offset);
  }
}

void Quantize(const QuantizeArgs& args) {
  args.quantizer.is_signed ? QuantizeAll<int8_t>(args) : QuantizeAll<uint8_t>(args);
}

template <typename Q>
void DequantizeAll(const DequantizeArgs& args) {
  const Q* in = static_cast<const Q*>(args.in);
  for (int64_t i = 0; i < args.count; ++i) args.out[i] = static_cast<float>(in[i] - args.zero_point) * args.scale;
}

void Dequantize(const DequantizeArgs& args) {
  args.is_signed ? DequantizeAll<int8_t>(args) : DequantizeAll<uint8_t>(args);
}

}  // namespace

const QuantizeKernel kQuantizeRef = {"quantize_ref", Isa::kReference, Quantize, Dequantize};

}  // namespace bnn::kernels
