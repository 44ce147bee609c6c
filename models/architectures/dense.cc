// Networks whose binary convolutions add channels to what they read.

#include "models/architectures/architectures.h"
#include "models/architectures/network_builder.h"

namespace bnn::architectures {
namespace {

constexpr int64_t kGrowth = 64;
constexpr float kKerasEpsilon = 1e-3f;  // of Keras's BatchNormalization, where the source gives none

// Batch-norm, signs, a binary 3x3 convolution to 64 channels.
Value BinaryBranch(NetworkBuilder& b, const std::string& name, const Value& x, float epsilon) {
  const Value normed = b.BatchNorm(name + "/batch_norm", x, {.epsilon = epsilon});
  const Value bits = b.LarqSign(name + "/ste_sign", normed);
  return b.BinaryConv(name + "/quant_conv2d", bits, {kGrowth, {3, 1, Same(x, 3, 1)}, 1, false}, BinaryWeights::kSigns);
}

Value Head(NetworkBuilder& b, Value x, int64_t classes, float epsilon) {
  x = b.Relu("head/relu", b.BatchNorm("head/batch_norm", x, {.epsilon = epsilon}));
  x = b.GlobalAveragePool("head/average_pool", x);
  x = b.MatMul("head/dense", b.Flatten("head/flatten", x), classes);
  return b.Softmax("head/softmax", b.Bias("head/dense/bias", x));
}

// MeliusNet's stem: three convolutions, the second and third in groups, each followed by batch-norm and ReLU. The
// source writes a grouped convolution as a split, one convolution a group, and a join; exported as one Conv with
// groups.
Value GroupedStem(NetworkBuilder& b, Value x) {
  struct Layer {
    int64_t out_channels, stride, groups;
  };
  int index = 0;
  for (const Layer& layer : {Layer{32, 2, 1}, Layer{32, 1, 4}, Layer{64, 1, 8}}) {
    const std::string name = "stem/" + std::to_string(++index);
    x = b.Conv(name + "/conv2d", x,
               {layer.out_channels, {3, layer.stride, Same(x, 3, layer.stride)}, layer.groups, false});
    x = b.Relu(name + "/relu", b.BatchNorm(name + "/batch_norm", x, {.epsilon = kKerasEpsilon}));
  }
  return b.MaxPool("stem/max_pool", x, {2, 2, Same(x, 2, 2)});
}

}  // namespace

// Bethge, Yang, Bornstein, Meinel, "Back to Simplicity: How to Train Accurate BNNs from Scratch?", arXiv:1906.08637,
// section 4 and table 4; larq/zoo, larq_zoo/literature/densenet.py. Layers join 64 new channels to those that they
// read; a transition is batch-norm, max-pool, ReLU and a float 1x1 convolution that leaves about 1/2.7 (1/2.7, 1/2.2)
// of the channels, rounded to multiples of 32.
Result<formats::SourceGraph> BuildBinaryDenseNet28(const NetworkOptions& options) {
  constexpr int64_t kLayers[] = {6, 6, 6, 5};
  constexpr int64_t kLeft[] = {160, 192, 256};  // of 448, 544 and 576
  constexpr float kEpsilon = 1e-5f;
  NetworkBuilder b("binary-densenet-28", options.seed);
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = b.Conv("stem/conv2d", x, {64, {7, 2, Same(x, 7, 2)}, 1, false});
  x = b.Relu("stem/relu", b.BatchNorm("stem/batch_norm", x, {.epsilon = kEpsilon}));
  x = b.MaxPool("stem/max_pool", x, {3, 2, Same(x, 3, 2)});
  for (int stage = 0; stage < 4; ++stage) {
    const std::string prefix = "stage" + std::to_string(stage + 1);
    for (int64_t layer = 0; layer < kLayers[stage]; ++layer) {
      const std::string name = prefix + "/layer" + std::to_string(layer + 1);
      x = b.Concat(name + "/concat", {x, BinaryBranch(b, name, x, kEpsilon)});
    }
    if (stage == 3) break;
    const std::string name = prefix + "/transition";
    x = b.MaxPool(name + "/max_pool", b.BatchNorm(name + "/batch_norm", x, {.epsilon = kEpsilon}), {2, 2, {}});
    x = b.Conv(name + "/conv2d", b.Relu(name + "/relu", x), {kLeft[stage], {1, 1, {}}, 1, false});
  }
  return b.Finish(Head(b, x, options.classes, kEpsilon));
}

// Bethge, Bartz, Yang, Chen, Meinel, "MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?",
// arXiv:2001.05936, sections 3 and 4, table 1; larq/zoo, larq_zoo/literature/meliusnet.py. A dense block joins 64 new
// channels, the improvement block behind it adds to just these 64; the source pads its result with zero channels to add
// it.
Result<formats::SourceGraph> BuildMeliusNet22(const NetworkOptions& options) {
  constexpr int64_t kBlocks[] = {4, 5, 4, 4};
  constexpr int64_t kLeft[] = {160, 224, 256};
  NetworkBuilder b("meliusnet-22", options.seed);
  Value x = GroupedStem(b, b.Input("input", {1, 3, options.resolution, options.resolution}));
  for (int stage = 0; stage < 4; ++stage) {
    const std::string prefix = "stage" + std::to_string(stage + 1);
    for (int64_t block = 0; block < kBlocks[stage]; ++block) {
      const std::string name = prefix + "/block" + std::to_string(block + 1);
      x = b.Concat(name + "/concat", {x, BinaryBranch(b, name + "/dense", x, kKerasEpsilon)});
      const Value added = BinaryBranch(b, name + "/improvement", x, kKerasEpsilon);
      x = b.Add(name + "/add", x, b.Pad(name + "/pad", added, {}, x.channels() - kGrowth, 0));
    }
    if (stage == 3) break;
    const std::string name = prefix + "/transition";
    x = b.BatchNorm(name + "/batch_norm", x, {.epsilon = kKerasEpsilon});
    x = b.Relu(name + "/relu", b.MaxPool(name + "/max_pool", x, {2, 2, Same(x, 2, 2)}));
    x = b.Conv(name + "/conv2d", x, {kLeft[stage], {1, 1, {}}, 1, true});
  }
  return b.Finish(Head(b, x, options.classes, kKerasEpsilon));
}

}  // namespace bnn::architectures
