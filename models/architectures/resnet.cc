// Two binary forms of ResNet-18: four stages of four 3x3 convolutions; the first convolution of stages 2 to 4 halves
// the map and doubles the channels. Stem, shortcuts and classifier stay float in both.
#include "models/architectures/architectures.h"
#include "models/architectures/network_builder.h"

namespace bnn::architectures {
namespace {

constexpr int64_t kStageChannels[] = {64, 128, 256, 512};

std::string LayerName(int stage, int block) {
  return "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
}

}  // namespace

// Liu, Wu, Luo, Yang, Liu, Cheng, "Bi-Real Net", arXiv:1808.00278, section 3.2 and figure 3;
// liuzechun/Bi-Real-net, pytorch_implementation/BiReal18_34/birealnet.py.
//
// A shortcut around every convolution: y = BN(conv(Sign(x))) + x, where x is average-pooled, 1x1-convolved and
// normalized first if the shape changes. No ReLU anywhere, not even in the stem.
Result<formats::SourceGraph> BuildBiRealNet18(const NetworkOptions& options) {
  NetworkBuilder b("bi-real-net-18", options.seed);
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = b.Conv("conv1", x, {64, {7, 2, Symmetric(3)}, 1, false});
  // The sign of stage 1 follows the max-pool directly, which moves the mean up.
  x = b.BatchNorm("bn1", x, {.center = -0.9});
  x = b.MaxPool("maxpool", x, {3, 2, Symmetric(1)});
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < 4; ++block) {
      const std::string name = LayerName(stage, block);
      const int64_t channels = kStageChannels[stage];
      const int64_t stride = channels != x.channels() ? 2 : 1;
      Value shortcut = x;
      if (stride == 2) {
        shortcut = b.AveragePool(name + ".downsample.0", x, {2, 2, {}});
        shortcut = b.Conv(name + ".downsample.1", shortcut, {channels, {1, 1, {}}, 1, false});
        shortcut = b.BatchNorm(name + ".downsample.2", shortcut);
      }
      const Value bits = b.Sign(name + ".binary_activation", x);
      const Value sums = b.BinaryConv(name + ".binary_conv", bits, {channels, {3, stride, Symmetric(1)}, 1, false},
                                      BinaryWeights::kScaledSigns);
      x = b.Add(name + ".add", b.BatchNorm(name + ".bn1", sums, {.center = -shortcut.moments.mean}), shortcut);
    }
  }
  x = b.Flatten("flatten", b.GlobalAveragePool("avgpool", x));
  return b.Finish(b.Gemm("fc", x, options.classes));
}

// The layout of OpenVINO's resnet18-xnor-binary-onnx-0001 (Open Model Zoo: input, shortcuts and classifier in float,
// all other convolutions binary): torchvision's ResNet-18, whose 3x3 convolutions NNCF binarized in mode xnor
// (openvinotoolkit/nncf, documentation of binarization). One shortcut around each two convolutions, ReLU after the
// first and after the sum; activations are {0, scale} by a threshold per channel, weights +-mean|W| per filter, both
// written as FakeQuantize of two levels.
Result<formats::SourceGraph> BuildXnorResNet18(const NetworkOptions& options) {
  constexpr double kThreshold = 0.4, kScale = 0.9;
  NetworkBuilder b("xnor-resnet-18", options.seed);
  const auto binary_conv = [&](const std::string& name, const Value& x, int64_t channels, int64_t stride) {
    const Value bits = b.ThresholdQuantize(name + ".activations", x, kThreshold, kScale);
    return b.BinaryConv(name, bits, {channels, {3, stride, Symmetric(1)}, 1, false}, BinaryWeights::kFakeQuantize);
  };
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = b.Conv("conv1", x, {64, {7, 2, Symmetric(3)}, 1, false});
  x = b.Relu("relu", b.BatchNorm("bn1", x, {.center = kThreshold - 0.9}));
  x = b.MaxPool("maxpool", x, {3, 2, Symmetric(1)});
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < 2; ++block) {
      const std::string name = LayerName(stage, block);
      const int64_t channels = kStageChannels[stage];
      const int64_t stride = channels != x.channels() ? 2 : 1;
      Value shortcut = x;
      if (stride == 2) {
        shortcut = b.Conv(name + ".downsample.0", x, {channels, {1, 2, {}}, 1, false});
        shortcut = b.BatchNorm(name + ".downsample.1", shortcut);
      }
      Value y = binary_conv(name + ".conv1", x, channels, stride);
      y = b.Relu(name + ".relu", b.BatchNorm(name + ".bn1", y, {.center = kThreshold}));
      y = binary_conv(name + ".conv2", y, channels, 1);
      y = b.BatchNorm(name + ".bn2", y, {.center = kThreshold - shortcut.moments.mean});
      x = b.Relu(name + ".relu_1", b.Add(name + ".add", y, shortcut));
    }
  }
  x = b.Flatten("flatten", b.GlobalAveragePool("avgpool", x));
  return b.Finish(b.Gemm("fc", x, options.classes));
}

}  // namespace bnn::architectures
