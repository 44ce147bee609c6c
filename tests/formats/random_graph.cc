#include "tests/formats/random_graph.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/formats/graph_builder.h"
#include "tests/formats/random_source.h"

namespace bnn::formats {
namespace {

constexpr double kMaxSteps = 1 << 22;

// A value of the graph: all its elements are multiples of `unit` (a power of two) of at most `limit`.
struct Value {
  std::string name;
  double limit = 0;
  double unit = 1;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  RandomGraph Run() {
    Value x = MakeInput();
    const int64_t blocks = random_.Int(1, 4);
    for (int64_t i = 0; i < blocks; ++i) x = Block(x);
    if (!random_.OneIn(4)) x = Head(x);
    builder_.Output(x.name);
    if (random_.OneIn(4) && IsFloat(last_binarized_) && last_binarized_ != x.name) builder_.Output(last_binarized_);
    return {std::move(builder_.graph()), std::move(inputs_)};
  }

 private:
  const Dims& DimsOf(const Value& x) const { return builder_.DimsOf(x.name); }
  int64_t Channels(const Value& x) const { return DimsOf(x)[1]; }
  bool IsMap(const Value& x) const { return DimsOf(x).size() == 4; }
  bool IsFloat(const std::string& name) const {
    return !name.empty() && builder_.graph().values.at(name).type == DType::kFloat32;
  }
  static bool Fits(double limit, double unit) { return limit / unit < kMaxSteps; }

  std::string Node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::map<std::string, Attribute>& attributes = {}) {
    return builder_.Node(op, inputs, attributes);
  }
  std::string Scalar(double value) { return builder_.Floats({}, {static_cast<float>(value)}); }
  // Dims that broadcast one value per channel.
  Dims ChannelDims(const Value& x) const {
    Dims dims(DimsOf(x).size(), 1);
    dims[1] = Channels(x);
    return dims;
  }
  // A multiple of unit * step in [-limit, limit].
  double Multiple(double unit, double limit) {
    const auto steps = static_cast<int64_t>(limit / unit);
    return unit * static_cast<double>(random_.Int(-steps, steps));
  }

  Value MakeInput() {
    const int64_t channels = random_.Pick({1, 2, 3, 4, 7, 8, 31, 32, 33, 36, 65});
    const Dims dims = {1, channels, random_.Int(3, 7), random_.Int(3, 7)};
    const Value x{builder_.Input("x", dims), 4, 0.5};
    Tensor tensor = FloatTensor(dims, std::vector<float>(static_cast<size_t>(CountElements(dims))));
    for (float& v : tensor.floats) v = static_cast<float>(Multiple(x.unit, x.limit));
    inputs_["x"] = std::move(tensor);
    return x;
  }

  // ---- Binarization

  // Thresholds that x often meets exactly: per tensor or per channel, as a constant.
  std::string Thresholds(const Value& x) {
    const double limit = std::min(x.limit, 8 * x.unit);
    if (random_.OneIn(2)) return Scalar(Multiple(x.unit, limit));
    std::vector<float> values;
    for (int64_t c = 0; c < Channels(x); ++c) values.push_back(static_cast<float>(Multiple(x.unit, limit)));
    return builder_.Floats(ChannelDims(x), values);
  }

  // A few values in even steps: a quantizer, or arithmetic that ends in a rounding; signed, unsigned or falling.
  Value Quantize(const Value& x) {
    const double step = random_.Pick({0.25, 0.5, 1.0}), in_step = x.unit * random_.Pick({1.0, 2.0, 0.5});
    const int64_t levels = random_.Pick({3, 4, 4, 4, 7, 8, 15, 16});
    const int64_t lowest = random_.Pick<int64_t>({0, 0, 0, -1, -levels / 2});
    const auto at = [&](int64_t level) { return static_cast<double>(lowest + level); };
    const double most = std::max(std::fabs(at(0)), std::fabs(at(levels - 1)));
    Value quantized{"", most * step, step};
    if (random_.OneIn(2)) {
      double low = at(0) * step, high = at(levels - 1) * step;
      if (random_.OneIn(5)) std::swap(low, high);
      quantized.name =
          Node("FakeQuantize",
               {x.name, Scalar(at(0) * in_step), Scalar(at(levels - 1) * in_step), Scalar(low), Scalar(high)},
               {{"levels", levels}});
    } else {
      const bool floors = random_.OneIn(2);
      std::string y = Node("Mul", {x.name, Scalar(1 / in_step)});
      y = Node("Clip", {y, Scalar(at(0)), Scalar(at(levels - 1))});
      y = floors ? Node("Floor", {Node("Add", {y, Scalar(0.5)})}) : Node("Round", {y});
      quantized.name = Node("Mul", {y, Scalar(random_.OneIn(5) ? -step : step)});
    }
    last_binarized_ = quantized.name;
    return quantized;
  }

  Value Binarize(const Value& x) {
    if (random_.OneIn(3)) return Quantize(x);
    Value bits{"", 2, 0.25};
    const double low = random_.Pick({-1.0, -1.0, 0.0, 0.0, 0.25, 1.0, -2.0});
    double high = random_.Pick({1.0, 1.0, 2.0, -0.5, 0.0});
    if (high == low) high = low + 1;
    switch (random_.Int(0, 6)) {
      case 0:
        bits.name = Node("BipolarQuant", {x.name, Scales(x)});
        break;
      case 1: {
        const std::string t = Thresholds(x);
        bits.name = Node("FakeQuantize", {x.name, t, t, Scalar(low), Scalar(high)}, {{"levels", int64_t{2}}});
        break;
      }
      case 2: {
        const double middle = Multiple(x.unit, std::min(x.limit, 4 * x.unit));
        bits.name = Node("FakeQuantize",
                         {x.name, Scalar(middle - x.unit), Scalar(middle + 2 * x.unit), Scalar(low), Scalar(high)},
                         {{"levels", int64_t{2}}});
        break;
      }
      case 3:
        bits.name = Node("Where", {Compare(x), Scalar(high), Scalar(low)});
        break;
      case 4: {
        const std::string zero_one = Node("Cast", {Compare(x)}, {{"to", int64_t{1}}});
        bits.name = Node("Sub", {Node("Mul", {zero_one, Scalar(high - low)}), Scalar(-low)});
        break;
      }
      case 5:
        bits.name = Node("Cast", {Node("Not", {Compare(x)})}, {{"to", int64_t{1}}});
        break;
      default:  // off the grid of x, so that Sign never sees a 0
        bits.name = Node("Sign", {Node("Add", {x.name, Scalar(x.unit / 2)})});
        break;
    }
    last_binarized_ = bits.name;
    return bits;
  }

  // Of BipolarQuant: mostly one for the tensor.
  std::string Scales(const Value& x) {
    if (!random_.OneIn(6)) return Scalar(random_.Pick({1.0, 0.5, -1.0}));
    std::vector<float> values;
    for (int64_t c = 0; c < Channels(x); ++c) values.push_back(random_.Pick({1.0f, 0.5f, -2.0f}));
    return builder_.Floats(ChannelDims(x), values);
  }

  std::string Compare(const Value& x) {
    const std::string op = random_.Pick<std::string>({"Greater", "GreaterOrEqual", "Less", "LessOrEqual"});
    const std::string t = Thresholds(x);
    return random_.OneIn(3) ? Node(op, {t, x.name}) : Node(op, {x.name, t});
  }

  // Moves that keep two values: pools, pads, concatenations, parts.
  Value MoveBits(Value x) {
    if (!IsMap(x)) return x;
    switch (random_.Int(0, 9)) {
      case 0:
      case 1:
        return MaxPool(x);
      case 2:
        return ExplicitPad(x);
      case 3:
        x.name = Node("Concat", {x.name, x.name}, {{"axis", random_.Int(1, 3)}});
        return x;
      case 4: {
        const int64_t axis = random_.Int(1, 3);
        if (DimsOf(x)[static_cast<size_t>(axis)] < 2) return x;
        x.name = Node("Slice", {x.name, builder_.Ints({1}), builder_.Ints({1000}), builder_.Ints({axis}),
                                builder_.Ints({random_.Int(1, 2)})});
        return x;
      }
      case 5:
        x.name = Node("Transpose", {x.name}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
        return x;
      case 6: {
        const Dims dims = DimsOf(x);
        x.name = Node("Reshape", {x.name, builder_.Ints({dims[0], dims[1], dims[3], dims[2]})});
        return x;
      }
      default:
        return x;
    }
  }

  // ---- Windows

  Value MaxPool(Value x) {
    const Dims& dims = DimsOf(x);
    if (std::min(dims[2], dims[3]) < 2) return x;
    const int64_t pad = random_.Int(0, 1);
    x.name = Node("MaxPool", {x.name},
                  {{"kernel_shape", std::vector<int64_t>{2, 2}},
                   {"strides", std::vector<int64_t>{random_.Int(1, 2), random_.Int(1, 2)}},
                   {"pads", std::vector<int64_t>{pad, 0, random_.Int(0, 1), pad}},
                   {"ceil_mode", random_.Int(0, 1)}});
    return x;
  }

  Value AveragePool(Value x) {
    const Dims& dims = DimsOf(x);
    if (std::min(dims[2], dims[3]) < 2 || !Fits(x.limit, x.unit / 4)) return x;
    return {Node("AveragePool", {x.name},
                 {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}}),
            x.limit, x.unit / 4};
  }

  Value ExplicitPad(Value x) {
    const double value = random_.Pick({0.0, 1.0, -1.0, 0.5});
    std::vector<int64_t> pads(8, 0);
    for (const size_t i : {2, 3, 6, 7}) pads[i] = random_.Int(0, 2);
    x.name = Node("Pad", {x.name, builder_.Ints(pads), Scalar(value)});
    x.limit = std::max(x.limit, std::fabs(value));
    x.unit = std::min(x.unit, 0.5);
    return x;
  }

  struct Window {
    std::vector<int64_t> kernel, strides, dilations, pads;
  };

  Window MakeWindow(const Dims& dims) {
    Window w;
    for (size_t i = 0; i < 2; ++i) {
      w.pads.push_back(random_.Pick({0, 0, 1, 2}));
      w.strides.push_back(random_.Pick({1, 1, 2, 3}));
      w.dilations.push_back(random_.Pick({1, 1, 1, 2}));
    }
    w.pads.push_back(random_.Pick({0, 1}));
    w.pads.push_back(random_.Pick({0, 1}));
    for (size_t i = 0; i < 2; ++i) {
      int64_t kernel = random_.Int(1, 3);
      while ((kernel - 1) * w.dilations[i] + 1 > dims[2 + i] + w.pads[i] + w.pads[2 + i]) --kernel;
      w.kernel.push_back(kernel);
    }
    return w;
  }

  // ---- Layers

  // [out][terms] of +-r with one r per row, sometimes 0; or small numbers for a float layer.
  std::vector<float> Weights(int64_t out, int64_t terms, bool binary) {
    std::vector<float> weights;
    for (int64_t o = 0; o < out; ++o) {
      const float r = random_.Pick({1.0f, 1.0f, 0.5f, 2.0f, 0.0f});
      const bool all_equal = random_.OneIn(12);
      for (int64_t i = 0; i < terms; ++i) {
        const bool negative = !all_equal && random_.OneIn(2);
        weights.push_back(binary ? (negative ? -r : r) : static_cast<float>(random_.Int(-2, 2)) / 2);
      }
    }
    return weights;
  }

  std::vector<float> Bias(int64_t out) {
    std::vector<float> bias;
    for (int64_t o = 0; o < out; ++o) bias.push_back(static_cast<float>(Multiple(0.25, 4)));
    return bias;
  }

  Value Conv(const Value& x, bool binary) {
    const int64_t in = Channels(x);
    const int64_t groups = in % 2 == 0 && random_.OneIn(4) ? 2 : random_.OneIn(10) ? in : 1;
    const int64_t out = groups * (groups > 2 ? 1 : random_.Pick({1, 2, 5, 16, 17, 33}));
    const Window w = MakeWindow(DimsOf(x));
    const int64_t terms = in / groups * w.kernel[0] * w.kernel[1];
    const double limit = static_cast<double>(terms) * x.limit * 2 + 4, unit = std::min(x.unit * 0.5, 0.25);
    if (!Fits(limit, unit)) return x;
    std::vector<std::string> inputs = {
        x.name, builder_.Floats({out, in / groups, w.kernel[0], w.kernel[1]}, Weights(out, terms, binary))};
    if (random_.OneIn(3)) inputs.push_back(builder_.Floats({out}, Bias(out)));
    return {Node("Conv", inputs,
                 {{"kernel_shape", w.kernel},
                  {"strides", w.strides},
                  {"dilations", w.dilations},
                  {"pads", w.pads},
                  {"group", groups}}),
            limit, unit};
  }

  Value Dense(const Value& x, bool binary) {
    const int64_t in = DimsOf(x)[1], out = random_.Pick({1, 3, 10, 32, 37});
    const double limit = static_cast<double>(in) * x.limit * 2 + 4, unit = std::min(x.unit * 0.5, 0.25);
    if (!Fits(limit, unit)) return x;
    const std::vector<float> weights = Weights(out, in, binary);
    if (random_.OneIn(2)) {
      std::vector<std::string> inputs = {x.name, builder_.Floats({out, in}, weights)};
      if (random_.OneIn(2)) inputs.push_back(builder_.Floats({out}, Bias(out)));
      return {Node("Gemm", inputs, {{"transB", int64_t{1}}}), limit, unit};
    }
    std::vector<float> transposed(weights.size());
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        transposed[static_cast<size_t>(i * out + o)] = weights[static_cast<size_t>(o * in + i)];
      }
    }
    return {Node("MatMul", {x.name, builder_.Floats({in, out}, transposed)}), limit, unit};
  }

  // ---- Float operators

  Value BatchNorm(const Value& x) {
    const double limit = 4 * (x.limit + 4) + 4, unit = std::min(x.unit, 0.5) * 0.25;
    if (!Fits(limit, unit)) return x;
    std::vector<float> gamma, beta, mean, variance;
    for (int64_t c = 0; c < Channels(x); ++c) {
      gamma.push_back(random_.Pick({1.0f, -1.0f, 0.5f, -0.5f, 2.0f}));
      beta.push_back(static_cast<float>(Multiple(0.5, 4)));
      mean.push_back(static_cast<float>(Multiple(0.5, 4)));
      variance.push_back(random_.Pick({1.0f, 4.0f, 0.25f}));
    }
    const Dims dims = {Channels(x)};
    return {Node("BatchNormalization",
                 {x.name, builder_.Floats(dims, gamma), builder_.Floats(dims, beta), builder_.Floats(dims, mean),
                  builder_.Floats(dims, variance)},
                 {{"epsilon", 0.0f}}),
            limit, unit};
  }

  Value Activation(const Value& x) {
    switch (random_.Int(0, 5)) {
      case 0:
        return {Node("Relu", {x.name}), x.limit, x.unit};
      case 1: {
        if (!Fits(x.limit, x.unit / 4)) return x;
        std::vector<float> slopes;
        for (int64_t c = 0; c < Channels(x); ++c) slopes.push_back(random_.Pick({0.25f, 0.5f, -1.0f}));
        Dims dims(DimsOf(x).size() - 1, 1);
        dims[0] = Channels(x);
        return {Node("PRelu", {x.name, builder_.Floats(dims, slopes)}), x.limit, x.unit / 4};
      }
      case 2:
        return {Node("Clip", {x.name, Scalar(-x.unit * 4), Scalar(x.unit * 6)}), x.unit * 6, x.unit};
      case 3:
        return {Node("Sub", {Scalar(x.unit * 3), x.name}), x.limit + x.unit * 3, x.unit};
      case 4:
        return {Node("Div", {x.name, Scalar(2)}), x.limit / 2, x.unit / 2};
      default:
        return x;
    }
  }

  Value Residual(const Value& x) {
    for (const Value& earlier : earlier_) {
      const double limit = x.limit + earlier.limit, unit = std::min(x.unit, earlier.unit);
      if (DimsOf(earlier) == DimsOf(x) && earlier.name != x.name && Fits(limit, unit)) {
        return {Node("Add", {x.name, earlier.name}), limit, unit};
      }
    }
    return x;
  }

  Value Block(Value x) {
    if (!Fits(x.limit * 64, x.unit / 64)) x = Binarize(x);
    if (random_.OneIn(6)) {
      x = Conv(x, false);
    } else {
      if (random_.OneIn(5)) x = MaxPool(x);
      x = MoveBits(Binarize(x));
      if (random_.OneIn(4)) x = ExplicitPad(x);
      x = Conv(x, !random_.OneIn(8));
    }
    if (random_.OneIn(2)) x = BatchNorm(x);
    if (random_.OneIn(2)) x = Residual(x);
    if (random_.OneIn(2)) x = Activation(x);
    if (random_.OneIn(8)) x = AveragePool(x);
    earlier_.push_back(x);
    return x;
  }

  // Flattened maps and dense layers, thresholds before or behind the flattening.
  Value Head(Value x) {
    const bool first = random_.OneIn(2);
    if (first) x = Binarize(x);
    x.name = random_.OneIn(2) ? Node("Flatten", {x.name}, {{"axis", int64_t{1}}})
                              : Node("Reshape", {x.name, builder_.Ints({1, -1})});
    if (random_.OneIn(4)) x = BatchNorm(x);
    if (random_.OneIn(4)) x = Activation(x);
    if (!first && random_.OneIn(2)) x = Binarize(x);
    x = Dense(x, !random_.OneIn(4));
    if (random_.OneIn(2)) return x;
    return Dense(Binarize(BatchNorm(x)), true);
  }

  RandomSource random_;
  GraphBuilder builder_;
  std::map<std::string, Tensor> inputs_;
  std::vector<Value> earlier_;
  std::string last_binarized_;
};

}  // namespace

RandomGraph MakeRandomGraph(uint64_t seed) { return Generator(seed).Run(); }

}  // namespace bnn::formats
