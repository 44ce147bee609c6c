#include "tests/formats/model_fixtures.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"

namespace bnn::formats {

namespace {

// What version 1.1 brought.
int AddInt8Layers(ModelBuilder& b, int floats) {
  const Window2d window = {.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_right = 1};
  int x = b.Add(Quantize{ElementType::kUInt8, {0.25f, 200}}, {floats});
  const int64_t channels = b.tensor(x).dims.back();
  QConv2d conv{window, channels, {0.25f, 200}, b.RandomInt8({2 * channels, 2, 2, 1}), b.RandomFloats({1}), kNone};
  conv.bias = b.RandomFloats({2 * channels});
  x = b.Add(conv, {x});
  x = b.Add(Quantize{ElementType::kInt8, {64.0f, -3}}, {x});
  x = b.AddReshape(x, {ElementCount(b.tensor(x).dims)});
  const QDense dense{{64.0f, -3}, b.RandomInt8({6, b.tensor(x).dims[0]}), b.RandomFloats({6}), b.RandomFloats({6})};
  x = b.Add(dense, {x});
  x = b.Add(Quantize{ElementType::kInt8, {512.0f, 0}}, {x});
  return b.Add(Dequantize{{512.0f, 0}}, {x});
}

// What version 1.2 brought.
int AddVisionOps(ModelBuilder& b, int map) {
  const int64_t channels = b.tensor(map).dims[2];
  const auto per_channel = [&] { return b.RandomFloats({channels}); };
  int x = b.Add(FakeQuantize{7, per_channel(), b.RandomFloats({1}), per_channel(), b.RandomFloats({1})}, {map});
  x = b.Add(Pad{{1, 0, 0}, {0, 2, 0}, PadMode::kSymmetric, 0}, {x});
  const Window2d window = {.kernel_h = 2, .kernel_w = 3, .stride_h = 2, .stride_w = 1, .pad_top = 1};
  ConvTranspose2d conv{window, 1, 0, channels / 2};
  conv.weights = b.RandomFloats({channels / 2, 2, 3, 2});
  conv.bias = b.RandomFloats({channels / 2});
  x = b.Add(conv, {x});
  for (int kind = 1; kind <= static_cast<int>(ResizeKind::kLinear); ++kind) {
    for (int coordinates = 1; coordinates <= static_cast<int>(Coordinates::kTfHalfPixel); ++coordinates) {
      for (int nearest = 1; nearest <= static_cast<int>(Nearest::kCeil); ++nearest) {
        Resize2d resize{static_cast<ResizeKind>(kind), static_cast<Coordinates>(coordinates),
                        static_cast<Nearest>(nearest)};
        const bool by_size = nearest % 2 == 0;
        (by_size ? resize.height : resize.width) = by_size ? 9 : 7;
        (by_size ? resize.scale_w : resize.scale_h) = by_size ? 1.5f : 0.625f;
        x = b.Add(resize, {x});
      }
    }
  }
  for (int kind = static_cast<int>(UnaryKind::kMish); kind <= static_cast<int>(UnaryKind::kLog); ++kind) {
    x = b.Add(Unary{static_cast<UnaryKind>(kind), 0.25f, -0.5f}, {x});
  }
  x = b.Add(Lrn{{0, 2}, 3, 0.5f, 0.75f, 2}, {x});
  for (const EpsMode mode : {EpsMode::kAdd, EpsMode::kMax}) x = b.Add(NormalizeL2{{2}, 0.125f, mode}, {x});
  std::vector<int> sums;
  for (int kind = 1; kind <= static_cast<int>(ReduceKind::kMin); ++kind) {
    sums.push_back(b.Add(Reduce{static_cast<ReduceKind>(kind), {0, 2}}, {x}));
  }
  return b.Add(Concat{0}, sums);
}

// What version 1.3 brought: with and without variances, one location for all classes and one a class.
int AddDetections(ModelBuilder& b, int values) {
  DetectionOutput op{3, 0, 4, 5, BoxCode::kCenterSize, true, false, true, false, -2.0f, 0.25f};
  op.priors = b.RandomFloats({2, 6, 4});
  const auto first = [&](int64_t count) {
    const int flat = b.AddReshape(values, {ElementCount(b.tensor(values).dims)});
    return b.Add(Slice{{0}, {count}, {1}}, {flat});
  };
  const int one = b.Add(op, {first(24), first(18)});
  op = {3, kNone, 0, 5, BoxCode::kCorner, false, true, false, true, -1.0f, 0.5f, b.RandomFloats({1, 6, 4})};
  return b.Add(Concat{0}, {one, b.Add(op, {first(72), first(18)})});
}

// Format 1.4: elements of 2 to 4 bits through every operator that takes them.
void AddBitsOfSeveralValues(ModelBuilder& b, int map) {
  const int64_t channels = b.tensor(map).dims.back();
  const Window2d same3 = test::Square(3, 1, 1);
  const Window2d half = test::Square(2, 2);
  for (int bits = 2; bits <= kMaxBits; ++bits) {
    const int64_t levels = 1 << bits;
    std::vector<float> thresholds;
    for (int64_t i = 1; i < levels; ++i) {
      const auto level = static_cast<float>(i);
      for (int64_t c = 0; c < channels; ++c) thresholds.push_back(level / 4 + static_cast<float>(c));
    }
    thresholds.back() = std::numeric_limits<float>::infinity();
    int q = b.Add(Binarize{b.Floats({levels - 1, channels}, thresholds), bits}, {map});
    b.Output(b.Add(BConv2d{same3, 1, PadValue::kZero, b.RandomBits({3, 3, 3, channels})}, {q}));
    q = b.Add(BMaxPool{half}, {q});
    b.Output(b.Add(Unpack{kNone, kNone, bits, b.RandomFloats({levels, 1})}, {q}));
    const int pooled = b.Add(Unpack{kNone, kNone, bits, b.RandomFloats({levels, channels})}, {q});
    const int flat = b.AddReshape(pooled, {ElementCount(b.tensor(pooled).dims)});
    std::vector<float> steps(static_cast<size_t>(levels - 1));
    for (size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<float>(i) / 8;
    q = b.Add(Binarize{b.Floats({levels - 1, 1}, steps), bits}, {flat});
    b.Output(b.Add(BDense{b.RandomBits({3, b.tensor(flat).dims[0]})}, {q}));
  }
}

}  // namespace

ModelDef EveryOpModel(int minor) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ModelBuilder b(1);
  const Window2d same3 = test::Square(3, 1, 1);
  const Window2d odd = {.kernel_h = 2,
                        .kernel_w = 3,
                        .stride_h = 2,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 2,
                        .pad_top = 0,
                        .pad_left = 1,
                        .pad_bottom = 1,
                        .pad_right = 2};
  const Window2d half = test::Square(2, 2);
  const int image = b.Input("image", {3, 8, 8}, ImageLayout::kNchw, {{0.5f, 0.25f, 0.125f}, {2.0f}});
  const int second = b.Input("r\xC3\xA9sidu", {8, 8, 6}, ImageLayout::kNhwc);
  const int third = b.Input("vector", {5});

  int x = b.Add(Transpose{{1, 2, 0}}, {image});
  x = b.Add(Conv2d{same3, 3, b.RandomFloats({6, 3, 3, 1}), b.RandomFloats({6})}, {x});
  x = b.Add(Binary{BinaryKind::kAdd}, {x, second});
  x = b.Add(Affine{b.RandomFloats({6}), b.RandomFloats({1})}, {x});
  int bits = b.Add(Binarize{b.Floats({6}, {0, -0.0f, 1.5f, kInfinity, -kInfinity, 3})}, {x});
  bits = b.Add(BMaxPool{half}, {bits});
  std::vector<int> maps;
  for (const PadValue pad : {PadValue::kOne, PadValue::kMinusOne, PadValue::kZero}) {
    maps.push_back(b.Add(BConv2d{same3, 2, pad, b.RandomBits({4, 3, 3, 3})}, {bits}));
  }
  x = b.Add(Concat{2}, maps);  // {4, 4, 12}
  x = b.Add(PRelu{b.RandomFloats({12})}, {x});
  x = b.Add(Clamp{-kInfinity, 6.5f}, {x});
  const int pooled = b.Add(MaxPool{odd}, {x});
  x = b.Add(Binary{BinaryKind::kMax}, {pooled, b.Add(AvgPool{odd, true}, {x})});
  const int unpacked = b.Add(Unpack{b.RandomFloats({1}), b.RandomFloats({6})}, {bits});
  b.Output(b.Add(AvgPool{same3, false}, {unpacked}));
  x = b.Add(Slice{{0, 1, 2}, {2, 3, 11}, {1, 2, 3}}, {x});
  for (const PadMode mode : {PadMode::kConstant, PadMode::kReflect, PadMode::kEdge}) {
    x = b.Add(Pad{{1, 0, 0}, {0, 1, 2}, mode, -kInfinity}, {x});
  }
  for (int kind = 1; kind <= static_cast<int>(UnaryKind::kPow); ++kind) {
    x = b.Add(Unary{static_cast<UnaryKind>(kind), 0.25f, -0.5f}, {x});
  }
  for (const BinaryKind kind : {BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv, BinaryKind::kMin}) {
    x = b.Add(Binary{kind, b.RandomFloats({b.tensor(x).dims.back()}), kind == BinaryKind::kDiv}, {x});
  }
  b.Output(x);
  x = b.Add(Slice{{0, 0, 0}, {1, 2, 3}, {1, 1, 1}}, {x});
  x = b.Add(Dense{b.RandomFloats({40, ElementCount(b.tensor(x).dims)}), b.RandomFloats({40})}, {x});
  bits = b.Add(Binarize{b.RandomFloats({40})}, {x});
  bits = b.AddReshape(b.AddReshape(bits, {1, 1, 40}), {40});
  x = b.Add(BDense{b.RandomBits({5, 40})}, {bits});
  x = b.Add(Binary{BinaryKind::kAdd}, {x, third});
  b.Output(b.Add(Softmax{0, true}, {x}));
  if (minor >= 1) b.Output(AddInt8Layers(b, second));
  if (minor >= 2) b.Output(AddVisionOps(b, second));
  if (minor >= 3) b.Output(AddDetections(b, second));
  if (minor >= 4) AddBitsOfSeveralValues(b, second);

  ModelDef model = b.model();
  model.producer = "tests 1.0";
  model.source = "every_op.onnx";
  model.source_batch = 7;
  return model;
}

namespace {

std::vector<int64_t> SomeAxes(RandomSource& random, size_t rank, int64_t low, int64_t high) {
  std::vector<int64_t> values(rank);
  for (int64_t& value : values) value = random.Int(low, high);
  return values;
}

Window2d RandomWindow(RandomSource& r) {
  return {.kernel_h = r.Int(1, 3),
          .kernel_w = r.Int(1, 3),
          .stride_h = r.Int(1, 2),
          .stride_w = r.Int(1, 2),
          .dilation_h = r.Int(1, 2),
          .dilation_w = r.Int(1, 2),
          .pad_top = r.Int(0, 2),
          .pad_left = r.Int(0, 2),
          .pad_bottom = r.Int(0, 2),
          .pad_right = r.Int(0, 2)};
}

// Convolutions, dense layers and pools.
Op RandomLayer(ModelBuilder& b, const TensorDef& in) {
  RandomSource& r = b.random();
  const Window2d window = RandomWindow(r);
  const int64_t channels = in.dims.empty() ? 1 : in.dims.back();
  const int64_t groups = channels % 2 == 0 ? r.Int(1, 2) : 1;
  const std::vector<int64_t> weights = {groups * r.Int(1, 20), window.kernel_h, window.kernel_w, channels / groups};
  const bool with_bias = r.OneIn(2);
  if (in.type == ElementType::kInt8 || in.type == ElementType::kUInt8) {
    const Quantization input{0.5f,
                             static_cast<int32_t>(in.type == ElementType::kInt8 ? r.Int(-128, 127) : r.Int(0, 255))};
    const int64_t dense_out = r.Int(1, 12);
    const bool is_conv = in.dims.size() == 3 && r.OneIn(2);
    const int64_t out = is_conv ? weights[0] : dense_out;
    const int scales = b.RandomFloats({r.OneIn(2) ? 1 : out}), bias = with_bias ? b.RandomFloats({out}) : kNone;
    if (is_conv) return QConv2d{window, groups, input, b.RandomInt8(weights), scales, bias};
    return QDense{input, b.RandomInt8({out, ElementCount(in.dims)}), scales, bias};
  }
  if (BitsOf(in.type) > 0) {
    if (in.dims.size() == 1) return BDense{b.RandomBits({r.Int(1, 40), channels})};
    if (r.OneIn(3)) return BMaxPool{window};
    return BConv2d{window, groups, r.Pick({PadValue::kOne, PadValue::kMinusOne, PadValue::kZero}),
                   b.RandomBits(weights)};
  }
  switch (r.Int(0, 4)) {
    case 4:
      return ConvTranspose2d{window, r.Int(0, window.stride_h - 1), r.Int(0, window.stride_w - 1),
                             groups, b.RandomFloats(weights),       with_bias ? b.RandomFloats({weights[0]}) : kNone};
    case 0:
      return Conv2d{window, groups, b.RandomFloats(weights), with_bias ? b.RandomFloats({weights[0]}) : kNone};
    case 1: {
      const int64_t out = r.Int(1, 12);
      return Dense{b.RandomFloats({out, ElementCount(in.dims)}), with_bias ? b.RandomFloats({out}) : kNone};
    }
    case 2:
      return MaxPool{window};
    default:
      return AvgPool{window, r.OneIn(2)};
  }
}

Op RandomBinarize(ModelBuilder& b, int bits, int64_t channels) {
  const int64_t columns = b.random().OneIn(2) ? 1 : channels;
  if (bits == 1) return Binarize{b.RandomFloats({columns})};
  const auto levels = static_cast<size_t>((1 << bits) - 1);
  std::vector<float> thresholds(levels * static_cast<size_t>(columns));
  for (size_t c = 0; c < static_cast<size_t>(columns); ++c) {
    auto last = static_cast<float>(b.random().Int(-4, 0));
    for (size_t level = 0; level < levels; ++level) {
      thresholds[level * static_cast<size_t>(columns) + c] = last;
      last += static_cast<float>(b.random().Int(0, 3)) / 4;
    }
  }
  return Binarize{b.Floats({(1 << bits) - 1, columns}, thresholds), bits};
}

Op RandomUnpack(ModelBuilder& b, int bits, int64_t channels) {
  const auto columns = [&] { return b.random().OneIn(2) ? 1 : channels; };
  if (bits == 1) return Unpack{b.RandomFloats({columns()}), b.RandomFloats({columns()})};
  return Unpack{kNone, kNone, bits, b.RandomFloats({1 << bits, columns()})};
}

Op RandomElementwise(ModelBuilder& b, const TensorDef& in) {
  RandomSource& r = b.random();
  const int64_t channels = in.dims.empty() ? 1 : in.dims.back();
  const auto per_channel = [&] { return b.RandomFloats({r.OneIn(2) ? 1 : channels}); };
  if (const int bits = BitsOf(in.type); bits > 0) return RandomUnpack(b, bits, channels);
  if (in.type != ElementType::kFloat32) return Dequantize{{0.5f, static_cast<int32_t>(r.Int(0, 100))}};
  switch (r.Int(0, 8)) {
    case 8:
      return FakeQuantize{r.Int(2, 20), per_channel(), per_channel(), per_channel(), per_channel()};
    case 0:
    case 1:
      return RandomBinarize(b, static_cast<int>(r.Int(1, kMaxBits)), channels);
    case 2:
      return Affine{per_channel(), per_channel()};
    case 3:
      return PRelu{per_channel()};
    case 4:
      return Clamp{static_cast<float>(r.Int(-3, 0)), static_cast<float>(r.Int(0, 3))};
    case 5: {
      const ElementType type = r.OneIn(2) ? ElementType::kInt8 : ElementType::kUInt8;
      return Quantize{type, {0.25f, static_cast<int32_t>(r.Int(0, 127))}};
    }
    case 6:
      return Unary{static_cast<UnaryKind>(r.Int(1, 19)), 0.5f, 1.0f};
    default:
      return Binary{static_cast<BinaryKind>(r.Int(1, 6)), per_channel(), r.OneIn(2)};
  }
}

Op RandomMove(ModelBuilder& b, const TensorDef& in) {
  RandomSource& r = b.random();
  const size_t rank = in.dims.size();
  const int64_t axis = r.Int(0, rank == 0 ? 0 : static_cast<int64_t>(rank) - 1);
  switch (r.Int(0, 7)) {
    case 4:
      return Resize2d{static_cast<ResizeKind>(r.Int(1, 2)),
                      static_cast<Coordinates>(r.Int(1, 5)),
                      static_cast<Nearest>(r.Int(1, 4)),
                      r.Int(1, 9),
                      0,
                      0,
                      static_cast<float>(r.Int(2, 9)) / 4};
    case 5:
      return Reduce{static_cast<ReduceKind>(r.Int(1, 4)), {axis}};
    case 6:
      return Lrn{{axis}, r.Int(1, 5), 0.5f, 0.75f, 1};
    case 7:
      return NormalizeL2{{axis}, 1, r.OneIn(2) ? EpsMode::kAdd : EpsMode::kMax};
    case 0:
      return Slice{SomeAxes(r, rank, 0, 1), in.dims, SomeAxes(r, rank, 1, 2)};
    case 1:
      return Pad{SomeAxes(r, rank, 0, 1), SomeAxes(r, rank, 0, 1), static_cast<PadMode>(r.Int(1, 4)), -1};
    case 2: {
      Transpose op{SomeAxes(r, rank, 0, 0)};
      for (size_t i = 0; i < rank; ++i) op.perm[i] = static_cast<int64_t>((i + 1) % rank);
      return op;
    }
    default:
      return Softmax{r.Int(0, 2), r.OneIn(2)};
  }
}

}  // namespace

ModelDef RandomModel(uint64_t seed) {
  ModelBuilder b(seed);
  RandomSource& r = b.random();
  int x = b.Input("in", {r.Int(3, 9), r.Int(3, 9), r.Int(1, 40)});
  const int64_t steps = r.Int(3, 40);
  for (int64_t i = 0; i < steps; ++i) {
    const TensorDef in = b.tensor(x);  // a copy: adding nodes moves the tensors
    int next = kNone;
    switch (r.Int(0, 5)) {
      case 0:
      case 1:
        next = b.Add(RandomLayer(b, in), {x});
        break;
      case 2:
      case 3:
        next = b.Add(RandomElementwise(b, in), {x});
        break;
      case 4:
        next = b.Add(RandomMove(b, in), {x});
        break;
      default:
        next = r.OneIn(2) ? b.Add(Concat{r.Int(0, 2)}, {x, x}) : b.Add(Binary{BinaryKind::kMul}, {x, x});
        break;
    }
    if (next != kNone && ElementCount(b.tensor(next).dims) < 5000) x = next;
    const std::vector<int64_t> dims = b.tensor(x).dims;
    if (r.OneIn(6)) x = b.AddReshape(x, {1, ElementCount(dims) / dims.back(), dims.back()});
  }
  if (const int bits = BitsOf(b.tensor(x).type); bits > 0) x = b.Add(RandomUnpack(b, bits, 1), {x});
  if (b.tensor(x).type != ElementType::kFloat32) x = b.Add(Dequantize{{0.5f, 1}}, {x});
  b.Output(x);
  ModelDef model = b.model();
  model.producer = "tests";
  model.source_batch = r.Int(0, 3);
  return model;
}

}  // namespace bnn::formats
