// A deployed model as plain data: what a .bnn file holds, after reading and before compiling.
//
// Conventions (FORMAT.md states them for the file):
//  * Every tensor has a batch axis in front that is not stored: `dims` are those of one sample. Operators never mix
//    samples, so a model runs at any batch size.
//  * Feature maps are NHWC: dims {height, width, channels}. Vectors are {features}. The last axis is the channel axis.
//  * Element type kBits holds two-valued data as bits: 1 = high value (+1), 0 = low value (-1).
//  * Element types kBits2 to kBits4 hold levels q of 2 to 4 bits, 0 the lowest. What binary layers compute with is the
//    odd number v = 2q - (2^b - 1): -3, -1, 1, 3 for b = 2. Of one bit, v is -1 or 1, so all that is said of bits of
//    several values holds for kBits with b = 1.
//  * Element types kInt8 and kUInt8 hold integers q; what real number stands for q is a matter of the operators that
//    write and read them (Quantization).
//  * Constants live in `blobs`; operators name them by index.
//  * Nodes are in execution order.
//  * The tensors that the outside sees (inputs and outputs) are float32 and have the dims of the source network.
//  * Tensor names are unique, but an input and an output may share one.
// All structs compare by value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace bnn::formats {

enum class ElementType : uint8_t { kFloat32 = 1, kBits = 2, kInt8 = 3, kUInt8 = 4, kBits2 = 5, kBits3 = 6, kBits4 = 7 };

inline constexpr int kNone = -1;  // an absent optional tensor or blob index

struct TensorDef {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> dims;  // of one sample

  bool operator==(const TensorDef&) const = default;
};

// Constant data. kFloat32: little-endian IEEE 754, dense in dims order. kInt8, kUInt8: a byte each, dense in dims
// order. kBits: dims[0] rows (output channels), each the bits of the remaining dims in row-major order, LSB first,
// padded with 0 bits to whole 32-bit little-endian words.
struct Blob {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> dims;
  std::vector<std::byte> data;

  bool operator==(const Blob&) const = default;
};

struct Window2d {
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool whole_map = false;  // pooling: the kernel is the map at any input size (global pooling), without pads

  bool operator==(const Window2d&) const = default;
};

enum class PadValue : uint8_t { kOne = 1, kMinusOne = 2, kZero = 3 };  // kZero: padded taps are excluded

// ---- Operators. "in -> out" gives the element types.

// "bits" are kBits, kBits2, kBits3 or kBits4, of b bits; weights are kBits.

// bits -> float32: the exact integer dot products of v (above) and weights of +-1. Weights: kBits
// [out][kernel_h][kernel_w][in / groups]. Padded taps are the highest v (kOne), the lowest (kMinusOne), or excluded.
struct BConv2d {
  Window2d window;
  int64_t groups = 1;
  PadValue pad_value = PadValue::kMinusOne;
  int weights = kNone;

  bool operator==(const BConv2d&) const = default;
};
// bits {in} -> float32 {out}. Weights: kBits [out][in].
struct BDense {
  int weights = kNone;

  bool operator==(const BDense&) const = default;
};
// bits -> the same type: the highest level in the window (of one bit: OR); padded taps are skipped.
struct BMaxPool {
  Window2d window;

  bool operator==(const BMaxPool&) const = default;
};
// float32 -> bits of `bits` bits: q = how many of the channel's thresholds are at most x; NaN gives 0. Thresholds:
// float32 [1] or [channels]; with more than one bit [2^bits - 1][1] or [2^bits - 1][channels], increasing (neighbours
// may be equal). -inf and +inf are allowed, NaN is not.
struct Binarize {
  int thresholds = kNone;
  int bits = 1;

  bool operator==(const Binarize&) const = default;
};
// Bits of `bits` bits -> float32. Of one bit: bit ? high : low, float32 [1] or [channels] each, and no values. Of more:
// values[q], float32 [2^bits][1] or [2^bits][channels], and neither low nor high.
struct Unpack {
  int low = kNone;
  int high = kNone;
  int bits = 1;
  int values = kNone;

  bool operator==(const Unpack&) const = default;
};
// float32 -> float32. Weights: float32 [out][kernel_h][kernel_w][in / groups]; bias: [out] or none. Pads with 0.
struct Conv2d {
  Window2d window;
  int64_t groups = 1;
  int weights = kNone;
  int bias = kNone;

  bool operator==(const Conv2d&) const = default;
};
// float32 of any dims, read flat in storage order -> float32 {out}. Weights: [out][elements of one sample].
struct Dense {
  int weights = kNone;
  int bias = kNone;

  bool operator==(const Dense&) const = default;
};
// y = fma(x, scale, bias), each float32 [1] or [channels].
struct Affine {
  int scale = kNone;
  int bias = kNone;

  bool operator==(const Affine&) const = default;
};
// y = x < 0 ? x * slope : x. Slope: float32 [1] or [channels].
struct PRelu {
  int slope = kNone;

  bool operator==(const PRelu&) const = default;
};
// y = x < low ? low : (x > high ? high : x). Infinite limits are allowed.
struct Clamp {
  float low = 0;
  float high = 0;

  bool operator==(const Clamp&) const = default;
};
enum class UnaryKind : uint8_t {
  kSigmoid = 1,
  kHardSigmoid = 2,  // max(0, min(1, alpha * x + beta))
  kHardSwish = 3,    // x * max(0, min(1, x / 6 + 0.5))
  kTanh = 4,
  kExp = 5,
  kSqrt = 6,
  kAbs = 7,
  kFloor = 8,
  kCeil = 9,
  kRound = 10,     // half to even
  kPow = 11,       // x ^ alpha
  kMish = 12,      // x * tanh(log(1 + exp(x)))
  kSwish = 13,     // x / (1 + exp(-alpha * x))
  kElu = 14,       // x < 0 ? alpha * (exp(x) - 1) : x
  kSoftplus = 15,  // log(1 + exp(x))
  kErf = 16,
  kGelu = 17,      // x * (1 + erf(x / sqrt(2))) / 2
  kGeluTanh = 18,  // x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2
  kLog = 19
};
struct Unary {
  UnaryKind kind = UnaryKind::kSigmoid;
  float alpha = 0;
  float beta = 0;

  bool operator==(const Unary&) const = default;
};
enum class BinaryKind : uint8_t { kAdd = 1, kSub = 2, kMul = 3, kDiv = 4, kMax = 5, kMin = 6 };
// Elementwise of two tensors with numpy broadcasting of their sample dims. With `constant` the second operand (the
// first when constant_first) is that blob and the node has one input.
struct Binary {
  BinaryKind kind = BinaryKind::kAdd;
  int constant = kNone;
  bool constant_first = false;

  bool operator==(const Binary&) const = default;
};
// Padded taps are skipped. The output size is floor((in + pads - reach) / stride) + 1: ceil_mode is written as pads.
struct MaxPool {
  Window2d window;

  bool operator==(const MaxPool&) const = default;
};
// count_include_pad: divide by the window's taps that lie in the padded map, else only by those in the map itself.
struct AvgPool {
  Window2d window;
  bool count_include_pad = false;

  bool operator==(const AvgPool&) const = default;
};
// Axes below are of one sample's dims. Except for Reshape, these operators move float32 only.
struct Concat {
  int64_t axis = 0;

  bool operator==(const Concat&) const = default;
};
struct Slice {
  std::vector<int64_t> begin, end, step;  // one each per axis, 0 <= begin <= end <= dim, step >= 1

  bool operator==(const Slice&) const = default;
};
// kReflect does not repeat the border, kSymmetric does.
enum class PadMode : uint8_t { kConstant = 1, kReflect = 2, kEdge = 3, kSymmetric = 4 };
struct Pad {
  std::vector<int64_t> before, after;  // one each per axis, >= 0
  PadMode mode = PadMode::kConstant;
  float value = 0;

  bool operator==(const Pad&) const = default;
};
struct Transpose {
  std::vector<int64_t> perm;  // out.dims[i] = in.dims[perm[i]]

  bool operator==(const Transpose&) const = default;
};
// Same elements in storage order. Of bits: the last axis must keep its size (pixels are padded to words).
struct Reshape {
  bool operator==(const Reshape&) const = default;
};
struct Softmax {
  int64_t axis = 0;
  bool log = false;

  bool operator==(const Softmax&) const = default;
};

// The real numbers that integers q stand for: x = (q - zero_point) * scale. Scale: positive, finite. Zero point: a
// value of the integers' type.
struct Quantization {
  float scale = 1;
  int32_t zero_point = 0;

  bool operator==(const Quantization&) const = default;
};
// float32 -> `type` (kInt8 or kUInt8): q = saturate(round(x / scale) + zero_point), round half to even. NaN gives the
// smallest q.
struct Quantize {
  ElementType type = ElementType::kInt8;
  Quantization to;

  bool operator==(const Quantize&) const = default;
};
// int8 or uint8 -> float32: x = (q - zero_point) * scale.
struct Dequantize {
  Quantization from;

  bool operator==(const Dequantize&) const = default;
};
// int8 or uint8 -> float32: y = sum((q - zero_point) * w) * (scale * weight_scale[c]) + bias[c]. The sum is an exact
// integer, what follows is float32 arithmetic. Padded taps contribute nothing. Weights: int8
// [out][kernel_h][kernel_w][in / groups]; weight scales: float32 [1] or [out]; bias: float32 [out] or none.
struct QConv2d {
  Window2d window;
  int64_t groups = 1;
  Quantization input;
  int weights = kNone;
  int weight_scales = kNone;
  int bias = kNone;

  bool operator==(const QConv2d&) const = default;
};
// The same for int8 or uint8 of any dims, read flat in storage order -> float32 {out}. Weights: int8
// [out][elements of one sample].
struct QDense {
  Quantization input;
  int weights = kNone;
  int weight_scales = kNone;
  int bias = kNone;

  bool operator==(const QDense&) const = default;
};

// float32 -> float32, `levels` values from output_low to output_high; the limits are float32 [1] or [channels]. With
// low = min(input_low, input_high) and high = max(input_low, input_high), in float32:
//   x <= low   -> output_low
//   x > high   -> output_high
//   otherwise  -> round(x * s - input_low * s) * ((output_high - output_low) / (levels - 1)) + output_low, with
//                 s = (levels - 1) / (input_high - input_low); round half to even. Both products (with x, with the
//                 rounded level) are exact, their sums rounded once to double and from there to float32.
// NaN stays NaN.
struct FakeQuantize {
  int64_t levels = 0;
  int input_low = kNone, input_high = kNone;
  int output_low = kNone, output_high = kNone;

  bool operator==(const FakeQuantize&) const = default;
};
// The transpose of a convolution: input pixel y adds to the output pixels y * stride + tap * dilation - pad_before.
// Output size: (in - 1) * stride + dilation * (kernel - 1) + 1 - pad_before - pad_after + output_pad, where output_pad
// is below the stride. Weights: float32 [out][kernel_h][kernel_w][in / groups]; bias: [out] or none.
struct ConvTranspose2d {
  Window2d window;
  int64_t output_pad_h = 0, output_pad_w = 0;
  int64_t groups = 1;
  int weights = kNone;
  int bias = kNone;

  bool operator==(const ConvTranspose2d&) const = default;
};
enum class ResizeKind : uint8_t { kNearest = 1, kLinear = 2 };
// Where the pixel y of the output lies on the input, for a scale s = out / in, in float32:
enum class Coordinates : uint8_t {
  kHalfPixel = 1,         // (y + 0.5) / s - 0.5
  kAsymmetric = 2,        // y / s
  kAlignCorners = 3,      // y * (in - 1) / (out - 1); 0 where out is 1
  kPytorchHalfPixel = 4,  // as kHalfPixel; 0 where out is 1
  kTfHalfPixel = 5        // (y + 0.5) / s
};
// Which pixel is nearest to such a place. Outside of the map it is the one at the border.
enum class Nearest : uint8_t { kPreferFloor = 1, kPreferCeil = 2, kFloor = 3, kCeil = 4 };
// float32 {h,w,c} -> float32 {h',w',c}. An axis has a size, or a scale: floor(in * scale) pixels. Of kLinear, places
// outside of the map count as on its border, and `nearest` says nothing.
struct Resize2d {
  ResizeKind kind = ResizeKind::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  Nearest nearest = Nearest::kPreferFloor;
  int64_t height = 0, width = 0;   // 0: by scale
  float scale_h = 0, scale_w = 0;  // 0: by size, which makes the scale size / in

  bool operator==(const Resize2d&) const = default;
};
enum class ReduceKind : uint8_t { kMean = 1, kSum = 2, kMax = 3, kMin = 4 };
// Over the axes (of a sample, increasing, at least one), which keep a size of 1.
struct Reduce {
  ReduceKind kind = ReduceKind::kMean;
  std::vector<int64_t> axes;

  bool operator==(const Reduce&) const = default;
};
// y = x / (bias + alpha / size^n * sum of x'^2) ^ beta, over the x' whose distance along each of the n `axes`
// (increasing) is from -((size - 1) / 2) to size / 2, as far as they exist.
struct Lrn {
  std::vector<int64_t> axes;
  int64_t size = 1;
  float alpha = 0, beta = 0, bias = 1;

  bool operator==(const Lrn&) const = default;
};
enum class EpsMode : uint8_t { kAdd = 1, kMax = 2 };
// y = x / sqrt(sum + eps) or x / sqrt(max(sum, eps)), sum over the squares along the axes (increasing, at least one); 0
// where the root is 0.
struct NormalizeL2 {
  std::vector<int64_t> axes;
  float eps = 0;
  EpsMode eps_mode = EpsMode::kAdd;

  bool operator==(const NormalizeL2&) const = default;
};

// Where a box {xmin, ymin, xmax, ymax} lies, from four predicted numbers d and a prior box p of width w, height h:
enum class BoxCode : uint8_t {
  kCorner = 1,     // p + variance * d, corner by corner
  kCenterSize = 2  // center = p's + variance * d * {w, h}, size = exp(variance * d) * {w, h}
};
// Boxes {priors * 4}, or {priors * classes * 4} without share_location, and scores {priors * classes}, both float32 ->
// float32 {1, rows, 7}: the boxes of an SSD that remain after suppression of those that overlap better ones.
//  * Boxes are decoded and, with clip_before, moved into [0, 1].
//  * Candidates of each class but the background score above score_threshold. With best_class there is one list: of
//    each prior the best class that is not 0, where it scores score_threshold or more. At most top_k of a list count,
//    the best first; a tie goes to the prior in front. One that overlaps a better one of its class that is kept, by
//    more than overlap_threshold (intersection / union), is dropped.
//  * The keep_top_k best of all classes remain.
// Rows {0, class, score, xmin, ymin, xmax, ymax}, classes in order, the best first; with best_class, classes count from
// 0 after the background. A row that begins with -1 ends them where there is space; what follows is 0. `rows` is
// keep_top_k, else top_k * classes, else priors * classes.
struct DetectionOutput {
  int64_t classes = 0;
  int64_t background = kNone;
  int64_t top_k = 0;       // 0: all
  int64_t keep_top_k = 0;  // 0: all
  BoxCode code = BoxCode::kCorner;
  bool share_location = true;
  bool best_class = false;
  bool clip_before = false;
  bool clip_after = false;  // the boxes of the output
  float score_threshold = 0;
  float overlap_threshold = 0;
  int priors = kNone;  // float32 [1][priors][4], variances of 1; or [2][priors][4]: boxes, variances

  bool operator==(const DetectionOutput&) const = default;
};

using Op =
    std::variant<BConv2d, BDense, BMaxPool, Binarize, Unpack, Conv2d, Dense, Affine, PRelu, Clamp, Unary, Binary,
                 MaxPool, AvgPool, Concat, Slice, Pad, Transpose, Reshape, Softmax, Quantize, Dequantize, QConv2d,
                 QDense, FakeQuantize, ConvTranspose2d, Resize2d, Reduce, Lrn, NormalizeL2, DetectionOutput>;

// "BConv2d", "Affine", ...: the name of the alternative, as used in messages, plans and the proto.
const char* OpName(const Op& op);

struct NodeDef {
  std::string name;  // of the source's node
  Op op;
  std::vector<int> inputs;  // tensor indices
  int output = kNone;       // tensor index

  bool operator==(const NodeDef&) const = default;
};

// How an 8-bit image becomes an input: x[c] = (pixel[c] - mean[c]) * scale[c]. Empty vectors: mean 0, scale 1; one
// element serves all channels.
struct Preprocessing {
  std::vector<float> mean;
  std::vector<float> scale;

  bool operator==(const Preprocessing&) const = default;
};

enum class ImageLayout : uint8_t { kNotAnImage = 0, kNchw = 1, kNhwc = 2 };

struct InputDef {
  int tensor = kNone;
  ImageLayout layout = ImageLayout::kNotAnImage;  // of the dims, as the source has them
  Preprocessing preprocessing;

  bool operator==(const InputDef&) const = default;
};

struct ModelDef {
  std::string producer;      // "bnn-convert 0.1.0"
  std::string source;        // name of the file that it was converted from, without folders
  int64_t source_batch = 0;  // the batch size that the source fixes; 0 where it leaves it open
  std::vector<TensorDef> tensors;
  std::vector<Blob> blobs;
  std::vector<NodeDef> nodes;
  std::vector<InputDef> inputs;  // in the source's order
  std::vector<int> outputs;      // tensor indices, in the source's order

  bool operator==(const ModelDef&) const = default;
};

// Elements of one sample. The dims must have been validated (no overflow).
int64_t ElementCount(const std::vector<int64_t>& dims);

// The smallest and largest integer of kInt8 or kUInt8.
struct IntegerRange {
  int32_t low = 0;
  int32_t high = 0;
};
IntegerRange RangeOf(ElementType type);

inline constexpr int kMaxBits = 4;  // of an element

// b of an element type of b bits; 0 of the others.
int BitsOf(ElementType type);
// kBits for 1, ... kBits4 for 4.
ElementType BitsType(int bits);

// Bytes that a blob of that type and dims has; -1 where a dim is below 1 (or bits have no dims) or the size exceeds
// kMaxBlobBytes.
int64_t BlobBytes(ElementType type, const std::vector<int64_t>& dims);

// ---- Limits: what a reader accepts. FORMAT.md lists them.
inline constexpr int64_t kMaxRank = 6;
inline constexpr int64_t kMaxDim = int64_t{1} << 24;
inline constexpr int64_t kMaxElements = int64_t{1} << 30;  // of one tensor, one sample
inline constexpr int64_t kMaxBlobBytes = int64_t{1} << 30;
inline constexpr int64_t kMaxFileBytes = (int64_t{1} << 31) - 1;  // protobuf's own limit
inline constexpr int64_t kMaxNodes = 1 << 16;
inline constexpr int64_t kMaxTensors = 1 << 17;
inline constexpr int64_t kMaxBlobs = 1 << 17;
inline constexpr int64_t kMaxWindow = 1 << 16;  // each kernel, stride, dilation and pad
inline constexpr int64_t kMaxNameBytes = 1024;
inline constexpr int64_t kMaxBinaryTerms = (int64_t{1} << 24) - 1;  // K of a binary layer: a float32 holds +-K exactly
inline constexpr int64_t kMaxLevels = int64_t{1} << 24;             // of FakeQuantize: a float32 counts them
inline constexpr int64_t kMaxInt8Terms = INT32_MAX / (255 * 128);   // |q - zero_point| <= 255, |w| <= 128

}  // namespace bnn::formats
