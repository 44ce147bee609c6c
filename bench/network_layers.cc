// Facts from the papers, checked against the implementations named with each network. Layers that the networks keep in
// full precision (the first, the last, shortcuts, transitions) are not in here. Padding is that of the source: zero
// where it pads binarized activations with zeros. What follows a convolution is taken for the nearest of the
// benchmarked epilogues. A shortcut that nobody reads afterwards gives its place to the sum.
#include "bench/network_layers.h"

#include <algorithm>
#include <utility>

namespace bnn::bench {
namespace {

using kernels::BDenseShape;
using kernels::Padding;

ConvCase Conv(int64_t size, int64_t in, int64_t out, int64_t kernel, int64_t stride, Padding padding) {
  ConvCase c;
  c.height = c.width = size;
  c.in = in;
  c.out = out;
  c.kernel = kernel;
  c.stride = stride;
  c.padding = padding;
  return c;
}

ConvCase ValidConv(int64_t size, int64_t in, int64_t out, int64_t kernel) {
  ConvCase c = Conv(size, in, out, kernel, 1, Padding::kMinusOne);
  c.valid = true;
  return c;
}

// Equal layers are counted, not repeated.
class Layers {
 public:
  void Add(const ConvCase& c, Output output, int64_t count = 1) {
    const auto same = [&](const NetworkLayer& layer) {
      const auto* other = std::get_if<ConvCase>(&layer.shape);
      return other != nullptr && other->Name() == c.Name() && layer.output == output;
    };
    const auto found = std::find_if(layers_.begin(), layers_.end(), same);
    if (found != layers_.end()) {
      found->count += count;
    } else {
      layers_.push_back({c, output, count});
    }
  }
  void Add(const BDenseShape& shape, Output output) { layers_.push_back({shape, output, 1}); }
  std::vector<NetworkLayer> Take() { return std::move(layers_); }

 private:
  std::vector<NetworkLayer> layers_;
};

// Liu et al., Bi-Real Net, arXiv:1808.00278; Larq Zoo literature/birealnet.py. ResNet-18 with a shortcut around every
// convolution: 4 stages of 4, the first of a stage halves the size and doubles the channels.
Network BiRealNet18() {
  Layers layers;
  layers.Add(Conv(56, 64, 64, 3, 1, Padding::kZero), Output::kShortcut, 4);
  for (int64_t size = 56, channels = 64; channels < 512; size /= 2, channels *= 2) {
    layers.Add(Conv(size, channels, 2 * channels, 3, 2, Padding::kZero), Output::kShortcut);
    layers.Add(Conv(size / 2, 2 * channels, 2 * channels, 3, 1, Padding::kZero), Output::kShortcut, 3);
  }
  return {"Bi-Real-Net-18", layers.Take()};
}

// Liu et al., ReActNet, arXiv:2003.03488; the authors' reactnet.py. MobileNet-V1 with full 3x3 convolutions: a block is
// a 3x3 that keeps the channels and a 1x1; where the channels double, two 1x1 stand side by side.
Network ReActNetA() {
  Layers layers;
  int64_t size = 112, in = 32;
  for (const int64_t out : {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024}) {
    const int64_t stride = in != out && in != 32 ? 2 : 1;
    layers.Add(Conv(size, in, in, 3, stride, Padding::kZero), Output::kShortcut);
    size /= stride;
    // Two sums of one shortcut lie side by side, away from it.
    const Output sum = in == out ? Output::kShortcut : Output::kResidual;
    layers.Add(Conv(size, in, in, 1, 1, Padding::kMinusOne), sum, in == out ? 1 : 2);
    in = out;
  }
  return {"ReActNet-A", layers.Take()};
}

// Bannink et al., Larq Compute Engine, arXiv:2011.09398; Larq Zoo sota/quicknet.py, v1.0. Four sections of residual 3x3
// convolutions that are padded with +1.
Network QuickNet(const char* name, const int64_t (&blocks)[4], const int64_t (&filters)[4]) {
  Layers layers;
  for (int section = 0; section < 4; ++section) {
    layers.Add(Conv(56 >> section, filters[section], filters[section], 3, 1, Padding::kOne), Output::kShortcut,
               blocks[section]);
  }
  return {name, layers.Take()};
}

// Bethge et al., Back to Simplicity, arXiv:1906.08637; Larq Zoo literature/densenet.py. A convolution adds 64 channels
// to those that it reads; transitions leave 160, 192 and 256 (reductions 2.7, 2.7, 2.2, rounded to 32).
Network BinaryDenseNet28() {
  Layers layers;
  constexpr int64_t kFirst[] = {64, 160, 192, 256};
  constexpr int64_t kCount[] = {6, 6, 6, 5};
  for (int stage = 0; stage < 4; ++stage) {
    for (int64_t layer = 0; layer < kCount[stage]; ++layer) {
      layers.Add(Conv(56 >> stage, kFirst[stage] + 64 * layer, 64, 3, 1, Padding::kZero), Output::kFloats);
    }
  }
  return {"BinaryDenseNet-28", layers.Take()};
}

// Bethge et al., MeliusNet, arXiv:2001.05936; Larq Zoo literature/meliusnet.py. A block is a dense convolution, which
// adds 64 channels, and an improvement, which is added to those 64; transitions leave 160, 224 and 256.
Network MeliusNet22() {
  Layers layers;
  constexpr int64_t kFirst[] = {64, 160, 224, 256};
  constexpr int64_t kBlocks[] = {4, 5, 4, 4};
  for (int stage = 0; stage < 4; ++stage) {
    for (int64_t block = 0; block < kBlocks[stage]; ++block) {
      const int64_t channels = kFirst[stage] + 64 * block;
      layers.Add(Conv(56 >> stage, channels, 64, 3, 1, Padding::kZero), Output::kFloats);
      layers.Add(Conv(56 >> stage, channels + 64, 64, 3, 1, Padding::kZero), Output::kResidual);
    }
  }
  return {"MeliusNet-22", layers.Take()};
}

// Rastegari et al., XNOR-Net, arXiv:1603.05279; Larq Zoo literature/xnornet.py, which writes the two binary dense
// layers as convolutions without padding, as is done here. Floats leave where a max-pool comes before the batch-norm.
Network XnorAlexNet() {
  Layers layers;
  layers.Add(Conv(27, 96, 256, 5, 1, Padding::kZero), Output::kFloats);
  layers.Add(Conv(13, 256, 384, 3, 1, Padding::kZero), Output::kBits);
  layers.Add(Conv(13, 384, 384, 3, 1, Padding::kZero), Output::kBits);
  layers.Add(Conv(13, 384, 256, 3, 1, Padding::kZero), Output::kFloats);
  layers.Add(ValidConv(6, 256, 4096, 6), Output::kBits);
  layers.Add(ValidConv(1, 4096, 4096, 1), Output::kFloats);
  return {"XNOR-AlexNet", layers.Take()};
}

// Umuroglu et al., FINN, arXiv:1612.07119; Brevitas bnn_pynq/models/CNV.py (CIFAR-10). 3x3 without padding, 2x2 pools
// after the second and the fourth; the first layer reads 8-bit pixels.
Network Cnv() {
  Layers layers;
  layers.Add(ValidConv(30, 64, 64, 3), Output::kBits);
  layers.Add(ValidConv(14, 64, 128, 3), Output::kBits);
  layers.Add(ValidConv(12, 128, 128, 3), Output::kBits);
  layers.Add(ValidConv(5, 128, 256, 3), Output::kBits);
  layers.Add(ValidConv(3, 256, 256, 3), Output::kBits);
  layers.Add(BDenseShape{1, 256, 512}, Output::kBits);
  layers.Add(BDenseShape{1, 512, 512}, Output::kBits);
  layers.Add(BDenseShape{1, 512, 10}, Output::kFloats);
  return {"CNV", layers.Take()};
}

}  // namespace

std::vector<Network> Networks() {
  return {BiRealNet18(),
          ReActNetA(),
          QuickNet("QuickNet-Small", {4, 4, 4, 4}, {32, 64, 256, 512}),
          QuickNet("QuickNet", {4, 4, 4, 4}, {64, 128, 256, 512}),
          QuickNet("QuickNet-Large", {6, 8, 12, 6}, {64, 128, 256, 512}),
          BinaryDenseNet28(),
          MeliusNet22(),
          XnorAlexNet(),
          Cnv()};
}

}  // namespace bnn::bench
