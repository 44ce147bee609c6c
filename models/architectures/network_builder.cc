#include "models/architectures/network_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bnn::architectures {
namespace {

using formats::Attribute;
using formats::SourceNode;
using formats::Tensor;
using Ints64 = std::vector<int64_t>;

constexpr double kInverseSqrt2Pi = 0.3989422804014327;

// max(0, x) for normally distributed x of mean m and deviation s. Exactly, E = m * Phi(m/s) + s * phi(m/s) and
// E2 = (m^2 + s^2) * Phi(m/s) + m * s * phi(m/s). With Phi(t) = 1/2 + t / sqrt(2 pi) and phi(t) = 1 / sqrt(2 pi), which
// is close for |t| < 1 and where nearly all our values lie, no transcendental function is needed.
Moments ReluMoments(const Moments& x) {
  const double deviation = std::sqrt(x.variance);
  if (deviation == 0) return {std::max(0.0, x.mean), 0};
  const double probability = std::clamp(0.5 + x.mean / deviation * kInverseSqrt2Pi, 0.0, 1.0);
  const double mean = x.mean * probability + deviation * kInverseSqrt2Pi;
  const double second = x.second() * probability + x.mean * deviation * kInverseSqrt2Pi;
  return {mean, std::max(0.0, second - mean * mean)};
}

Ints64 Attribute4(const Pads& pads) { return {pads.top, pads.left, pads.bottom, pads.right}; }

std::map<std::string, Attribute> WindowAttributes(const Window& window) {
  return {{"kernel_shape", Ints64{window.kernel, window.kernel}},
          {"strides", Ints64{window.stride, window.stride}},
          {"pads", Attribute4(window.pads)},
          {"dilations", Ints64{1, 1}}};
}

// {C, 1, 1} beside feature maps, {C} beside vectors: broadcasts along the channels.
Dims ChannelDims(const Value& x) { return x.dims.size() == 4 ? Dims{x.channels(), 1, 1} : Dims{x.channels()}; }

int64_t TermsPerOutput(const Value& x, const ConvOptions& options) {
  return x.channels() / options.groups * options.window.kernel * options.window.kernel;
}

Dims WeightDims(const Value& x, const ConvOptions& options) {
  return {options.out_channels, x.channels() / options.groups, options.window.kernel, options.window.kernel};
}

// Makes each filter of so many terms add up to 0.
void CenterFilters(std::vector<float>* weights, int64_t terms) {
  const auto count = static_cast<size_t>(terms);
  for (size_t begin = 0; begin < weights->size(); begin += count) {
    double sum = 0;
    for (size_t i = begin; i < begin + count; ++i) sum += (*weights)[i];
    for (size_t i = begin; i < begin + count; ++i) {
      (*weights)[i] = static_cast<float>((*weights)[i] - sum / static_cast<double>(terms));
    }
  }
}

// Mean |w| of WeightGenerator's Normal().
constexpr double kMeanMagnitude = 0.807;

}  // namespace

Pads Symmetric(int64_t p) { return {p, p, p, p}; }

Pads Same(const Value& x, int64_t kernel, int64_t stride) {
  const auto total = [&](int64_t size) {
    const int64_t outputs = (size + stride - 1) / stride;
    return std::max<int64_t>(0, (outputs - 1) * stride + kernel - size);
  };
  const int64_t rows = total(x.height()), columns = total(x.width());
  return {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
}

NetworkBuilder::NetworkBuilder(const std::string& name, uint64_t seed) : seed_(seed), shapes_(&graph_.constants) {
  graph_.file = name;
  graph_.batch_is_symbolic = true;
}

// ---- Graph

Value NetworkBuilder::Input(const std::string& name, const Dims& dims) {
  graph_.inputs.push_back(name);
  graph_.values[name] = {formats::DType::kFloat32, dims};
  shapes_.AddInput(name, graph_.values[name]);
  return {name, dims, {}};
}

Value NetworkBuilder::Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
                           const std::map<std::string, Attribute>& attributes, const Moments& moments) {
  if (!status_.ok()) return {};
  SourceNode node{name, op, inputs, {name}, attributes};
  status_ = shapes_.AddNode(node);
  if (!status_.ok()) return {};
  formats::ValueInfo info;
  shapes_.FindValue(name, &info);
  graph_.values[name] = info;
  graph_.nodes.push_back(std::move(node));
  return {name, std::move(info.dims), moments};
}

Result<formats::SourceGraph> NetworkBuilder::Finish(const Value& output) {
  if (!status_.ok()) return Status(status_.code(), graph_.file + ": " + status_.message());
  graph_.outputs.push_back(output.name);
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(graph_));
  return std::move(graph_);
}

// ---- Constants

std::string NetworkBuilder::Floats(const std::string& name, const Dims& dims, std::vector<float> values) {
  graph_.values[name] = {formats::DType::kFloat32, dims};
  graph_.constants[name] = formats::FloatTensor(dims, std::move(values));
  return name;
}

std::string NetworkBuilder::Ints(const std::string& name, std::vector<int64_t> values) {
  const Dims dims = {static_cast<int64_t>(values.size())};
  graph_.values[name] = {formats::DType::kInt64, dims};
  graph_.constants[name] = formats::IntTensor(dims, std::move(values));
  return name;
}

std::string NetworkBuilder::NormalWeights(const std::string& name, const Dims& dims, double deviation) {
  if (!status_.ok()) return name;
  WeightGenerator random = Generator(name);
  std::vector<float> values(static_cast<size_t>(formats::CountElements(dims)));
  for (float& v : values) v = static_cast<float>(deviation * random.Normal());
  return Floats(name, dims, std::move(values));
}

// -r and +r with one r for each output channel (the first axis), between 0.75 and 1.25 times `magnitude`; exactly 1
// where that is 0.
std::string NetworkBuilder::SignWeights(const std::string& name, const Dims& dims, double magnitude) {
  if (!status_.ok()) return name;
  WeightGenerator signs = Generator(name), scales = Generator(name + ".scale");
  std::vector<float> values(static_cast<size_t>(formats::CountElements(dims)));
  const size_t terms = values.size() / static_cast<size_t>(dims[0]);
  float r = 1;
  for (size_t i = 0; i < values.size(); ++i) {
    if (magnitude != 0 && i % terms == 0) r = static_cast<float>(magnitude * scales.Uniform(0.75, 1.25));
    values[i] = r * signs.Sign();
  }
  return Floats(name, dims, std::move(values));
}

// FakeQuantize(W, 0, 0, -mean|W|, +mean|W|), the mean per output channel computed in the graph.
std::string NetworkBuilder::QuantizedWeights(const std::string& name, const Dims& dims) {
  const std::string weights =
      NormalWeights(name + ".weight", dims, 1 / std::sqrt(formats::CountElements(dims) / dims[0]));
  const std::string zero = Floats(name + ".zero", {1}, {0});  // OpenVINO crashes on limits of rank 0
  const Value magnitude = Node(name + "/Abs", "Abs", {weights}, {}, {});
  const Value scale = Node(name + "/ReduceMean", "ReduceMean", {magnitude.name, Ints(name + ".axes", {1, 2, 3})},
                           {{"keepdims", int64_t{1}}}, {});
  const Value minus = Node(name + "/Neg", "Neg", {scale.name}, {}, {});
  return Node(name + "/FakeQuantize", "FakeQuantize", {weights, zero, zero, minus.name, scale.name},
              {{"levels", int64_t{2}}}, {})
      .name;
}

std::string NetworkBuilder::PerChannel(const std::string& name, const Dims& dims, double middle, double deviation) {
  WeightGenerator random = Generator(name);
  std::vector<float> values(static_cast<size_t>(formats::CountElements(dims)));
  for (float& v : values) v = static_cast<float>(middle + deviation * random.Normal());
  return Floats(name, dims, std::move(values));
}

// ---- Layers

Value NetworkBuilder::ConvNode(const std::string& name, const Value& x, const std::string& weights,
                               const ConvOptions& options, const Moments& moments) {
  std::map<std::string, Attribute> attributes = WindowAttributes(options.window);
  attributes["group"] = options.groups;
  std::vector<std::string> inputs = {x.name, weights};
  if (options.bias) inputs.push_back(PerChannel(name + ".bias", {options.out_channels}, 0, 0.1));
  return Node(name, "Conv", inputs, attributes, moments);
}

// Behind a ReLU the mean of each channel is above 0. A filter that adds up to 0 ignores it; any other would add an
// offset that no input changes, as large as what the input does change, where a trained batch-norm would remove it.
Value NetworkBuilder::Conv(const std::string& name, const Value& x, const ConvOptions& options) {
  const int64_t terms = TermsPerOutput(x, options);
  const double moment = terms > 1 ? x.moments.variance : x.moments.second();
  const std::string weights =
      NormalWeights(name + ".weight", WeightDims(x, options), 1 / std::sqrt(static_cast<double>(terms) * moment));
  if (status_.ok() && terms > 1) CenterFilters(&graph_.constants[weights].floats, terms);
  return ConvNode(name, x, weights, options, {0, 1});
}

Value NetworkBuilder::BlurConv(const std::string& name, const Value& x, int64_t stride, const Pads& pads) {
  constexpr float kBlur[] = {1, 2, 1};
  std::vector<float> values;
  for (int64_t c = 0; c < x.channels(); ++c) {
    for (int i = 0; i < 9; ++i) values.push_back(kBlur[i / 3] * kBlur[i % 3] / 16);
  }
  const ConvOptions options{x.channels(), {3, stride, pads}, x.channels(), false};
  const std::string weights = Floats(name + ".weight", {x.channels(), 1, 3, 3}, std::move(values));
  return ConvNode(name, x, weights, options, {x.moments.mean, x.moments.variance / 2});
}

Value NetworkBuilder::BinaryConv(const std::string& name, const Value& bits, const ConvOptions& options,
                                 BinaryWeights weights) {
  const Dims dims = WeightDims(bits, options);
  const auto terms = static_cast<double>(TermsPerOutput(bits, options));
  const double second = terms * bits.moments.second();
  switch (weights) {
    case BinaryWeights::kSigns:
      return ConvNode(name, bits, SignWeights(name + ".weight", dims, 0), options, {0, second});
    case BinaryWeights::kScaledSigns:
      return ConvNode(name, bits, SignWeights(name + ".weight", dims, 1 / std::sqrt(second)), options, {0, 1});
    case BinaryWeights::kFakeQuantize:
      return ConvNode(name, bits, QuantizedWeights(name, dims), options,
                      {0, second / terms * kMeanMagnitude * kMeanMagnitude});
    case BinaryWeights::kBipolarQuant: {
      const std::string latent = NormalWeights(name + ".weight", dims, 0.5);
      const std::string scale = Floats(name + ".weight_scale", {}, {1});
      const Value quantized = Node(name + "/weight_quant", "BipolarQuant", {latent, scale}, {}, {});
      return ConvNode(name, bits, quantized.name, options, {0, second});
    }
  }
  return {};
}

Value NetworkBuilder::Gemm(const std::string& name, const Value& x, int64_t features) {
  const double deviation = 1 / std::sqrt(static_cast<double>(x.channels()) * x.moments.second());
  const std::string weights = NormalWeights(name + ".weight", {features, x.channels()}, deviation);
  const std::string bias = PerChannel(name + ".bias", {features}, 0, 0.1);
  return Node(name, "Gemm", {x.name, weights, bias}, {{"alpha", 1.0f}, {"beta", 1.0f}, {"transB", int64_t{1}}}, {0, 1});
}

Value NetworkBuilder::MatMul(const std::string& name, const Value& x, int64_t features) {
  const double deviation = 1 / std::sqrt(static_cast<double>(x.channels()) * x.moments.second());
  return Node(name, "MatMul", {x.name, NormalWeights(name + ".weight", {x.channels(), features}, deviation)}, {},
              {0, 1});
}

Value NetworkBuilder::BinaryMatMul(const std::string& name, const Value& bits, int64_t features) {
  const std::string latent = NormalWeights(name + ".weight", {features, bits.channels()}, 0.5);
  const std::string scale = Floats(name + ".weight_scale", {}, {1});
  const Value quantized = Node(name + "/weight_quant", "BipolarQuant", {latent, scale}, {}, {});
  const Value transposed = Node(name + "/Transpose", "Transpose", {quantized.name}, {{"perm", Ints64{1, 0}}}, {});
  return Node(name, "MatMul", {bits.name, transposed.name}, {},
              {0, static_cast<double>(bits.channels()) * bits.moments.second()});
}

Value NetworkBuilder::Bias(const std::string& name, const Value& x) {
  return Node(name, "Add", {x.name, PerChannel(name + ".bias", {x.channels()}, 0, 0.1)}, {}, x.moments);
}

// ---- Elementwise

// Statistics as a training would have found them, give or take 10 %; gamma around 1, negative in one channel of eight.
Value NetworkBuilder::BatchNorm(const std::string& name, const Value& x, const BatchNormOptions& options) {
  const auto channels = static_cast<size_t>(x.channels());
  const double deviation = std::sqrt(x.moments.variance);
  std::vector<float> gamma(channels, 1.0f), variance(channels);
  WeightGenerator gammas = Generator(name + ".weight"), variances = Generator(name + ".running_var");
  for (size_t c = 0; c < channels; ++c) {
    const bool is_negative = gammas.Uniform(0, 1) < 0.125;
    const double magnitude = gammas.Uniform(0.75, 1.25);
    if (options.scale) gamma[c] = static_cast<float>(is_negative ? -magnitude : magnitude);
    variance[c] = static_cast<float>(x.moments.variance * variances.Uniform(0.8, 1.2));
  }
  const Dims dims = {x.channels()};
  const double beta = options.offset ? options.center : 0;
  return Node(name, "BatchNormalization",
              {x.name, Floats(name + ".weight", dims, std::move(gamma)),
               PerChannel(name + ".bias", dims, beta, options.offset ? 0.2 : 0),
               PerChannel(name + ".running_mean", dims, x.moments.mean, 0.1 * deviation),
               Floats(name + ".running_var", dims, std::move(variance))},
              {{"epsilon", options.epsilon}}, {beta, 1.08});
}

Value NetworkBuilder::Relu(const std::string& name, const Value& x) {
  return Node(name, "Relu", {x.name}, {}, ReluMoments(x.moments));
}

// y = max(0, x) - slope * max(0, -x), and of the two terms one is always 0.
Value NetworkBuilder::PRelu(const std::string& name, const Value& x) {
  constexpr double kSlope = 0.25;
  const std::string slope = PerChannel(name + ".weight", ChannelDims(x), kSlope, 0.1);
  const Moments positive = ReluMoments(x.moments);
  const double negative_mean = positive.mean - x.moments.mean;
  const double mean = positive.mean - kSlope * negative_mean;
  const double second = positive.second() + kSlope * kSlope * (x.moments.second() - positive.second());
  return Node(name, "PRelu", {x.name, slope}, {}, {mean, second - mean * mean});
}

Value NetworkBuilder::Shift(const std::string& name, const Value& x, double center) {
  const std::string bias = PerChannel(name + ".bias", ChannelDims(x), center - x.moments.mean, 0.1);
  return Node(name, "Add", {x.name, bias}, {}, {center, x.moments.variance});
}

Value NetworkBuilder::ScaleChannels(const std::string& name, const Value& x, double scale) {
  const std::string factors = PerChannel(name + ".scale", ChannelDims(x), scale, 0.1 * scale);
  return Node(name, "Mul", {x.name, factors}, {}, {x.moments.mean * scale, x.moments.variance * scale * scale});
}

Value NetworkBuilder::MulConstant(const std::string& name, const Value& x, float factor) {
  const double f = factor;
  return Node(name, "Mul", {x.name, Floats(name + ".factor", {}, {factor})}, {},
              {x.moments.mean * f, x.moments.variance * f * f});
}

Value NetworkBuilder::AddConstant(const std::string& name, const Value& x, float term) {
  return Node(name, "Add", {x.name, Floats(name + ".term", {}, {term})}, {},
              {x.moments.mean + term, x.moments.variance});
}

Value NetworkBuilder::Add(const std::string& name, const Value& a, const Value& b) {
  return Node(name, "Add", {a.name, b.name}, {},
              {a.moments.mean + b.moments.mean, a.moments.variance + b.moments.variance});
}

Value NetworkBuilder::DivConstant(const std::string& name, const Value& x, float divisor) {
  const double d = divisor;
  return Node(name, "Div", {x.name, Floats(name + ".divisor", {}, {divisor})}, {},
              {x.moments.mean / d, x.moments.variance / (d * d)});
}

Value NetworkBuilder::Floor(const std::string& name, const Value& x) {
  return Node(name, "Floor", {x.name}, {}, {x.moments.mean - 0.5, x.moments.variance});
}

Value NetworkBuilder::Clip(const std::string& name, const Value& x, float low, float high) {
  return Node(name, "Clip", {x.name, Floats(name + ".low", {}, {low}), Floats(name + ".high", {}, {high})}, {},
              x.moments);
}

Value NetworkBuilder::Softmax(const std::string& name, const Value& x) {
  return Node(name, "Softmax", {x.name}, {{"axis", static_cast<int64_t>(x.dims.size()) - 1}}, x.moments);
}

// ---- Binarization

Value NetworkBuilder::Sign(const std::string& name, const Value& x) { return Node(name, "Sign", {x.name}, {}, {0, 1}); }

Value NetworkBuilder::LarqSign(const std::string& name, const Value& x) {
  return Sign(name + "/Sign_1", AddConstant(name + "/add", Sign(name + "/Sign", x), 0.1f));
}

Value NetworkBuilder::BipolarQuant(const std::string& name, const Value& x) {
  return Node(name, "BipolarQuant", {x.name, Floats(name + ".scale", {}, {1})}, {}, {0, 1});
}

Value NetworkBuilder::ThresholdQuantize(const std::string& name, const Value& x, double threshold, double scale) {
  const Dims dims = {1, x.channels(), 1, 1};
  const std::string limits = PerChannel(name + ".threshold", dims, threshold, 0.1 * threshold);
  const std::string low = Floats(name + ".low", {}, {0});
  const std::string high = Floats(name + ".high", {}, {static_cast<float>(scale)});
  return Node(name, "FakeQuantize", {x.name, limits, limits, low, high}, {{"levels", int64_t{2}}},
              {scale / 2, scale * scale / 4});
}

// ---- Moving and pooling

// The largest of some neighbours that resemble each other lies about one deviation above the mean.
Value NetworkBuilder::MaxPool(const std::string& name, const Value& x, const Window& window) {
  std::map<std::string, Attribute> attributes = WindowAttributes(window);
  attributes["ceil_mode"] = int64_t{0};
  const double deviation = std::sqrt(x.moments.variance);
  return Node(name, "MaxPool", {x.name}, attributes, {x.moments.mean + 0.9 * deviation, x.moments.variance * 0.6});
}

Value NetworkBuilder::AveragePool(const std::string& name, const Value& x, const Window& window) {
  std::map<std::string, Attribute> attributes = WindowAttributes(window);
  attributes["ceil_mode"] = int64_t{0};
  attributes["count_include_pad"] = int64_t{0};
  return Node(name, "AveragePool", {x.name}, attributes,
              {x.moments.mean, x.moments.variance / static_cast<double>(window.kernel)});
}

// The same for every size of the map, so that a network has the same weights at every resolution.
Value NetworkBuilder::GlobalAveragePool(const std::string& name, const Value& x) {
  return Node(name, "GlobalAveragePool", {x.name}, {}, {x.moments.mean, x.moments.variance / 8});
}

Value NetworkBuilder::Flatten(const std::string& name, const Value& x) {
  return Node(name, "Flatten", {x.name}, {{"axis", int64_t{1}}}, x.moments);
}

Value NetworkBuilder::Concat(const std::string& name, const std::vector<Value>& values) {
  std::vector<std::string> inputs;
  double channels = 0, mean = 0, second = 0;
  for (const Value& value : values) {
    const auto share = static_cast<double>(value.channels());
    inputs.push_back(value.name);
    channels += share;
    mean += share * value.moments.mean;
    second += share * value.moments.second();
  }
  mean /= channels;
  return Node(name, "Concat", inputs, {{"axis", int64_t{1}}}, {mean, second / channels - mean * mean});
}

Value NetworkBuilder::Pad(const std::string& name, const Value& x, const Pads& pads, int64_t channels_before,
                          float value) {
  return Node(name, "Pad",
              {x.name, Ints(name + ".pads", {0, channels_before, pads.top, pads.left, 0, 0, pads.bottom, pads.right}),
               Floats(name + ".value", {}, {value})},
              {{"mode", std::string("constant")}}, x.moments);
}

}  // namespace bnn::architectures
