// QuickNet: Bannink et al., "Larq Compute Engine: Design, Benchmark, and Deploy State-of-the-Art Binarized Neural
// Networks", arXiv:2011.09398, section 5 and figure 5; larq/zoo, larq_zoo/sota/quicknet.py, weights version v1.0.
//
// Residual 3x3 convolutions, padded with +1, whose ReLU comes before the batch-norm; between sections a max-pool of
// stride 1, a blur of stride 2 (Zhang, arXiv:1904.11486) and a float 1x1 convolution.
#include <span>

#include "models/architectures/architectures.h"
#include "models/architectures/network_builder.h"

namespace bnn::architectures {
namespace {

constexpr float kKerasEpsilon = 1e-3f;  // of Keras's BatchNormalization, where the source gives none

Value Stem(NetworkBuilder& b, Value x, int64_t filters) {
  x = b.Conv("stem/conv2d", x, {filters / 4, {3, 2, Same(x, 3, 2)}, 1, false});
  x = b.Relu("stem/relu", b.BatchNorm("stem/batch_norm", x, {.epsilon = kKerasEpsilon}));
  x = b.Conv("stem/depthwise", x, {filters / 4, {3, 2, Same(x, 3, 2)}, filters / 4, false});
  x = b.BatchNorm("stem/batch_norm_1", x, {.epsilon = kKerasEpsilon, .scale = false, .offset = false});
  x = b.Conv("stem/pointwise", x, {filters, {1, 1, {}}, 1, false});
  return b.BatchNorm("stem/batch_norm_2", x, {.epsilon = kKerasEpsilon});
}

Value ResidualBlock(NetworkBuilder& b, const std::string& name, const Value& x) {
  const Value bits = b.LarqSign(name + "/ste_sign", x);
  const Value padded = b.Pad(name + "/pad", bits, Same(x, 3, 1), 0, 1.0f);
  const Value sums =
      b.BinaryConv(name + "/quant_conv2d", padded, {x.channels(), {3, 1, {}}, 1, false}, BinaryWeights::kSigns);
  const Value normed = b.BatchNorm(name + "/batch_norm", b.Relu(name + "/relu", sums));
  return b.Add(name + "/add", normed, x);
}

Value Transition(NetworkBuilder& b, const std::string& name, Value x, int64_t filters) {
  x = b.MaxPool(name + "/max_pool", b.Relu(name + "/relu", x), {2, 1, {}});
  x = b.BlurConv(name + "/blur", x, 2, Same(x, 3, 2));
  x = b.Conv(name + "/pointwise", x, {filters, {1, 1, {}}, 1, false});
  return b.BatchNorm(name + "/batch_norm", x);
}

Result<formats::SourceGraph> Build(const std::string& name, const NetworkOptions& options,
                                   std::span<const int64_t, 4> blocks, std::span<const int64_t, 4> filters) {
  NetworkBuilder b(name, options.seed);
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = Stem(b, x, filters[0]);
  for (size_t section = 0; section < 4; ++section) {
    const std::string prefix = "section" + std::to_string(section + 1);
    if (section > 0) x = Transition(b, prefix + "/transition", x, filters[section]);
    for (int64_t block = 0; block < blocks[section]; ++block) {
      x = ResidualBlock(b, prefix + "/block" + std::to_string(block + 1), x);
    }
  }
  x = b.Relu("head/relu", x);
  x = b.GlobalAveragePool("head/average_pool", x);
  x = b.MatMul("head/dense", b.Flatten("head/flatten", x), options.classes);
  return b.Finish(b.Softmax("head/softmax", b.Bias("head/dense/bias", x)));
}

constexpr int64_t kBlocks[4] = {4, 4, 4, 4};
constexpr int64_t kBlocksLarge[4] = {6, 8, 12, 6};
constexpr int64_t kFilters[4] = {64, 128, 256, 512};
constexpr int64_t kFiltersSmall[4] = {32, 64, 256, 512};

}  // namespace

Result<formats::SourceGraph> BuildQuickNetSmall(const NetworkOptions& options) {
  return Build("quicknet-small", options, kBlocks, kFiltersSmall);
}

Result<formats::SourceGraph> BuildQuickNet(const NetworkOptions& options) {
  return Build("quicknet", options, kBlocks, kFilters);
}

Result<formats::SourceGraph> BuildQuickNetLarge(const NetworkOptions& options) {
  return Build("quicknet-large", options, kBlocksLarge, kFilters);
}

}  // namespace bnn::architectures
