#include "models/architectures/architectures.h"

#include <string>

namespace bnn::architectures {
namespace {

constexpr Architecture kArchitectures[] = {
    {"bi-real-net-18", "Bi-Real-Net-18", "ResNet-18 with a float shortcut around every binary convolution",
     "Liu et al., arXiv:1808.00278; liuzechun/Bi-Real-net (PyTorch)", 224, 1000, BuildBiRealNet18},
    {"xnor-resnet-18", "XNOR-ResNet-18", "torchvision's ResNet-18 binarized by NNCF: {0, s} activations, FakeQuantize",
     "Open Model Zoo, resnet18-xnor-binary-onnx-0001; openvinotoolkit/nncf", 224, 1000, BuildXnorResNet18},
    {"reactnet-a", "ReActNet-A", "MobileNet-like 3x3 and 1x1 blocks with learned shifts (RSign, RPReLU)",
     "Liu et al., arXiv:2003.03488; liuzechun/ReActNet (PyTorch)", 224, 1000, BuildReActNetA},
    {"quicknet-small", "QuickNet-Small", "residual 3x3 convolutions, 32 to 512 channels, blurred transitions",
     "Bannink et al., arXiv:2011.09398; larq/zoo v1.0 (Keras)", 224, 1000, BuildQuickNetSmall},
    {"quicknet", "QuickNet", "residual 3x3 convolutions, 64 to 512 channels, blurred transitions",
     "Bannink et al., arXiv:2011.09398; larq/zoo v1.0 (Keras)", 224, 1000, BuildQuickNet},
    {"quicknet-large", "QuickNet-Large", "QuickNet with sections of 6, 8, 12 and 6 blocks",
     "Bannink et al., arXiv:2011.09398; larq/zoo v1.0 (Keras)", 224, 1000, BuildQuickNetLarge},
    {"binary-densenet-28", "BinaryDenseNet-28", "each binary convolution joins 64 channels to those that it reads",
     "Bethge et al., arXiv:1906.08637; larq/zoo (Keras)", 224, 1000, BuildBinaryDenseNet28},
    {"meliusnet-22", "MeliusNet-22", "dense blocks of 64 channels, each improved by a second binary convolution",
     "Bethge et al., arXiv:2001.05936; larq/zoo (Keras)", 224, 1000, BuildMeliusNet22},
    {"xnor-alexnet", "XNOR-AlexNet", "AlexNet with binary convolutions and dense layers",
     "Rastegari et al., arXiv:1603.05279; larq/zoo (Keras)", 224, 1000, BuildXnorAlexNet},
    {"cnv", "CNV", "VGG-like, for 32x32 images; bits between all layers",
     "Umuroglu et al., arXiv:1612.07119; Xilinx/brevitas (QONNX)", 32, 10, BuildCnv},
};

Status CheckRange(const char* what, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return OkStatus();
  return InvalidArgument(std::string(what) + " is " + std::to_string(value) + ", expected 1 to " +
                         std::to_string(most));
}

}  // namespace

std::span<const Architecture> Architectures() { return kArchitectures; }

const Architecture* FindArchitecture(std::string_view name) {
  for (const Architecture& architecture : kArchitectures) {
    if (name == architecture.name) return &architecture;
  }
  return nullptr;
}

Result<formats::SourceGraph> BuildArchitecture(std::string_view name, const NetworkOptions& options) {
  const Architecture* architecture = FindArchitecture(name);
  if (architecture == nullptr) {
    std::string known;
    for (const Architecture& other : kArchitectures) known += std::string(known.empty() ? "" : ", ") + other.name;
    return InvalidArgument("no architecture is called '" + std::string(name) + "'; known are " + known);
  }
  NetworkOptions chosen = options;
  if (chosen.resolution == 0) chosen.resolution = architecture->resolution;
  if (chosen.classes == 0) chosen.classes = architecture->classes;
  BNN_RETURN_IF_ERROR(CheckRange("the resolution", chosen.resolution, kMaxResolution));
  BNN_RETURN_IF_ERROR(CheckRange("the number of classes", chosen.classes, kMaxClasses));
  return architecture->build(chosen);
}

}  // namespace bnn::architectures
