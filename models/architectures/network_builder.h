// Builds the source graph of a published architecture, layer by layer, with generated weights.
//
// A network of random weights is useful only if its activations stay in range and its bits stay balanced, as in a
// trained one: otherwise whole layers would be constant, and a wrong kernel could not be told from a right one. So each
// value carries what its elements are expected to be (mean and variance, taken as normally distributed), weights are
// scaled by it, and batch-norms and shifts get the statistics that a training would have measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/shape_inference.h"
#include "formats/source_graph.h"
#include "models/architectures/weight_generator.h"

namespace bnn::architectures {

using formats::Dims;

// Of the elements of a value.
struct Moments {
  double mean = 0;
  double variance = 1;

  double second() const { return variance + mean * mean; }
};

// A value of the graph under construction: float32, {1, channels, height, width} or {1, features}.
struct Value {
  std::string name;
  Dims dims;
  Moments moments;

  int64_t channels() const { return dims.size() < 2 ? 1 : dims[1]; }
  int64_t height() const { return dims.size() < 4 ? 1 : dims[2]; }
  int64_t width() const { return dims.size() < 4 ? 1 : dims[3]; }
};

struct Pads {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
};
// PyTorch's padding=p.
Pads Symmetric(int64_t p);
// TensorFlow's padding="same": the output has ceil(size / stride) pixels, and an odd pad lies at the bottom and right.
Pads Same(const Value& x, int64_t kernel, int64_t stride);

struct Window {
  int64_t kernel = 1;
  int64_t stride = 1;
  Pads pads;
};

struct ConvOptions {
  int64_t out_channels = 0;
  Window window;
  int64_t groups = 1;
  bool bias = false;
};

// How the sources write weights of two values.
enum class BinaryWeights {
  kSigns,         // -1 and +1
  kScaledSigns,   // -r[c] and +r[c]: what sign(W) * mean|W| folds to
  kFakeQuantize,  // float W behind FakeQuantize(W, 0, 0, -mean|W|, +mean|W|), levels 2 (NNCF, mode xnor)
  kBipolarQuant,  // float W behind BipolarQuant(W, 1) (Brevitas)
};

struct BatchNormOptions {
  float epsilon = 1e-5f;
  double center = 0;   // the mean that its output shall have
  bool scale = true;   // false: gamma is 1
  bool offset = true;  // false: beta is 0
};

class NetworkBuilder {
 public:
  // `name` is that of the network: it stands where the file name of an imported graph does.
  NetworkBuilder(const std::string& name, uint64_t seed);
  NetworkBuilder(const NetworkBuilder&) = delete;
  NetworkBuilder& operator=(const NetworkBuilder&) = delete;

  // Nodes are named as given, and so are their outputs. The first failure sticks and is returned by Finish().
  Value Input(const std::string& name, const Dims& dims);

  // ---- Layers
  Value Conv(const std::string& name, const Value& x, const ConvOptions& options);
  // A convolution whose (fixed) weights blur: the outer product of (1 2 1) with itself over 16, for each channel.
  Value BlurConv(const std::string& name, const Value& x, int64_t stride, const Pads& pads);
  Value BinaryConv(const std::string& name, const Value& bits, const ConvOptions& options, BinaryWeights weights);
  Value Gemm(const std::string& name, const Value& x, int64_t features);             // PyTorch's Linear, with bias
  Value MatMul(const std::string& name, const Value& x, int64_t features);           // float, without bias
  Value BinaryMatMul(const std::string& name, const Value& bits, int64_t features);  // behind BipolarQuant
  Value Bias(const std::string& name, const Value& x);                               // adds a constant per feature

  // ---- Elementwise
  Value BatchNorm(const std::string& name, const Value& x, const BatchNormOptions& options = {});
  Value Relu(const std::string& name, const Value& x);
  Value PRelu(const std::string& name, const Value& x);  // one slope a channel
  // Adds a learned bias per channel after which the mean is `center` (ReActNet's LearnableBias).
  Value Shift(const std::string& name, const Value& x, double center);
  Value ScaleChannels(const std::string& name, const Value& x, double scale);  // about `scale`, one factor a channel
  Value MulConstant(const std::string& name, const Value& x, float factor);
  Value AddConstant(const std::string& name, const Value& x, float term);
  Value DivConstant(const std::string& name, const Value& x, float divisor);
  Value Add(const std::string& name, const Value& a, const Value& b);
  Value Floor(const std::string& name, const Value& x);
  Value Clip(const std::string& name, const Value& x, float low, float high);
  Value Softmax(const std::string& name, const Value& x);

  // ---- Binarization: the result has the bits of `x` as two values
  Value Sign(const std::string& name, const Value& x);          // torch.sign
  Value LarqSign(const std::string& name, const Value& x);      // Larq: sign(sign(x) + 0.1), so 0 becomes +1
  Value BipolarQuant(const std::string& name, const Value& x);  // Brevitas: x >= 0 ? +1 : -1
  // NNCF: x > threshold[c] ? scale : 0, as FakeQuantize of two levels; thresholds lie around `threshold`.
  Value ThresholdQuantize(const std::string& name, const Value& x, double threshold, double scale);

  // ---- Moving and pooling
  Value MaxPool(const std::string& name, const Value& x, const Window& window);
  Value AveragePool(const std::string& name, const Value& x, const Window& window);
  Value GlobalAveragePool(const std::string& name, const Value& x);
  Value Flatten(const std::string& name, const Value& x);
  Value Concat(const std::string& name, const std::vector<Value>& values);
  // `channels_before` channels of zeros in front (MeliusNet), and rows and columns of `value` around.
  Value Pad(const std::string& name, const Value& x, const Pads& pads, int64_t channels_before, float value);

  // Any operator of one output; for what the functions above do not cover.
  Value Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
             const std::map<std::string, formats::Attribute>& attributes, const Moments& moments);

  Result<formats::SourceGraph> Finish(const Value& output);

 private:
  WeightGenerator Generator(const std::string& parameter) const { return {seed_, parameter}; }
  std::string Floats(const std::string& name, const Dims& dims, std::vector<float> values);
  std::string Ints(const std::string& name, std::vector<int64_t> values);
  // Of the given dims, with elements of that standard deviation.
  std::string NormalWeights(const std::string& name, const Dims& dims, double deviation);
  std::string SignWeights(const std::string& name, const Dims& dims, double magnitude);
  std::string QuantizedWeights(const std::string& name, const Dims& dims);
  std::string PerChannel(const std::string& name, const Dims& dims, double middle, double deviation);
  Value ConvNode(const std::string& name, const Value& x, const std::string& weights, const ConvOptions& options,
                 const Moments& moments);

  uint64_t seed_;
  formats::SourceGraph graph_;
  formats::ShapeInference shapes_;
  Status status_;
};

}  // namespace bnn::architectures
