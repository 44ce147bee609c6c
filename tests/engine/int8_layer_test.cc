// Int8 operators of the engine against the executable specification. CTest runs this with oneDNN as on several
// processors: with VNNI, where its int8 kernels are exact, and without, where ours take over.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "tests/engine/run_model.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/model_reference.h"
#include "tests/formats/square_window.h"
#include "tests/test_support.h"

namespace bnn {
namespace {

using formats::Affine;
using formats::Clamp;
using formats::Dequantize;
using formats::ElementType;
using formats::kNone;
using formats::ModelBuilder;
using formats::ModelDef;
using formats::QConv2d;
using formats::QDense;
using formats::Quantization;
using formats::Quantize;
using formats::RandomSource;
using formats::Window2d;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct EngineRun {
  std::vector<float> output;
  std::vector<StepInfo> plan;
};

// The first output for a batch of samples.
EngineRun RunEngine(const ModelDef& def, const std::vector<std::vector<float>>& samples, int threads = 1) {
  ModelOptions options;
  options.batch = static_cast<int64_t>(samples.size());
  options.threads = threads;
  const Model model = test::LoadDef(def, options);
  auto session = Session::Create(model);
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  std::vector<float> input;
  for (const std::vector<float>& sample : samples) input.insert(input.end(), sample.begin(), sample.end());
  std::vector<float> output(model.outputs()[0].size(), std::nanf(""));
  REQUIRE(session->Run(input, output).ok());
  return {output, model.plan()};
}

std::vector<float> Reference(const ModelDef& def, const std::vector<std::vector<float>>& samples) {
  std::vector<float> output;
  for (const std::vector<float>& sample : samples) {
    const std::vector<float> one = formats::ReferenceOutputs(def, {sample})[0];
    output.insert(output.end(), one.begin(), one.end());
  }
  return output;
}

// Integers that a Quantize of scale 1 leaves as they are.
std::vector<std::vector<float>> Integers(RandomSource& random, int64_t batch, int64_t count, ElementType type) {
  const formats::IntegerRange range = formats::RangeOf(type);
  std::vector<std::vector<float>> samples(static_cast<size_t>(batch));
  for (std::vector<float>& sample : samples) {
    for (int64_t i = 0; i < count; ++i) sample.push_back(static_cast<float>(random.Int(range.low, range.high)));
  }
  return samples;
}

// Products with these and quotients by them are exact.
int PowersOfTwo(ModelBuilder& b, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = b.random().Pick({0.25f, 0.5f, 1.0f, -2.0f});
  return b.Floats({count}, values);
}

struct Problem {
  ModelDef model;
  std::vector<std::vector<float>> samples;
};

// Quantize -> QConv2d or QDense of a random shape, whose values are all dyadic fractions: the results are exact.
Problem RandomProblem(uint64_t seed) {
  ModelBuilder b(seed);
  RandomSource& r = b.random();
  const ElementType type = r.OneIn(2) ? ElementType::kInt8 : ElementType::kUInt8;
  const int32_t low = formats::RangeOf(type).low;
  const Quantization input{1.0f, r.OneIn(2) ? 0 : static_cast<int32_t>(low + r.Int(0, 255))};
  const int64_t groups = r.OneIn(4) ? r.Pick({2, 5}) : 1;
  const int64_t channels = groups * r.Pick({1, 3, 4, 16, 17, 40}), out = groups * r.Pick({1, 5, 8, 16, 33});
  const int scales = r.OneIn(3) ? b.Floats({1}, {0.25f}) : PowersOfTwo(b, out);
  const int bias = r.OneIn(2) ? b.RandomFloats({out}) : kNone;
  Problem problem;
  int64_t elements = 0;
  if (r.OneIn(4)) {
    const int x = b.Add(Quantize{type, {1.0f, 0}}, {b.Input("x", {channels})});
    b.Output(b.Add(QDense{input, b.RandomInt8({out, channels}), scales, bias}, {x}));
    elements = channels;
  } else {
    const Window2d window = {.kernel_h = r.Int(1, 3),
                             .kernel_w = r.Int(1, 4),
                             .stride_h = r.Int(1, 2),
                             .stride_w = r.Int(1, 2),
                             .dilation_h = r.OneIn(4) ? 2 : 1,
                             .dilation_w = r.OneIn(4) ? 2 : 1,
                             .pad_top = r.Int(0, 2),
                             .pad_left = r.Int(0, 2),
                             .pad_bottom = r.Int(0, 2),
                             .pad_right = r.Int(0, 2)};
    const int64_t h = r.Int(5, 12), w = r.Int(7, 12);
    const int x = b.Add(Quantize{type, {1.0f, 0}}, {b.Input("x", {h, w, channels})});
    const int weights = b.RandomInt8({out, window.kernel_h, window.kernel_w, channels / groups});
    b.Output(b.Add(QConv2d{window, groups, input, weights, scales, bias}, {x}));
    elements = h * w * channels;
  }
  problem.samples = Integers(r, r.Int(1, 3), elements, type);
  problem.model = b.model();
  return problem;
}

// Biases are sixteenths, integer sums here below 2^17: scale * sum + bias is exact in any order.
TEST_CASE("random int8 layers are exact") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const Problem problem = RandomProblem(seed);
    const EngineRun run = RunEngine(problem.model, problem.samples, 1 + static_cast<int>(seed % 2));
    CAPTURE(run.plan[1].kernel);
    CAPTURE(run.plan[1].shape);
    const bool equal = run.output == Reference(problem.model, problem.samples);
    CHECK(equal);
  }
}

// Shapes for which oneDNN 2.6 gives wrong sums where its gemm runs them.
TEST_CASE("grouped convolutions of signed data are exact") {
  struct Shape {
    int64_t groups, in, out, kernel;
  };
  for (const Shape& s : {Shape{2, 2, 4, 2}, Shape{4, 8, 2, 1}, Shape{4, 2, 2, 2}, Shape{2, 16, 9, 2}}) {
    CAPTURE(s.groups);
    ModelBuilder b(5);
    const int64_t in = s.groups * s.in, out = s.groups * s.out;
    const int x = b.Add(Quantize{ElementType::kInt8, {1.0f, 0}}, {b.Input("x", {4, 5, in})});
    const Window2d window = {.kernel_h = s.kernel, .kernel_w = s.kernel};
    const int weights = b.RandomInt8({out, s.kernel, s.kernel, s.in});
    b.Output(b.Add(QConv2d{window, s.groups, {1.0f, 0}, weights, PowersOfTwo(b, out), kNone}, {x}));
    const auto samples = Integers(b.random(), 1, 20 * in, ElementType::kInt8);
    const EngineRun run = RunEngine(b.model(), samples);
    CAPTURE(run.plan[1].kernel);
    CHECK(run.output == Reference(b.model(), samples));
  }
}

// Pairs of large products of one sign are what vpmaddubsw saturates; 4608 of them exceed what float32 holds.
TEST_CASE("the largest sums are exact") {
  for (const int64_t channels : {3, 16, 512}) {
    for (const ElementType type : {ElementType::kUInt8, ElementType::kInt8}) {
      for (const int8_t weight : {int8_t{127}, int8_t{-128}}) {
        const formats::IntegerRange range = formats::RangeOf(type);
        ModelBuilder b(1);
        const int x = b.Add(Quantize{type, {1.0f, 0}}, {b.Input("x", {4, 5, channels})});
        const Window2d window = test::Square(3, 1, 1);
        const int weights = b.RandomInt8({20, 3, 3, channels});
        // Zero point at one end, values at the other: q - zero_point is 255 or -255.
        b.Output(b.Add(QConv2d{window, 1, {1.0f, range.low}, weights, b.Floats({1}, {1}), kNone}, {x}));
        ModelDef model = b.model();
        for (std::byte& w : model.blobs[0].data) w = static_cast<std::byte>(weight);
        const std::vector<std::vector<float>> samples = {
            std::vector<float>(static_cast<size_t>(20 * channels), static_cast<float>(range.high))};
        const EngineRun run = RunEngine(model, samples);
        CAPTURE(run.plan[1].kernel);
        CHECK(run.output == Reference(model, samples));
      }
    }
  }
}

TEST_CASE("quantize: ties, saturation, infinities and NaN; dequantize gives them back") {
  const std::vector<float> x = {0,          0.5f,          1.5f,  2.5f,   -0.5f,  -1.5f,  1e-40f,
                                127.49f,    127.5f,        300,   -300,   1e30f,  -1e30f, kInfinity,
                                -kInfinity, std::nanf(""), -0.0f, 254.5f, 255.5f, 63.75f, -64.25f};
  for (const ElementType type : {ElementType::kUInt8, ElementType::kInt8}) {
    for (const Quantization to :
         {Quantization{1, 0}, Quantization{0.5f, 127}, Quantization{3, 1}, Quantization{1e-38f, 7}}) {
      CAPTURE(to.scale);
      ModelBuilder b(1);
      const int q = b.Add(Quantize{type, to}, {b.Input("x", {static_cast<int64_t>(x.size())})});
      b.Output(b.Add(Dequantize{to}, {q}));
      const std::vector<float> output = RunEngine(b.model(), {x}).output;
      CHECK(output == Reference(b.model(), {x}));
      if (to == Quantization{1, 0} && type == ElementType::kInt8) {
        CHECK(std::vector<float>(output.begin(), output.begin() + 6) == std::vector<float>{0, 0, 2, 2, 0, -2});
        CHECK(output[15] == -128);
      }
    }
  }
}

TEST_CASE("many elements are quantized by several threads as by one") {
  RandomSource r(3);
  ModelBuilder b(1);
  const int q = b.Add(Quantize{ElementType::kUInt8, {0.37f, 90}}, {b.Input("x", {50, 40, 33})});
  b.Output(b.Add(Dequantize{{0.37f, 90}}, {q}));
  std::vector<float> x(50 * 40 * 33);
  for (float& v : x) v = static_cast<float>(r.Int(-100000, 100000)) / 1024;
  const std::vector<float> expected = Reference(b.model(), {x});
  CHECK(RunEngine(b.model(), {x}, 1).output == expected);
  CHECK(RunEngine(b.model(), {x}, 2).output == expected);
}

struct Chain {
  const char* op;  // of the step
  bool affine, clamp, quantize;
  Clamp limits = {0, kInfinity};
  ElementType type = ElementType::kUInt8;
  Quantization to = {64, 0};
};

ModelDef ChainModel(const Chain& chain, bool dense) {
  ModelBuilder b(5);
  int x = b.Input("x", dense ? std::vector<int64_t>{90} : std::vector<int64_t>{6, 7, 5});
  x = b.Add(Quantize{ElementType::kInt8, {1, 3}}, {x});
  const int scales = PowersOfTwo(b, 24), bias = b.RandomFloats({24});
  const Window2d window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1};
  x = dense ? b.Add(QDense{{1, 3}, b.RandomInt8({24, 90}), scales, bias}, {x})
            : b.Add(QConv2d{window, 1, {1, 3}, b.RandomInt8({24, 3, 3, 5}), scales, bias}, {x});
  if (chain.affine) x = b.Add(Affine{PowersOfTwo(b, 24), b.RandomFloats({1})}, {x});
  if (chain.clamp) x = b.Add(chain.limits, {x});
  if (chain.quantize) x = b.Add(Dequantize{chain.to}, {b.Add(Quantize{chain.type, chain.to}, {x})});
  b.Output(x);
  return b.model();
}

// All values are dyadic, so scales and biases fold without rounding. Only exact ties may differ, by one step, where the
// zero point is odd.
TEST_CASE("elementwise nodes behind an int8 layer run in its step") {
  const Chain chains[] = {
      {"qconv2d", false, false, false},
      {"qconv2d+affine", true, false, false},
      {"qconv2d+clamp", false, true, false},
      {"qconv2d+clamp", false, true, false, {-700, 1000}},
      {"qconv2d+clamp", false, true, false, {-kInfinity, 100}},
      {"qconv2d+affine+clamp", true, true, false},
      {"qconv2d+quantize", false, false, true, {}, ElementType::kInt8, {64, -4}},
      {"qconv2d+clamp+quantize", false, true, true},
      {"qconv2d+clamp+quantize", false, true, true, {-500, 640}, ElementType::kInt8, {16, 2}},
      {"qconv2d+clamp+quantize", false, true, true, {0, kInfinity}, ElementType::kInt8, {128, -128}},
      {"qconv2d+affine+clamp+quantize", true, true, true, {0, 6000}, ElementType::kUInt8, {32, 10}},
  };
  RandomSource random(9);
  for (const bool dense : {false, true}) {
    for (const Chain& chain : chains) {
      const std::string op = dense ? "qdense" + std::string(chain.op).substr(7) : chain.op;
      CAPTURE(op);
      const ModelDef model = ChainModel(chain, dense);
      const auto samples = Integers(random, 2, dense ? 90 : 6 * 7 * 5, ElementType::kInt8);
      const EngineRun run = RunEngine(model, samples);
      CHECK(run.plan.size() == (chain.quantize ? 3 : 2));
      CHECK(run.plan[1].op == op);
      CHECK(run.output == Reference(model, samples));
    }
  }
}

TEST_CASE("what cannot be fused is not: other readers, a second clamp, a prelu") {
  const auto ops = [](auto build) {
    ModelBuilder b(5);
    int x = b.Add(Quantize{ElementType::kInt8, {1, 0}}, {b.Input("x", {30})});
    x = b.Add(QDense{{1, 0}, b.RandomInt8({24, 30}), b.RandomFloats({24}), kNone}, {x});
    build(b, x);
    RandomSource random(1);
    const auto samples = Integers(random, 2, 30, ElementType::kInt8);
    const EngineRun run = RunEngine(b.model(), samples);
    CHECK(run.output == Reference(b.model(), samples));
    std::string text;
    for (const StepInfo& step : run.plan) text += step.op + " ";
    return text;
  };
  const Quantize quantize{ElementType::kInt8, {256, 0}};
  const Dequantize dequantize{{256, 0}};
  CHECK(ops([&](ModelBuilder& b, int x) {
          const int q = b.Add(dequantize, {b.Add(quantize, {x})});
          b.Output(b.Add(formats::Binary{formats::BinaryKind::kMax}, {x, q}));
        }) == "quantize qdense quantize dequantize max ");
  CHECK(ops([&](ModelBuilder& b, int x) {
          x = b.Add(Clamp{-5, 3}, {b.Add(Clamp{0, 7}, {x})});
          b.Output(b.Add(dequantize, {b.Add(quantize, {x})}));
        }) == "quantize qdense+clamp clamp quantize dequantize ");
  CHECK(ops([&](ModelBuilder& b, int x) { b.Output(b.Add(formats::PRelu{b.RandomFloats({24})}, {x})); }) ==
        "quantize qdense prelu ");
  // The sign behind a batch-norm is decided by the threshold that the nodes themselves give.
  CHECK(ops([&](ModelBuilder& b, int x) {
          x = b.Add(Affine{b.Floats({1}, {3}), b.RandomFloats({24})}, {x});
          x = b.Add(formats::Binarize{b.Floats({1}, {0.5f})}, {x});
          b.Output(b.Add(formats::Unpack{b.Floats({1}, {-1}), b.Floats({1}, {1})}, {x}));
        }).find("affine") == std::string::npos);
}

TEST_CASE("a channel with a scale of 0 gives its bias") {
  ModelBuilder b(5);
  int x = b.Add(Quantize{ElementType::kInt8, {1, 0}}, {b.Input("x", {30})});
  x = b.Add(QDense{{1, 0}, b.RandomInt8({2, 30}), b.Floats({2}, {0, 1}), b.Floats({2}, {0, 7})}, {x});
  b.Output(b.Add(Affine{b.Floats({2}, {1, 0}), b.Floats({2}, {5, 3})}, {x}));
  RandomSource random(1);
  const auto samples = Integers(random, 1, 30, ElementType::kInt8);
  CHECK(RunEngine(b.model(), samples).output == std::vector<float>{5, 3});
}

// Real scales: the order in which sum, scale and bias are combined shows in the last bits.
TEST_CASE("scales that are no dyadic fractions: within rounding, and within one step where quantized") {
  RandomSource r(4);
  const auto real = [&] { return static_cast<float>(r.Int(1, 1 << 20)) / 7e7f; };
  for (const bool quantized : {false, true}) {
    ModelBuilder b(5);
    int x = b.Add(Quantize{ElementType::kUInt8, {0.0173f, 113}}, {b.Input("x", {9, 9, 20})});
    std::vector<float> scales, bias;
    for (int i = 0; i < 40; ++i) scales.push_back(real()), bias.push_back(real() * 100);
    const Window2d window = test::Square(3);
    x = b.Add(
        QConv2d{window, 1, {0.0173f, 113}, b.RandomInt8({40, 3, 3, 20}), b.Floats({40}, scales), b.Floats({40}, bias)},
        {x});
    const Quantization to{0.031f, 77};
    if (quantized) x = b.Add(Dequantize{to}, {b.Add(Quantize{ElementType::kUInt8, to}, {x})});
    b.Output(x);
    std::vector<float> sample(9 * 9 * 20);
    for (float& v : sample) v = static_cast<float>(r.Int(-2000, 2000)) / 1000;
    const std::vector<float> output = RunEngine(b.model(), {sample}).output;
    const std::vector<float> expected = Reference(b.model(), {sample});
    int steps = 0;
    for (size_t i = 0; i < output.size(); ++i) {
      const float error = std::fabs(output[i] - expected[i]);
      const float tolerance = quantized ? 0.0311f : 1e-6f * (1 + std::fabs(expected[i]));
      CHECK(error <= tolerance);
      if (quantized && error > 0) ++steps;
    }
    CHECK(steps <= 2);
  }
}

bool HasStemKernel() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") != 0 && std::getenv("BNN_MAX_ISA") == nullptr;
#else
  return false;
#endif
}

// A stem of real scales, so that every rounding shows: sums by hand, then float(sum) * scale + bias, clipped.
struct Stem {
  static constexpr int64_t kSize = 13, kOutSize = 7, kOut = 64, kKernel = 7;

  Stem(ElementType type_, bool quantized, int64_t out) : type(type_), builder(21) {
    ModelBuilder& b = builder;
    RandomSource& r = b.random();
    for (int64_t c = 0; c < out; ++c) {
      scales.push_back(static_cast<float>(r.Int(1, 1 << 20)) / 7e7f);
      bias.push_back(static_cast<float>(r.Int(-1000, 1000)) / 7);
    }
    int x = b.Add(Quantize{type, {1, 0}}, {b.Input("x", {kSize, kSize, 3})});
    const Window2d window = test::Square(kKernel, 2, 3);
    const int weights = b.RandomInt8({out, kKernel, kKernel, 3});
    x = b.Add(QConv2d{window, 1, {0.0173f, kZeroPoint}, weights, b.Floats({out}, scales), b.Floats({out}, bias)}, {x});
    x = b.Add(Clamp{-20, kInfinity}, {x});
    if (quantized) x = b.Add(Dequantize{{1, 0}}, {b.Add(Quantize{ElementType::kInt8, {1, 0}}, {x})});
    b.Output(x);
    samples = Integers(r, 2, kSize * kSize * 3, type);
  }

  std::vector<float> Expected() const {
    const auto& blob = builder.model().blobs[0].data;
    std::vector<float> out;
    for (const std::vector<float>& sample : samples) {
      for (int64_t i = 0; i < kOutSize * kOutSize * kOut; ++i) {
        const int64_t y = i / kOut / kOutSize * 2 - 3, x = i / kOut % kOutSize * 2 - 3, c = i % kOut;
        int32_t sum = 0;
        for (int64_t tap = 0; tap < kKernel * kKernel * 3; ++tap) {
          const int64_t in_y = y + tap / 3 / kKernel, in_x = x + tap / 3 % kKernel;
          if (in_y < 0 || in_y >= kSize || in_x < 0 || in_x >= kSize) continue;
          const float q = sample[static_cast<size_t>((in_y * kSize + in_x) * 3 + tap % 3)];
          const auto w = static_cast<int8_t>(blob[static_cast<size_t>(c * kKernel * kKernel * 3 + tap)]);
          sum += (static_cast<int32_t>(q) - kZeroPoint) * w;
        }
        const float scaled = static_cast<float>(sum) * (0.0173f * scales[static_cast<size_t>(c)]);
        const float result = scaled + bias[static_cast<size_t>(c)];
        out.push_back(result < -20 ? -20 : result);
      }
    }
    return out;
  }

  static constexpr int32_t kZeroPoint = 5;
  ElementType type;
  ModelBuilder builder;
  std::vector<float> scales, bias;
  std::vector<std::vector<float>> samples;
};

TEST_CASE("a stem of three channels runs in a kernel of its own, exactly to the last bit") {
  if (!HasStemKernel()) return test::Skip("this CPU lacks AVX-512 VNNI, or BNN_MAX_ISA is set");
  for (const ElementType type : {ElementType::kUInt8, ElementType::kInt8}) {
    const Stem stem(type, /*quantized=*/false, Stem::kOut);
    for (const int threads : {1, 2}) {
      const EngineRun run = RunEngine(stem.builder.model(), stem.samples, threads);
      CHECK(run.plan[1].kernel == "stem8_avx512vnni");
      CHECK(run.plan[1].op == "qconv2d+clamp");
      CHECK(run.plan[1].reason == "");
      const bool equal = run.output == stem.Expected();
      CHECK(equal);
    }
  }
}

TEST_CASE("stems that the kernel does not take say why") {
  const auto reason = [](const Stem& stem) { return RunEngine(stem.builder.model(), stem.samples).plan[1].reason; };
  CHECK(reason(Stem(ElementType::kInt8, /*quantized=*/true, 64)).find("stem8: writes floats only") == 0);
  CHECK(reason(Stem(ElementType::kInt8, /*quantized=*/false, 48)).find("stem8: saves fewer products") == 0);
}

}  // namespace
}  // namespace bnn
