// When a product with the reciprocal rounds to the same integers as the quotient.
//
// Let h = fl(1 / scale), l = fl(1 / scale - h), and p(x) = fl(x * h + fl(x * l)), one multiplication and one fused
// multiply-add. p is the rounded quotient unless x / scale comes within about 2^-23 of a unit in the last place to the
// middle of two floats, so it is for most scales, but not for all. That p rounds to the right integer for every x
// of one scale is shown by trying a few hundred x, because both roundings are monotone:
//   * round(fl(x / scale)) never falls as x grows.
//   * Neither does round(p(x)). Where |x * h| < 1/4 it is 0. Elsewhere, let x grow to the next float, by g >= 2^-24
//   |x|:
//     x * h grows by g * h; x * l changes by g * |l| <= 2^-24 g * h, and its two roundings (scales are kept where
//     nothing underflows here) by at most 2^-24 |x * l| each, together less than 2^-22 g * h. So the sum grows, and
//     rounding it to a float and then to an integer is monotone.
// Two such functions are equal if they agree at both sides of every step of the first. The steps are found by asking
// the division.
#include <cmath>

#include "kernels/quantize/quantize.h"

namespace bnn::kernels {
namespace {

// Far inside these no operation above over- or underflows. Real scales are; others are divided by.
constexpr float kMinScale = 0x1p-64f, kMaxScale = 0x1p64f;

float Quotient(const Quantizer& q, float x) { return std::nearbyint(x / q.scale); }
float Product(const Quantizer& q, float x) { return std::nearbyint(std::fma(x, q.reciprocal, x * q.reciprocal_rest)); }

// Whether Product() reaches `n` at the same x as Quotient().
bool SameStep(const Quantizer& q, float n) {
  float x = (n - 0.5f) * q.scale;  // the step is at this float or near it
  while (Quotient(q, x) >= n) x = std::nextafter(x, -INFINITY);
  while (Quotient(q, x) < n) x = std::nextafter(x, INFINITY);
  return Product(q, x) >= n && Product(q, std::nextafter(x, -INFINITY)) < n;
}

bool SameIntegers(const Quantizer& q) {
  const auto low = static_cast<float>(q.low), high = static_cast<float>(q.high);
  if (Quotient(q, q.lowest) != low || Quotient(q, q.highest) != high) return false;
  if (Product(q, q.lowest) != low || Product(q, q.highest) != high) return false;
  for (int32_t n = q.low + 1; n <= q.high; ++n) {
    if (!SameStep(q, static_cast<float>(n))) return false;
  }
  return true;
}

}  // namespace

Quantizer MakeQuantizer(float scale, int32_t zero_point, bool is_signed) {
  Quantizer q;
  q.scale = scale;
  q.zero_point = zero_point;
  q.is_signed = is_signed;
  q.low = (is_signed ? -128 : 0) - zero_point;
  q.high = (is_signed ? 127 : 255) - zero_point;
  if (!(scale >= kMinScale && scale <= kMaxScale)) return q;
  const double reciprocal = 1.0 / static_cast<double>(scale);
  q.reciprocal = static_cast<float>(reciprocal);
  q.reciprocal_rest = static_cast<float>(reciprocal - static_cast<double>(q.reciprocal));
  q.lowest = static_cast<float>(q.low) * scale;
  q.highest = static_cast<float>(q.high) * scale;
  q.by_reciprocal = SameIntegers(q);
  return q;
}

}  // namespace bnn::kernels
