// Every quantization kernel against the definition, with inaccessible pages around every buffer.
#include "kernels/quantize/quantize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {
namespace {

using test::Guard;
using test::GuardedBuffer;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<const QuantizeKernel*> RunnableKernels() { return test::RunnableKernels(QuantizeKernels()); }

// The definition, word by word. Quantized values are bytes here; those of int8 in two's complement.
uint8_t Defined(float x, const Quantizer& q) {
  const double low = q.is_signed ? -128 : 0, high = q.is_signed ? 127 : 255;
  const float quotient = x / q.scale;
  if (std::isnan(quotient)) return static_cast<uint8_t>(static_cast<int>(low));
  return static_cast<uint8_t>(static_cast<int>(std::clamp(std::nearbyint(double{quotient}) + q.zero_point, low, high)));
}

std::vector<uint8_t> Quantized(const QuantizeKernel& kernel, const Quantizer& quantizer, const std::vector<float>& x,
                               Guard guard) {
  const GuardedBuffer<float> in(x, guard);
  GuardedBuffer<uint8_t> out(in.size(), guard);
  kernel.quantize({.quantizer = quantizer, .count = in.size(), .in = in.data(), .out = out.data()});
  CHECK(out.SlackIntact());
  return out.ToVector();
}

std::vector<uint8_t> Defined(const std::vector<float>& x, const Quantizer& q) {
  std::vector<uint8_t> integers;
  integers.reserve(x.size());
  for (const float value : x) integers.push_back(Defined(value, q));
  return integers;
}

// The first x that the kernel treats otherwise than defined, as text; "" when there is none.
std::string FirstMistake(const QuantizeKernel& kernel, const Quantizer& quantizer, const std::vector<float>& x,
                         const std::vector<uint8_t>& defined, Guard guard) {
  const std::vector<uint8_t> actual = Quantized(kernel, quantizer, x, guard);
  if (actual == defined) return "";
  const size_t at =
      static_cast<size_t>(std::mismatch(actual.begin(), actual.end(), defined.begin()).first - actual.begin());
  char text[200];
  std::snprintf(text, sizeof(text), "%s, scale %a, zero point %d, x = %a at %zu: %d, expected %d", kernel.name,
                static_cast<double>(quantizer.scale), quantizer.zero_point, static_cast<double>(x[at]), at, actual[at],
                defined[at]);
  return text;
}

// Around every step of the integers, and what is special to floats.
std::vector<float> HardValues(float scale) {
  std::vector<float> x = {0.0f, -0.0f, 1e-45f, -1e-45f, 1.1754944e-38f, -1e-40f,    1,     -1,
                          kMax, -kMax, kNan,   -kNan,   kInfinity,      -kInfinity, 1e30f, -1e30f};
  for (int n = -259; n <= 259; ++n) {
    for (const float at : {static_cast<float>(n), static_cast<float>(n) + 0.5f}) {
      float near = at * scale;
      for (int step = 0; step < 3; ++step) near = std::nextafter(near, -kInfinity);
      for (int step = 0; step < 7; ++step) {
        x.push_back(near);
        near = std::nextafter(near, kInfinity);
      }
    }
  }
  return x;
}

float RandomFloat(std::mt19937& random) { return std::bit_cast<float>(static_cast<uint32_t>(random())); }

void CheckScale(float scale, std::mt19937& random) {
  std::vector<float> x = HardValues(scale);
  for (int i = 0; i < 500; ++i) {
    x.push_back(RandomFloat(random));
    x.push_back(std::uniform_real_distribution<float>(-300, 300)(random) * scale);
  }
  const std::vector<const QuantizeKernel*> kernels = RunnableKernels();
  for (const bool is_signed : {false, true}) {
    const int32_t low = is_signed ? -128 : 0;
    for (const int32_t zero_point : {low, low + 255, low + static_cast<int32_t>(random() % 256)}) {
      const Quantizer quantizer = MakeQuantizer(scale, zero_point, is_signed);
      Quantizer dividing = quantizer;
      dividing.by_reciprocal = false;
      const std::vector<uint8_t> defined = Defined(x, quantizer);
      for (const QuantizeKernel* kernel : kernels) {
        CHECK(FirstMistake(*kernel, quantizer, x, defined, Guard::kAfter) == "");
        CHECK(FirstMistake(*kernel, dividing, x, defined, Guard::kAfter) == "");
      }
    }
  }
}

TEST_CASE("every count, both guards: as defined, and nothing else is written") {
  std::mt19937 random(1);
  for (int count = 0; count <= 200; ++count) {
    std::vector<float> x(static_cast<size_t>(count));
    for (float& v : x) v = std::uniform_real_distribution<float>(-80, 80)(random);
    for (const Guard guard : test::kBothGuards) {
      for (const bool is_signed : {false, true}) {
        const Quantizer quantizer = MakeQuantizer(0.37f, 90, is_signed);
        const std::vector<uint8_t> defined = Defined(x, quantizer);
        for (const QuantizeKernel* kernel : RunnableKernels()) {
          CHECK(FirstMistake(*kernel, quantizer, x, defined, guard) == "");
        }
      }
    }
  }
}

TEST_CASE("scales of any mantissa: as defined at ties, limits, NaN, infinities and subnormals") {
  std::mt19937 random(2);
  for (int i = 0; i < 60; ++i) {
    CheckScale(std::ldexp(std::uniform_real_distribution<float>(1, 2)(random), static_cast<int>(random() % 30) - 20),
               random);
  }
  for (const float scale : {1.0f, 0.5f, 3.0f, 1.0f / 255, 1.0f / 127, 2.0f / 255, 0x1.000002p0f, 0x1.fffffep0f}) {
    CheckScale(scale, random);
  }
}

TEST_CASE("scales of any exponent, where reciprocals and products leave the range of floats") {
  std::mt19937 random(3);
  for (int exponent = -149; exponent <= 127; exponent += 3) {
    CheckScale(std::ldexp(1.0f, exponent), random);
    CheckScale(std::ldexp(1.37f, exponent), random);
  }
  CheckScale(kMax, random);
}

// The first of the steps 1 to 255 that the product which MultiplyByReciprocal rounds does not take at the same x as the
// quotient; 0 when there is none.
int FirstOtherStep(const Quantizer& q) {
  const auto quotient = [&](float x) { return std::nearbyint(x / q.scale); };
  const auto product = [&](float x) { return std::nearbyint(std::fma(x, q.reciprocal, x * q.reciprocal_rest)); };
  for (int step = 1; step <= 255; ++step) {
    const auto n = static_cast<float>(step);
    float x = (n - 0.5f) * q.scale;  // the step is at this float or near it
    while (quotient(x) >= n) x = std::nextafter(x, -kInfinity);
    while (quotient(x) < n) x = std::nextafter(x, kInfinity);
    if (!(product(x) >= n && product(std::nextafter(x, -kInfinity)) < n)) return step;
  }
  return 0;
}

void CheckMantissas(uint32_t stride) {
  int64_t wrong = 0;
  for (uint32_t mantissa = 0; mantissa < (1u << 23); mantissa += stride) {
    const Quantizer quantizer = MakeQuantizer(std::bit_cast<float>(0x3F800000u | mantissa), 0, false);
    wrong += FirstOtherStep(quantizer) != 0 ? 1 : 0;
  }
  CHECK(wrong == 0);
}

// See kernels/quantize/quantizer.cc.
TEST_CASE("the product takes every step where the quotient does, for some mantissas") { CheckMantissas(4999); }
TEST_CASE("the product takes every step where the quotient does, for all mantissas" * doctest::skip()) {
  CheckMantissas(1);
}
TEST_CASE("a reciprocal of one float would not do") {
  Quantizer quantizer = MakeQuantizer(1.37f, 0, false);
  CHECK(FirstOtherStep(quantizer) == 0);
  quantizer.reciprocal_rest = 0;
  CHECK(FirstOtherStep(quantizer) != 0);
}

// Everyday scales must take the fast way, or the kernels are exact but slow.
TEST_CASE("reciprocals serve the usual scales and not the extreme ones") {
  for (const float scale : {1.0f, 0.02f, 1.0f / 255, 0.0078125f, 3.7e-5f, 12.5f}) {
    for (const int32_t zero_point : {-128, 0, 127}) CHECK(MakeQuantizer(scale, zero_point, true).by_reciprocal);
    for (const int32_t zero_point : {0, 128, 255}) CHECK(MakeQuantizer(scale, zero_point, false).by_reciprocal);
  }
  for (const float scale : {1e-45f, 1e-38f, 1e-30f, 1e30f, kMax}) {
    CHECK_FALSE(MakeQuantizer(scale, 0, true).by_reciprocal);
  }
}

TEST_CASE("dequantize: every integer and zero point, every count, both guards") {
  std::mt19937 random(4);
  for (int count = 0; count <= 256; ++count) {
    std::vector<uint8_t> q(static_cast<size_t>(count));
    for (size_t i = 0; i < q.size(); ++i) q[i] = static_cast<uint8_t>(i * 37 + static_cast<size_t>(count));
    for (const bool is_signed : {false, true}) {
      const int32_t zero_point = (is_signed ? -128 : 0) + static_cast<int32_t>(random() % 256);
      const float scale = count % 3 == 0 ? kMax : std::ldexp(1.37f, static_cast<int>(random() % 250) - 140);
      for (const Guard guard : test::kBothGuards) {
        const GuardedBuffer<uint8_t> in(q, guard);
        for (const QuantizeKernel* kernel : RunnableKernels()) {
          GuardedBuffer<float> out(count, guard);
          kernel->dequantize({scale, zero_point, is_signed, count, in.data(), out.data()});
          CHECK(out.SlackIntact());
          int64_t wrong = 0;
          for (int64_t i = 0; i < count; ++i) {
            const int32_t integer = is_signed ? static_cast<int8_t>(in[i]) : in[i];
            const float expected = static_cast<float>(integer - zero_point) * scale;
            wrong += std::bit_cast<uint32_t>(out[i]) != std::bit_cast<uint32_t>(expected) ? 1 : 0;
          }
          CHECK_MESSAGE(wrong == 0, kernel->name << ", scale " << scale << ", zero point " << zero_point);
        }
      }
    }
  }
}

TEST_CASE("table and choice") {
  test::CheckTable(QuantizeKernels(), [](Isa isa) { return SelectQuantize(isa); });
}

}  // namespace
}  // namespace bnn::kernels
