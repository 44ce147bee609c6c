// Networks without shortcuts: only bits pass between their binary layers.
#include "models/architectures/architectures.h"
#include "models/architectures/network_builder.h"

namespace bnn::architectures {
namespace {

// Pixels in [0, 1] as Brevitas exports an 8-bit input quantizer of range [-1, 1): x = 2 p - 1, then
// clip(floor(128 x + 1/2), -128, 127) / 128.
Value QuantizePixels(NetworkBuilder& b, Value x) {
  x = b.AddConstant("input_quant/offset", b.MulConstant("input_quant/range", x, 2.0f), -1.0f);
  x = b.AddConstant("input_quant/half", b.MulConstant("input_quant/levels", x, 128.0f), 0.5f);
  x = b.Clip("input_quant/clip", b.Floor("input_quant/floor", x), -128.0f, 127.0f);
  return b.MulConstant("input_quant/scale", x, 1.0f / 128);
}

}  // namespace

// Rastegari, Ordonez, Redmon, Farhadi, "XNOR-Net", arXiv:1603.05279, section 4.2; larq/zoo,
// larq_zoo/literature/xnornet.py, which writes the two binary dense layers as convolutions without padding. Weights are
// signs times one factor a filter; batch-norms have no gamma. The first dense layer reads the whole map, 6x6 at
// 224x224.
Result<formats::SourceGraph> BuildXnorAlexNet(const NetworkOptions& options) {
  struct Layer {
    int64_t out_channels, kernel;
    bool pooled;
  };
  constexpr Layer kLayers[] = {{256, 5, true}, {384, 3, false}, {384, 3, false}, {256, 3, true}};
  const Window pool{3, 2, {}};
  NetworkBuilder b("xnor-alexnet", options.seed);
  const auto norm = [&](const std::string& name, const Value& x, float epsilon) {
    return b.BatchNorm(name, x, {.epsilon = epsilon, .scale = false});
  };
  const auto binary_conv = [&](const std::string& name, const Value& x, const ConvOptions& conv) {
    return b.BinaryConv(name, b.LarqSign(name + "/ste_sign", x), conv, BinaryWeights::kScaledSigns);
  };
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = b.Conv("conv2d", x, {96, {11, 4, Same(x, 11, 4)}, 1, false});
  x = b.MaxPool("max_pool", b.Relu("relu", norm("batch_norm", x, 1e-5f)), pool);
  x = norm("batch_norm_1", x, 1e-4f);
  int index = 1;
  for (const Layer& layer : kLayers) {
    const std::string suffix = "_" + std::to_string(index++);
    x = binary_conv("quant_conv2d" + suffix, x,
                    {layer.out_channels, {layer.kernel, 1, Same(x, layer.kernel, 1)}, 1, false});
    if (layer.pooled) x = b.MaxPool("max_pool" + suffix, x, pool);
    x = norm("batch_norm_" + std::to_string(index), x, 1e-4f);
  }
  x = norm("batch_norm_6", binary_conv("quant_conv2d_5", x, {4096, {x.height(), 1, {}}, 1, false}), 1e-4f);
  x = norm("batch_norm_7", binary_conv("quant_conv2d_6", x, {4096, {1, 1, {}}, 1, false}), 1e-3f);
  x = b.Flatten("flatten", b.Relu("relu_1", x));
  return b.Finish(b.Softmax("softmax", b.MatMul("dense", x, options.classes)));
}

// Umuroglu et al., "FINN", arXiv:1612.07119, section 5.1; Xilinx/brevitas, brevitas_examples/bnn_pynq/models/CNV.py
// with 1-bit weights and activations, exported as QONNX. VGG-like for CIFAR-10: 3x3 convolutions without padding, 2x2
// pools after the second and the fourth. All weights are bits; the first layer reads 8-bit pixels. The last
// normalization (TensorNorm) has one mean, deviation, factor and offset for all classes.
Result<formats::SourceGraph> BuildCnv(const NetworkOptions& options) {
  struct Layer {
    int64_t out_channels;
    bool pooled;
  };
  constexpr Layer kLayers[] = {{64, false}, {64, true}, {128, false}, {128, true}, {256, false}, {256, false}};
  constexpr float kEpsilon = 1e-4f;
  NetworkBuilder b("cnv", options.seed);
  Value x = QuantizePixels(b, b.Input("input", {1, 3, options.resolution, options.resolution}));
  int index = 0;
  for (const Layer& layer : kLayers) {
    const std::string name = "conv_features." + std::to_string(index++);
    x = b.BinaryConv(name + ".conv", x, {layer.out_channels, {3, 1, {}}, 1, false}, BinaryWeights::kBipolarQuant);
    // Of four pixels the pool takes the highest, which moves the mean up.
    x = b.BatchNorm(name + ".bn", x, {.epsilon = kEpsilon, .center = layer.pooled ? -0.9 : 0.0});
    x = b.BipolarQuant(name + ".act", x);
    if (layer.pooled) x = b.MaxPool(name + ".pool", x, {2, 2, {}});
  }
  x = b.Flatten("flatten", x);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string name = "linear_features." + std::to_string(layer);
    x = b.BatchNorm(name + ".bn", b.BinaryMatMul(name + ".linear", x, 512), {.epsilon = kEpsilon});
    x = b.BipolarQuant(name + ".act", x);
  }
  x = b.BinaryMatMul("linear_features.2.linear", x, options.classes);
  x = b.AddConstant("norm.sub_mean", x, -3.0f);
  x = b.MulConstant("norm.weight", b.DivConstant("norm.div_std", x, 24.0f), 1.1f);
  return b.Finish(b.AddConstant("norm.bias", x, 0.2f));
}

}  // namespace bnn::architectures
