// Every stem8 kernel against a sum that is written down independently, bit by bit.
#include "kernels/stem8/stem8.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/kernel_table.h"

namespace bnn::kernels {
namespace {

using test::Guard;
using test::GuardedBuffer;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// {batch, in_h, in_w, in_c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, out_h,
// out_w, out_c}
constexpr Stem8Shape kShapes[] = {
    {1, 20, 22, 3, 7, 7, 2, 2, 1, 1, 3, 3, 10, 11, 64},  // the stem of a residual network
    {2, 9, 11, 3, 3, 3, 2, 2, 1, 1, 1, 1, 5, 6, 16},     // 27 terms: the last quad has 3
    {3, 5, 4, 1, 3, 3, 1, 1, 1, 1, 1, 1, 5, 4, 32},      // images end within tiles
    {1, 6, 7, 4, 5, 5, 1, 2, 1, 1, 2, 2, 6, 4, 48},      // 3 vectors: 2 and 1
    {1, 9, 40, 2, 2, 16, 3, 5, 1, 1, 0, 15, 3, 8, 80},   // a row of 32 bytes, the most; padding of all but one tap
    {2, 1, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 16},      // every window reaches beyond all four sides
    {1, 2, 2, 3, 3, 3, 1, 1, 1, 1, 4, 5, 7, 9, 16},      // whole windows in the padding
    {1, 8, 8, 3, 3, 3, 1, 1, 3, 1, 3, 1, 8, 8, 32},      // rows apart
    {1, 4, 4, 3, 1, 1, 1, 1, 1, 1, 0, 0, 4, 4, 16},      // a single quad
    {1, 7, 3, 3, 4, 3, 1, 1, 1, 1, 0, 0, 4, 1, 128},     // two full blocks of channels
    {1, 4, 8, 3, 16, 10, 1, 1, 1, 1, 8, 5, 4, 8, 16},    // 480 terms
    {1, 6, 6, 3, 3, 3, 1, 1, 1, 2, 1, 2, 6, 6, 16},      // columns apart: refused by vector kernels
    {1, 2, 3, 1, 2, 3, 1, 1, 1, 1, 0, 257, 1, 262, 16},  // windows far outside
    {1, 3, 12, 3, 3, 11, 1, 1, 1, 1, 1, 5, 3, 12, 16},   // rows of 33 bytes: refused
};

struct Finish {
  bool bias;
  float low, high;
};
constexpr Finish kFinishes[] = {{true, -kInfinity, kInfinity}, {false, 0, kInfinity}, {true, -200, 300}};

struct Problem {
  Stem8Shape shape;
  bool in_is_signed = false;
  int32_t zero_point = 0;
  std::vector<uint8_t> in;
  std::vector<int8_t> weights;  // [out_c][kernel_h][kernel_w][in_c]
  std::vector<float> scale, bias;
};

Problem MakeProblem(const Stem8Shape& shape, bool in_is_signed, std::mt19937& random) {
  Problem p;
  p.shape = shape;
  p.in_is_signed = in_is_signed;
  const auto byte = [&] { return static_cast<int32_t>(random() % 256); };
  p.zero_point = in_is_signed ? byte() - 128 : byte();
  for (int64_t i = 0; i < shape.batch * shape.in_h * shape.in_w * shape.in_c; ++i) {
    p.in.push_back(static_cast<uint8_t>(byte()));
  }
  for (int64_t i = 0; i < shape.out_c * shape.terms(); ++i) p.weights.push_back(static_cast<int8_t>(byte() - 128));
  for (int64_t c = 0; c < shape.out_c; ++c) {
    p.scale.push_back(static_cast<float>(byte() - 100) / 7e3f);
    p.bias.push_back(static_cast<float>(byte() - 128) / 3);
  }
  p.scale[1] = 0;
  return p;
}

// The map with its padding written out, then plain sums.
std::vector<float> Expected(const Problem& p, const Finish& finish) {
  const Stem8Shape& s = p.shape;
  std::vector<float> out;
  const auto value = [&](int64_t n, int64_t y, int64_t x, int64_t i) -> int64_t {
    if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) return p.zero_point;
    const uint8_t byte = p.in[static_cast<size_t>(((n * s.in_h + y) * s.in_w + x) * s.in_c + i)];
    return p.in_is_signed ? int64_t{static_cast<int8_t>(byte)} : int64_t{byte};
  };
  for (int64_t row = 0; row < s.batch * s.out_h; ++row) {
    for (int64_t col = 0; col < s.out_w; ++col) {
      for (int64_t c = 0; c < s.out_c; ++c) {
        int64_t sum = 0;
        auto w = p.weights.begin() + c * s.terms();
        for (int64_t kh = 0; kh < s.kernel_h; ++kh) {
          for (int64_t kw = 0; kw < s.kernel_w; ++kw) {
            for (int64_t i = 0; i < s.in_c; ++i) {
              const int64_t y = row % s.out_h * s.stride_h - s.pad_top + kh * s.dilation_h;
              const int64_t x = col * s.stride_w - s.pad_left + kw * s.dilation_w;
              sum += (value(row / s.out_h, y, x, i) - p.zero_point) * *w++;
            }
          }
        }
        float y = static_cast<float>(sum) * p.scale[static_cast<size_t>(c)];
        if (finish.bias) y += p.bias[static_cast<size_t>(c)];
        out.push_back(y < finish.low ? finish.low : (y > finish.high ? finish.high : y));
      }
    }
  }
  return out;
}

// Runs `kernel` on rows [begin, end) with every buffer against an inaccessible page; the other rows stay as they were.
void CheckRows(const Stem8Kernel& kernel, const Problem& p, const Finish& finish, const std::vector<float>& expected,
               int64_t begin, int64_t end, Guard guard) {
  const Stem8Shape& s = p.shape;
  std::vector<int8_t> packed(static_cast<size_t>(Stem8PackedBytes(s)));
  PackStem8(s, p.weights.data(), packed.data());
  const GuardedBuffer<uint8_t> in(p.in, guard);
  const GuardedBuffer<int8_t> weights(packed, guard);
  const GuardedBuffer<float> scale(p.scale, guard), bias(p.bias, guard);
  GuardedBuffer<float> out(static_cast<int64_t>(expected.size()), guard);
  constexpr float kUntouched = 12345.5f;
  for (float& x : out.span()) x = kUntouched;
  Stem8Args args;
  args.in = in.data();
  args.in_is_signed = p.in_is_signed;
  args.zero_point = p.zero_point;
  args.weights = weights.data();
  args.scale = scale.data();
  args.bias = finish.bias ? bias.data() : nullptr;
  args.low = finish.low;
  args.high = finish.high;
  args.out = out.data();
  args.row_begin = begin;
  args.row_end = end;
  kernel.run(s, args);
  std::vector<float> wanted(expected.size(), kUntouched);
  const auto row = static_cast<size_t>(s.out_w * s.out_c);
  for (size_t i = static_cast<size_t>(begin) * row; i < static_cast<size_t>(end) * row; ++i) wanted[i] = expected[i];
  CHECK(std::memcmp(out.data(), wanted.data(), wanted.size() * sizeof(float)) == 0);
  CHECK(out.SlackIntact());
}

// The kernels that this CPU can run; those that need VNNI are recorded as skipped where it is missing.
std::vector<const Stem8Kernel*> Runnable() {
  std::vector<const Stem8Kernel*> kernels;
  for (const Stem8Kernel* kernel : test::RunnableKernels(Stem8Kernels())) {
    if (!kernel->needs_vnni || HasVnni(kernel->isa)) {
      kernels.push_back(kernel);
    } else {
      test::Skip(std::string(kernel->name) + ": this CPU lacks VNNI");
    }
  }
  return kernels;
}

TEST_CASE("every kernel gives the sums, scaled and clipped, on any part of the rows") {
  std::mt19937 random(1);
  int taken = 0;
  for (const Stem8Kernel* kernel : Runnable()) {
    const std::string name = kernel->name;
    CAPTURE(name);
    for (size_t i = 0; i < std::size(kShapes); ++i) {
      CAPTURE(i);
      const Stem8Shape& shape = kShapes[i];
      if (kernel->refuse(shape) != nullptr) continue;
      ++taken;
      const int64_t rows = shape.batch * shape.out_h;
      for (const bool in_is_signed : {false, true}) {
        CAPTURE(in_is_signed);
        const Problem problem = MakeProblem(shape, in_is_signed, random);
        for (const Finish& finish : kFinishes) {
          const std::vector<float> expected = Expected(problem, finish);
          for (const Guard guard : test::kBothGuards) {
            CheckRows(*kernel, problem, finish, expected, 0, rows, guard);
            CheckRows(*kernel, problem, finish, expected, rows / 3, rows / 2 + 1, guard);
            CheckRows(*kernel, problem, finish, expected, rows, rows, guard);
          }
        }
      }
    }
  }
  CHECK(taken >= static_cast<int>(std::size(kShapes)));  // the reference takes all
}

// All products of one sign and as large as they get: pairs of them do not fit 16 bits.
TEST_CASE("the largest sums are exact") {
  std::mt19937 random(2);
  for (const Stem8Kernel* kernel : Runnable()) {
    const std::string name = kernel->name;
    CAPTURE(name);
    for (const bool in_is_signed : {false, true}) {
      for (const bool zero_point_is_low : {false, true}) {
        for (const int8_t weight : {int8_t{127}, int8_t{-128}}) {
          Problem p = MakeProblem(kShapes[0], in_is_signed, random);
          const int32_t low = in_is_signed ? -128 : 0, high = low + 255;
          p.zero_point = zero_point_is_low ? low : high;
          p.in.assign(p.in.size(), static_cast<uint8_t>(zero_point_is_low ? high : low));
          p.weights.assign(p.weights.size(), weight);
          p.scale.assign(p.scale.size(), 1);
          const Finish finish = {false, -kInfinity, kInfinity};
          const std::vector<float> expected = Expected(p, finish);
          float largest = 0;
          for (const float y : expected) largest = std::max(largest, std::fabs(y));
          CHECK(largest >= 147.0f * 255 * 127);
          CheckRows(*kernel, p, finish, expected, 0, p.shape.out_h, Guard::kAfter);
        }
      }
    }
  }
}

TEST_CASE("packing loses nothing and pads with zeros") {
  std::mt19937 random(3);
  for (const Stem8Shape& shape : kShapes) {
    const Problem p = MakeProblem(shape, false, random);
    GuardedBuffer<int8_t> packed(Stem8PackedBytes(shape), Guard::kAfter);
    PackStem8(shape, p.weights.data(), packed.data());
    std::vector<int8_t> restored(p.weights.size());
    UnpackStem8(shape, packed.data(), restored.data());
    CHECK(restored == p.weights);
    int64_t padding = 0;
    for (const int8_t w : packed.ToVector()) padding += w == 0 ? 1 : 0;
    for (const int8_t w : p.weights) padding -= w == 0 ? 1 : 0;
    CHECK(padding == shape.out_c * (shape.quads() * 4 - shape.terms()));
  }
}

TEST_CASE("the table is ordered, and the choice keeps to CPU, limit and shape") {
  const Stem8KernelList list = Stem8Kernels();
  for (int64_t i = 0; i < list.size; ++i) {
    CHECK((list.begin[i]->isa == Isa::kReference) == (i + 1 == list.size));
  }
  const auto record = [](void* context, const char* kernel, const char* reason) {
    *static_cast<std::string*>(context) += std::string(kernel) + ": " + reason + "; ";
  };
  for (const Isa limit : kAllIsas) {
    for (const Stem8Shape& shape : kShapes) {
      std::string refused;
      const Stem8Kernel* chosen = SelectStem8(shape, limit, record, &refused);
      CHECK(chosen->isa <= limit);
      CHECK(IsaSupported(chosen->isa));
      CHECK(chosen->refuse(shape) == nullptr);
      CHECK((!chosen->needs_vnni || HasVnni(chosen->isa)));
      CHECK(refused.empty() == (chosen == list.begin[0]));
    }
  }
  const Stem8Kernel* best = SelectStem8(kShapes[0], BestIsa());
  CHECK(best == Runnable().front());
}

}  // namespace
}  // namespace bnn::kernels
