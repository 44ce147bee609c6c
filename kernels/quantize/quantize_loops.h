// The loops of quantization, for vector kernels. ISA files only.
//
// V is a wrapper of one instruction set:
//   Float, Int, kLanes     a vector of kLanes floats or int32
//   Load, Store, Splat     of floats
//   Max, Min               `a` unless it is NaN, then `b`
//   Div, Mul, Fma          a / b, a * b, a * b + c
//   Round                  to int32, half to even
//   StoreBytes<Q>          4 vectors of integers, none beyond +-255, plus zero_point, as 4 * kLanes saturated bytes
//   LoadBytes<Q>           kLanes bytes as int32
//   Sub, ToFloat, SplatInt
//
// One block is 4 vectors: as many as fill a vector of bytes. What remains at the end goes through a block in memory.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/quantize/quantize.h"
#include "kernels/simd/inline.h"

namespace bnn::kernels {
namespace {

template <class V>
inline constexpr int64_t kQuantizeBlock = 4 * V::kLanes;

// NaN as the first operand of the maximum leaves the lower limit.
template <class V>
struct DivideBy {
  typename V::Float scale, low, high;
  explicit DivideBy(const Quantizer& q)
      : scale(V::Splat(q.scale)),
        low(V::Splat(static_cast<float>(q.low))),
        high(V::Splat(static_cast<float>(q.high))) {}
  BNN_INLINE typename V::Int operator()(typename V::Float x) const {
    return V::Round(V::Min(V::Max(V::Div(x, scale), low), high));
  }
};

// See quantizer.cc. Clipped first: the product of an infinity would be NaN where the parts of the reciprocal differ in
// sign or the rest is 0.
template <class V>
struct MultiplyByReciprocal {
  typename V::Float reciprocal, rest, lowest, highest;
  explicit MultiplyByReciprocal(const Quantizer& q)
      : reciprocal(V::Splat(q.reciprocal)),
        rest(V::Splat(q.reciprocal_rest)),
        lowest(V::Splat(q.lowest)),
        highest(V::Splat(q.highest)) {}
  BNN_INLINE typename V::Int operator()(typename V::Float x) const {
    const typename V::Float clipped = V::Min(V::Max(x, lowest), highest);
    return V::Round(V::Fma(clipped, reciprocal, V::Mul(clipped, rest)));
  }
};

template <class V, typename Q, class Scaled>
BNN_INLINE void QuantizeBlock(const Scaled& scaled, int32_t zero_point, const float* in, Q* out) {
  typename V::Int n[4];
  BNN_UNROLL for (int v = 0; v < 4; ++v) n[v] = scaled(V::Load(in + v * V::kLanes));
  V::StoreBytes(n, zero_point, out);
}

template <class V, typename Q, class Scaled>
void QuantizeWith(const QuantizeArgs& args) {
  constexpr int64_t kBlock = kQuantizeBlock<V>;
  const Scaled scaled(args.quantizer);
  const int32_t zero_point = args.quantizer.zero_point;
  const float* in = args.in;
  Q* out = static_cast<Q*>(args.out);
  int64_t left = args.count;
  for (; left >= kBlock; left -= kBlock, in += kBlock, out += kBlock) QuantizeBlock<V>(scaled, zero_point, in, out);
  if (left <= 0) return;
  float last_in[kBlock] = {};
  Q last_out[kBlock];
  std::memcpy(last_in, in, static_cast<size_t>(left) * sizeof(float));
  QuantizeBlock<V>(scaled, zero_point, last_in, last_out);
  std::memcpy(out, last_out, static_cast<size_t>(left));
}

template <class V, typename Q>
void QuantizeTo(const QuantizeArgs& args) {
  args.quantizer.by_reciprocal ? QuantizeWith<V, Q, MultiplyByReciprocal<V>>(args)
                               : QuantizeWith<V, Q, DivideBy<V>>(args);
}

template <class V>
void RunQuantize(const QuantizeArgs& args) {
  args.quantizer.is_signed ? QuantizeTo<V, int8_t>(args) : QuantizeTo<V, uint8_t>(args);
}

template <class V, typename Q>
BNN_INLINE void DequantizeBlock(typename V::Int zero_point, typename V::Float scale, const Q* in, float* out) {
  BNN_UNROLL for (int v = 0; v < 4; ++v) {
    const typename V::Int n = V::Sub(V::LoadBytes(in + v * V::kLanes), zero_point);
    V::Store(out + v * V::kLanes, V::Mul(V::ToFloat(n), scale));
  }
}

template <class V, typename Q>
void DequantizeFrom(const DequantizeArgs& args) {
  constexpr int64_t kBlock = kQuantizeBlock<V>;
  const typename V::Int zero_point = V::SplatInt(args.zero_point);
  const typename V::Float scale = V::Splat(args.scale);
  const Q* in = static_cast<const Q*>(args.in);
  float* out = args.out;
  int64_t left = args.count;
  for (; left >= kBlock; left -= kBlock, in += kBlock, out += kBlock) DequantizeBlock<V>(zero_point, scale, in, out);
  if (left <= 0) return;
  Q last_in[kBlock] = {};
  float last_out[kBlock];
  std::memcpy(last_in, in, static_cast<size_t>(left));
  DequantizeBlock<V>(zero_point, scale, last_in, last_out);
  std::memcpy(out, last_out, static_cast<size_t>(left) * sizeof(float));
}

template <class V>
void RunDequantize(const DequantizeArgs& args) {
  args.is_signed ? DequantizeFrom<V, int8_t>(args) : DequantizeFrom<V, uint8_t>(args);
}

}  // namespace
}  // namespace bnn::kernels
