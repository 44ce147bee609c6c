// Why a product with the reciprocal rounds to the same integers as the quotient.
//
// Let h = fl(1 / scale), l = fl(1 / scale - h), and p(x) = fl(x * h + fl(x * l)), one multiplication and one fused
// multiply-add. Before its last rounding p is within about 2^-23 units in the last place of x / scale, so p is the
// rounded quotient unless x / scale comes that close to the middle between two floats. Of the integers that p and the
// quotient round to, all are shown to be equal by trying few x, because both roundings are monotone:
//   * round(fl(x / scale)) never falls as x grows.
//   * Neither does round(p(x)). Where |x * h| < 1/4 it is 0. Elsewhere, let x grow to the next float, by g >= 2^-24
//   |x|:
//     x * h grows by g * h; x * l changes by at most g * |l| <= 2^-24 g * h, and its two roundings by at most
//     2^-24 |x * l| <= 2^-24 g * h each, together less than 2^-22 g * h. So the sum grows, and rounding it to a float
//     and then to an integer is monotone.
// Such functions are equal if they agree at both sides of every step between integers. These are at most 255 for a sign
// of x, both functions are odd, and a power of two in the scale passes through all operations. So it is enough to try
// the 255 steps of the 2^23 mantissas that a scale can have. All of them agree: quantize_test repeats it for some of
// the mantissas, and for all when run with --no-skip.
#include "kernels/quantize/quantize.h"

namespace bnn::kernels {
namespace {

// Far inside these no operation above over- or underflows. Real scales are; others are divided by.
constexpr float kMinScale = 0x1p-64f, kMaxScale = 0x1p64f;

}  // namespace

Quantizer MakeQuantizer(float scale, int32_t zero_point, bool is_signed) {
  Quantizer q;
  q.scale = scale;
  q.zero_point = zero_point;
  q.is_signed = is_signed;
  q.low = (is_signed ? -128 : 0) - zero_point;
  q.high = (is_signed ? 127 : 255) - zero_point;
  q.by_reciprocal = scale >= kMinScale && scale <= kMaxScale;
  if (!q.by_reciprocal) return q;
  const double reciprocal = 1.0 / static_cast<double>(scale);
  q.reciprocal = static_cast<float>(reciprocal);
  q.reciprocal_rest = static_cast<float>(reciprocal - static_cast<double>(q.reciprocal));
  q.lowest = static_cast<float>(q.low) * scale;
  q.highest = static_cast<float>(q.high) * scale;
  return q;
}

}  // namespace bnn::kernels
