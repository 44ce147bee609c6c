// ReActNet-A: Liu, Shen, Savvides, Cheng, "ReActNet: Towards Precise Binary Neural Network with Generalized Activation
// Functions", arXiv:2003.03488, figure 5 and section 4.1; liuzechun/ReActNet, mobilenet/2_step2/reactnet.py.
//
// MobileNet-V1 with full 3x3 convolutions in place of depthwise ones. A block is a binary 3x3 and a binary 1x1, each
// with a float shortcut around it:
//
//   x -> RSign -> 3x3 -> scale -> BN -> + pool(x) -> RPReLU -> y
//   y -> RSign -> 1x1 -> scale -> BN -> + y       -> RPReLU
//
// RSign is Sign(x + b), RPReLU is PReLU(x + b1) + b2, with one b a channel. Where the channels double, two 1x1
// convolutions read the same bits, each adds y, and their results are joined.
#include "models/architectures/architectures.h"
#include "models/architectures/network_builder.h"

namespace bnn::architectures {
namespace {

class ReActNet {
 public:
  explicit ReActNet(NetworkBuilder* builder) : b_(*builder) {}

  Value Block(const std::string& name, const Value& x, int64_t out_channels, int64_t stride) {
    const Value bits = RSign(name, "move11", "sign1", x);
    const Value shortcut = stride == 2 ? b_.AveragePool(name + ".pooling", x, {2, 2, {}}) : x;
    const ConvOptions conv{x.channels(), {3, stride, Symmetric(1)}, 1, false};
    const Value sum = BinaryBranch(name, "binary_3x3", "bn1", "add1", bits, shortcut, conv);
    const Value y = RPRelu(name, "move12", "prelu1", "move13", sum);
    const Value y_bits = RSign(name, "move21", "sign2", y);
    const ConvOptions pointwise{x.channels(), {1, 1, {}}, 1, false};
    if (out_channels == x.channels()) {
      return RPRelu(name, "move22", "prelu2", "move23",
                    BinaryBranch(name, "binary_pw", "bn2", "add2", y_bits, y, pointwise));
    }
    const Value first = BinaryBranch(name, "binary_pw_down1", "bn2_1", "add2_1", y_bits, y, pointwise);
    const Value second = BinaryBranch(name, "binary_pw_down2", "bn2_2", "add2_2", y_bits, y, pointwise);
    return RPRelu(name, "move22", "prelu2", "move23", b_.Concat(name + ".concat", {first, second}));
  }

 private:
  Value RSign(const std::string& block, const char* shift, const char* sign, const Value& x) {
    return b_.Sign(block + "." + sign, b_.Shift(block + "." + shift, x, 0));
  }

  Value RPRelu(const std::string& block, const char* before, const char* prelu, const char* after, const Value& x) {
    const Value activated = b_.PRelu(block + "." + prelu, b_.Shift(block + "." + before, x, 0));
    return b_.Shift(block + "." + after, activated, 0);
  }

  // At inference the weights are signs, and the factor of each filter multiplies the result.
  Value BinaryBranch(const std::string& block, const char* conv, const char* norm, const char* add, const Value& bits,
                     const Value& shortcut, const ConvOptions& options) {
    const std::string name = block + "." + conv;
    const Value sums = b_.BinaryConv(name, bits, options, BinaryWeights::kSigns);
    const Value scaled = b_.ScaleChannels(name + ".scaling", sums, 0.02);
    const Value normed = b_.BatchNorm(block + "." + norm, scaled);
    return b_.Add(block + "." + add, normed, shortcut);
  }

  NetworkBuilder& b_;
};

}  // namespace

Result<formats::SourceGraph> BuildReActNetA(const NetworkOptions& options) {
  NetworkBuilder b("reactnet-a", options.seed);
  ReActNet blocks(&b);
  Value x = b.Input("input", {1, 3, options.resolution, options.resolution});
  x = b.Conv("feature.0.conv1", x, {32, {3, 2, Symmetric(1)}, 1, false});
  x = b.BatchNorm("feature.0.bn1", x);
  int index = 1;
  for (const int64_t out : {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024}) {
    const int64_t stride = out != x.channels() && out != 64 ? 2 : 1;
    x = blocks.Block("feature." + std::to_string(index++), x, out, stride);
  }
  x = b.Flatten("flatten", b.GlobalAveragePool("pool1", x));
  return b.Finish(b.Gemm("fc", x, options.classes));
}

}  // namespace bnn::architectures
