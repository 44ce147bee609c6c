#include "formats/model_def.h"

#include <array>

namespace bnn::formats {
namespace {

// The product of dims[first...]; -1 where a dim is below 1 or the product exceeds `limit`.
int64_t BoundedProduct(const std::vector<int64_t>& dims, size_t first, int64_t limit) {
  int64_t product = 1;
  for (size_t i = first; i < dims.size(); ++i) {
    if (dims[i] < 1 || dims[i] > limit / product) return -1;
    product *= dims[i];
  }
  return product;
}

}  // namespace

const char* OpName(const Op& op) {
  static constexpr std::array<const char*, std::variant_size_v<Op>> kNames = {
      "BConv2d",      "BDense",          "BMaxPool", "Binarize", "Unpack",   "Conv2d",      "Dense",          "Affine",
      "PRelu",        "Clamp",           "Unary",    "Binary",   "MaxPool",  "AvgPool",     "Concat",         "Slice",
      "Pad",          "Transpose",       "Reshape",  "Softmax",  "Quantize", "Dequantize",  "QConv2d",        "QDense",
      "FakeQuantize", "ConvTranspose2d", "Resize2d", "Reduce",   "Lrn",      "NormalizeL2", "DetectionOutput"};
  return kNames[op.index()];
}

int64_t ElementCount(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return count;
}

IntegerRange RangeOf(ElementType type) {
  return type == ElementType::kUInt8 ? IntegerRange{0, 255} : IntegerRange{-128, 127};
}

int BitsOf(ElementType type) {
  switch (type) {
    case ElementType::kBits:
      return 1;
    case ElementType::kBits2:
      return 2;
    case ElementType::kBits3:
      return 3;
    case ElementType::kBits4:
      return 4;
    case ElementType::kFloat32:
    case ElementType::kInt8:
    case ElementType::kUInt8:
      return 0;
  }
  return 0;
}

ElementType BitsType(int bits) {
  switch (bits) {
    case 2:
      return ElementType::kBits2;
    case 3:
      return ElementType::kBits3;
    case 4:
      return ElementType::kBits4;
    default:
      return ElementType::kBits;
  }
}

int64_t BlobBytes(ElementType type, const std::vector<int64_t>& dims) {
  if (type == ElementType::kInt8 || type == ElementType::kUInt8) return BoundedProduct(dims, 0, kMaxBlobBytes);
  constexpr int64_t kWordBytes = 4;
  constexpr int64_t kMaxWords = kMaxBlobBytes / kWordBytes;
  if (type == ElementType::kFloat32) {
    const int64_t elements = BoundedProduct(dims, 0, kMaxWords);
    return elements < 0 ? -1 : elements * kWordBytes;
  }
  if (dims.empty() || dims[0] < 1) return -1;
  const int64_t row_bits = BoundedProduct(dims, 1, kMaxWords * 32);
  if (row_bits < 0) return -1;
  const int64_t row_words = (row_bits + 31) / 32;
  if (dims[0] > kMaxWords / row_words) return -1;
  return dims[0] * row_words * kWordBytes;
}

}  // namespace bnn::formats
