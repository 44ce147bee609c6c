#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "formats/op_rules.h"
#include "formats/text.h"
#include "formats/validate.h"
#include "formats/window_rules.h"

namespace bnn::formats {
namespace {

using Shape = std::vector<int64_t>;

Status WrongDims(const std::string& what, const Shape& found, const std::string& expected) {
  return InvalidModel(what + ": found dims " + ShapeText(found) + ", expected " + expected);
}

Status CheckShape(const std::string& what, const Shape& dims) {
  if (static_cast<int64_t>(dims.size()) > kMaxRank) {
    return WrongDims(what, dims, "at most " + std::to_string(kMaxRank) + " axes");
  }
  int64_t elements = 1;  // below 2^30 before each step and dims below 2^25, so the product cannot overflow
  for (const int64_t dim : dims) {
    if (dim < 1 || dim > kMaxDim) return WrongDims(what, dims, "each from 1 to " + std::to_string(kMaxDim));
    elements *= dim;
    if (elements > kMaxElements) return WrongDims(what, dims, "at most " + std::to_string(kMaxElements) + " elements");
  }
  return OkStatus();
}

Result<const Blob*> FindBlob(const char* field, int index, ElementType type, const std::vector<Blob>& blobs) {
  if (index < 0 || static_cast<size_t>(index) >= blobs.size()) {
    return InvalidModel(std::string(field) + ": found blob " + (index == kNone ? "none" : std::to_string(index)) +
                        ", expected an index below " + std::to_string(blobs.size()));
  }
  const Blob* blob = &blobs[static_cast<size_t>(index)];
  if (blob->type != type) {
    return InvalidModel(std::string(field) + ": found " + TypedShapeText(blob->type, blob->dims) + ", expected " +
                        TypeName(type));
  }
  return blob;
}

Status CheckBlobIs(const char* field, int index, ElementType type, const Shape& dims, const std::vector<Blob>& blobs) {
  BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob(field, index, type, blobs));
  if (blob->dims != dims) return WrongDims(field, blob->dims, ShapeText(dims));
  return OkStatus();
}

Status CheckAxis(int64_t axis, const Shape& dims) {
  if (axis >= 0 && axis < static_cast<int64_t>(dims.size())) return OkStatus();
  return InvalidModel("axis: found " + std::to_string(axis) + ", expected an axis of " + ShapeText(dims));
}

Status CheckOnePerAxis(const char* field, const Shape& values, const Shape& dims) {
  if (values.size() == dims.size()) return OkStatus();
  return InvalidModel(std::string(field) + ": found " + std::to_string(values.size()) +
                      " values, expected one for each of " + std::to_string(dims.size()) + " axes");
}

Status CheckValue(const char* field, size_t axis, int64_t found, int64_t low, int64_t high) {
  if (found >= low && found <= high) return OkStatus();
  return InvalidModel(std::string(field) + "[" + std::to_string(axis) + "]: found " + std::to_string(found) +
                      ", expected " + std::to_string(low) + " to " + std::to_string(high));
}

// numpy's rule: align the axes at the end; each pair is equal or one of it is 1.
Result<Shape> Broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t i = 0; i < rank; ++i) {  // from the last axis
    const int64_t dim_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t dim_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (dim_a != dim_b && dim_a != 1 && dim_b != 1) {
      return InvalidModel("inputs: found dims " + ShapeText(a) + " and " + ShapeText(b) +
                          ", expected dims that broadcast");
    }
    out[rank - 1 - i] = dim_a == 1 ? dim_b : dim_a;
  }
  return out;
}

// One overload an operator.
struct DimRules {
  const std::vector<Shape>& inputs;
  const std::vector<Blob>& blobs;

  const Shape& in() const { return inputs[0]; }

  // Constants of one value, or one a channel.
  Status CheckPerChannel(const char* field, int index) const {
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob(field, index, ElementType::kFloat32, blobs));
    const int64_t channels = in().empty() ? 1 : in().back();
    if (blob->dims == Shape{1} || blob->dims == Shape{channels}) return OkStatus();
    return WrongDims(field, blob->dims, "[1] or [" + std::to_string(channels) + "]");
  }

  // Constants of `rows` values, or as many a channel.
  Status CheckTable(const char* field, int index, int64_t rows) const {
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob(field, index, ElementType::kFloat32, blobs));
    const int64_t channels = in().empty() ? 1 : in().back();
    if (blob->dims == Shape{rows, 1} || blob->dims == Shape{rows, channels}) return OkStatus();
    return WrongDims(field, blob->dims, ShapeText({rows, 1}) + " or " + ShapeText({rows, channels}));
  }
  Status CheckAbsent(const char* field, int index, int bits) const {
    if (index == kNone) return OkStatus();
    return InvalidModel(std::string(field) + ": found blob " + std::to_string(index) + ", expected none for " +
                        std::to_string(bits) + " bits");
  }

  // BConv2d, Conv2d and QConv2d.
  Result<Shape> Convolution(const Window2d& window, int64_t groups, int weights, ElementType type) const {
    BNN_ASSIGN_OR_RETURN(Shape out, WindowOutput(window, in(), EveryWindow::kMayBeAllPadding));
    BNN_ASSIGN_OR_RETURN(out[2], OutputChannels(window, groups, weights, type));
    return out;
  }

  // Of a convolution or its transpose, which has such weights.
  Result<int64_t> OutputChannels(const Window2d& window, int64_t groups, int weights, ElementType type) const {
    if (window.whole_map) return InvalidModel("window.whole_map: found true, expected it for pooling only");
    if (groups < 1 || in()[2] % groups != 0) {
      return InvalidModel("groups: found " + std::to_string(groups) + ", expected a divisor of the " +
                          std::to_string(in()[2]) + " input channels");
    }
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob("weights", weights, type, blobs));
    const Shape rest = {window.kernel_h, window.kernel_w, in()[2] / groups};
    if (blob->dims.size() != 4 || !std::equal(rest.begin(), rest.end(), blob->dims.begin() + 1)) {
      return WrongDims("weights", blob->dims, "[out channels] followed by " + ShapeText(rest));
    }
    if (blob->dims[0] % groups != 0) {
      return InvalidModel("groups: found " + std::to_string(groups) + ", expected a divisor of the " +
                          std::to_string(blob->dims[0]) + " output channels");
    }
    return blob->dims[0];
  }

  Status CheckTerms(int64_t terms, int64_t most) const {
    if (terms <= most) return OkStatus();
    return InvalidModel("weights: found " + std::to_string(terms) + " terms a sum, expected at most " +
                        std::to_string(most));
  }

  // Dense and QDense.
  Result<Shape> Flat(int weights, ElementType type) const {
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob("weights", weights, type, blobs));
    const int64_t features = ElementCount(in());
    if (blob->dims.size() != 2 || blob->dims[1] != features) {
      return WrongDims("weights", blob->dims, "[out features] followed by [" + std::to_string(features) + "]");
    }
    return Shape{blob->dims[0]};
  }

  // [out] or none.
  Status CheckBias(int bias, int64_t out) const {
    if (bias == kNone) return OkStatus();
    return CheckBlobIs("bias", bias, ElementType::kFloat32, {out}, blobs);
  }

  // QConv2d and QDense.
  Status CheckQuantized(int64_t terms, int64_t out, int weight_scales, int bias) const {
    BNN_RETURN_IF_ERROR(CheckTerms(terms, kMaxInt8Terms));
    BNN_ASSIGN_OR_RETURN(const Blob* scales, FindBlob("weight_scales", weight_scales, ElementType::kFloat32, blobs));
    if (scales->dims != Shape{1} && scales->dims != Shape{out}) {
      return WrongDims("weight_scales", scales->dims, "[1] or [" + std::to_string(out) + "]");
    }
    return CheckBias(bias, out);
  }

  Result<Shape> SameDims(Status status) const {
    if (!status.ok()) return status;
    return in();
  }

  Result<Shape> operator()(const BConv2d& op) const {
    return Convolution(op.window, op.groups, op.weights, ElementType::kBits);
  }
  Result<Shape> operator()(const BDense& op) const {
    if (in().size() != 1) return WrongDims("input", in(), "one axis");
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob("weights", op.weights, ElementType::kBits, blobs));
    if (blob->dims.size() != 2 || blob->dims[1] != in()[0]) {
      return WrongDims("weights", blob->dims, "[out features] followed by " + ShapeText(in()));
    }
    return Shape{blob->dims[0]};
  }
  Result<Shape> operator()(const BMaxPool& op) const {
    return WindowOutput(op.window, in(), EveryWindow::kNeedsValidTap);
  }
  Result<Shape> operator()(const Binarize& op) const {
    BNN_RETURN_IF_ERROR(CheckBits(op.bits));
    if (op.bits == 1) return SameDims(CheckPerChannel("thresholds", op.thresholds));
    return SameDims(CheckTable("thresholds", op.thresholds, (1 << op.bits) - 1));
  }
  Result<Shape> operator()(const Unpack& op) const {
    BNN_RETURN_IF_ERROR(CheckBits(op.bits));
    if (op.bits > 1) {
      BNN_RETURN_IF_ERROR(CheckAbsent("low", op.low, op.bits));
      BNN_RETURN_IF_ERROR(CheckAbsent("high", op.high, op.bits));
      return SameDims(CheckTable("values", op.values, 1 << op.bits));
    }
    BNN_RETURN_IF_ERROR(CheckAbsent("values", op.values, op.bits));
    BNN_RETURN_IF_ERROR(CheckPerChannel("low", op.low));
    return SameDims(CheckPerChannel("high", op.high));
  }
  Result<Shape> operator()(const Conv2d& op) const {
    BNN_ASSIGN_OR_RETURN(Shape out, Convolution(op.window, op.groups, op.weights, ElementType::kFloat32));
    BNN_RETURN_IF_ERROR(CheckBias(op.bias, out[2]));
    return out;
  }
  Result<Shape> operator()(const Dense& op) const {
    BNN_ASSIGN_OR_RETURN(Shape out, Flat(op.weights, ElementType::kFloat32));
    BNN_RETURN_IF_ERROR(CheckBias(op.bias, out[0]));
    return out;
  }
  Result<Shape> operator()(const Affine& op) const {
    BNN_RETURN_IF_ERROR(CheckPerChannel("scale", op.scale));
    return SameDims(CheckPerChannel("bias", op.bias));
  }
  Result<Shape> operator()(const PRelu& op) const { return SameDims(CheckPerChannel("slope", op.slope)); }
  Result<Shape> operator()(const Clamp&) const { return in(); }
  Result<Shape> operator()(const Unary&) const { return in(); }
  Result<Shape> operator()(const Binary& op) const {
    if (op.constant == kNone) {
      if (op.constant_first) return InvalidModel("constant_first: found true without a constant, expected false");
      return Broadcast(inputs[0], inputs[1]);
    }
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob("constant", op.constant, ElementType::kFloat32, blobs));
    return Broadcast(in(), blob->dims);
  }
  Result<Shape> operator()(const MaxPool& op) const {
    return WindowOutput(op.window, in(), EveryWindow::kNeedsValidTap);
  }
  // With padding counted, the divisor is never 0.
  Result<Shape> operator()(const AvgPool& op) const {
    return WindowOutput(op.window, in(),
                        op.count_include_pad ? EveryWindow::kMayBeAllPadding : EveryWindow::kNeedsValidTap);
  }
  Result<Shape> operator()(const Concat& op) const {
    BNN_RETURN_IF_ERROR(CheckAxis(op.axis, in()));
    const size_t axis = static_cast<size_t>(op.axis);
    Shape out = in();
    for (size_t i = 1; i < inputs.size(); ++i) {
      Shape expected = in();
      if (inputs[i].size() == in().size()) expected[axis] = inputs[i][axis];
      if (inputs[i] != expected) {
        return WrongDims("inputs[" + std::to_string(i) + "]", inputs[i],
                         ShapeText(in()) + " except for axis " + std::to_string(op.axis));
      }
      out[axis] += inputs[i][axis];  // each below 2^25 and fewer than 2^17 inputs
    }
    return out;
  }
  Result<Shape> operator()(const Slice& op) const {
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("begin", op.begin, in()));
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("end", op.end, in()));
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("step", op.step, in()));
    Shape out = in();
    for (size_t i = 0; i < out.size(); ++i) {
      BNN_RETURN_IF_ERROR(CheckValue("end", i, op.end[i], 0, in()[i]));
      BNN_RETURN_IF_ERROR(CheckValue("begin", i, op.begin[i], 0, op.end[i] - 1));
      BNN_RETURN_IF_ERROR(CheckValue("step", i, op.step[i], 1, kMaxDim));
      out[i] = (op.end[i] - op.begin[i] + op.step[i] - 1) / op.step[i];
    }
    return out;
  }
  // A reflection gives the elements of the axis, without the border's own where that is not repeated; unlike it, an
  // edge gives without end.
  Result<Shape> operator()(const Pad& op) const {
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("before", op.before, in()));
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("after", op.after, in()));
    Shape out = in();
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t most = op.mode == PadMode::kReflect     ? in()[i] - 1
                           : op.mode == PadMode::kSymmetric ? in()[i]
                                                            : kMaxDim;
      BNN_RETURN_IF_ERROR(CheckValue("before", i, op.before[i], 0, most));
      BNN_RETURN_IF_ERROR(CheckValue("after", i, op.after[i], 0, most));
      out[i] += op.before[i] + op.after[i];
    }
    return out;
  }
  Result<Shape> operator()(const Transpose& op) const {
    BNN_RETURN_IF_ERROR(CheckOnePerAxis("perm", op.perm, in()));
    Shape sorted = op.perm;
    std::sort(sorted.begin(), sorted.end());
    Shape out = in();
    for (size_t i = 0; i < out.size(); ++i) {
      if (sorted[i] != static_cast<int64_t>(i)) {
        return InvalidModel("perm: found " + ShapeText(op.perm) + ", expected each axis once");
      }
    }
    for (size_t i = 0; i < out.size(); ++i) out[i] = in()[static_cast<size_t>(op.perm[i])];
    return out;
  }
  Result<Shape> operator()(const Reshape&) const {
    return InvalidArgument("the dims of a Reshape are those of its output tensor");
  }
  Result<Shape> operator()(const Softmax& op) const { return SameDims(CheckAxis(op.axis, in())); }
  Result<Shape> operator()(const Quantize&) const { return in(); }
  Result<Shape> operator()(const Dequantize&) const { return in(); }
  Result<Shape> operator()(const QConv2d& op) const {
    BNN_ASSIGN_OR_RETURN(Shape out, Convolution(op.window, op.groups, op.weights, ElementType::kInt8));
    const int64_t terms = op.window.kernel_h * op.window.kernel_w * (in()[2] / op.groups);
    BNN_RETURN_IF_ERROR(CheckQuantized(terms, out[2], op.weight_scales, op.bias));
    return out;
  }
  Result<Shape> operator()(const QDense& op) const {
    BNN_ASSIGN_OR_RETURN(Shape out, Flat(op.weights, ElementType::kInt8));
    BNN_RETURN_IF_ERROR(CheckQuantized(ElementCount(in()), out[0], op.weight_scales, op.bias));
    return out;
  }
  Result<Shape> operator()(const FakeQuantize& op) const {
    BNN_RETURN_IF_ERROR(CheckPerChannel("input_low", op.input_low));
    BNN_RETURN_IF_ERROR(CheckPerChannel("input_high", op.input_high));
    BNN_RETURN_IF_ERROR(CheckPerChannel("output_low", op.output_low));
    return SameDims(CheckPerChannel("output_high", op.output_high));
  }
  Result<Shape> operator()(const ConvTranspose2d& op) const {
    BNN_ASSIGN_OR_RETURN(Shape out, TransposedWindowOutput(op.window, op.output_pad_h, op.output_pad_w, in()));
    BNN_ASSIGN_OR_RETURN(out[2], OutputChannels(op.window, op.groups, op.weights, ElementType::kFloat32));
    BNN_RETURN_IF_ERROR(CheckBias(op.bias, out[2]));
    return out;
  }
  Result<Shape> operator()(const Resize2d& op) const {
    if (in().size() != 3) return WrongDims("input", in(), "[height, width, channels]");
    Shape out = in();
    BNN_RETURN_IF_ERROR(Resized("height", op.height, "scale_h", op.scale_h, &out[0]));
    BNN_RETURN_IF_ERROR(Resized("width", op.width, "scale_w", op.scale_w, &out[1]));
    return out;
  }
  // floor(dim * scale) in float32, as the sources have it.
  static Status Resized(const char* size_field, int64_t size, const char* scale_field, float scale, int64_t* dim) {
    if (size != 0 && scale != 0) {
      return InvalidModel(std::string(size_field) + ": found a size and " + scale_field + ", expected one of them");
    }
    if (size != 0) {
      *dim = size;  // the output's dims are checked
      return OkStatus();
    }
    const float scaled = std::floor(static_cast<float>(*dim) * scale);
    if (!(scaled >= 1 && scaled <= static_cast<float>(kMaxDim))) {
      return InvalidModel(std::string(scale_field) + ": found " + std::to_string(scale) + " for " +
                          std::to_string(*dim) + " rows or columns, expected 1 to " + std::to_string(kMaxDim) +
                          " of them as the result");
    }
    *dim = static_cast<int64_t>(scaled);
    return OkStatus();
  }
  // Increasing, and at least one.
  Status CheckAxes(const Shape& axes) const {
    if (axes.empty()) return InvalidModel("axes: found none, expected at least one");
    for (size_t i = 0; i < axes.size(); ++i) {
      BNN_RETURN_IF_ERROR(
          CheckValue("axes", i, axes[i], i == 0 ? 0 : axes[i - 1] + 1, static_cast<int64_t>(in().size()) - 1));
    }
    return OkStatus();
  }
  Result<Shape> operator()(const Reduce& op) const {
    BNN_RETURN_IF_ERROR(CheckAxes(op.axes));
    Shape out = in();
    for (const int64_t axis : op.axes) out[static_cast<size_t>(axis)] = 1;
    return out;
  }
  Result<Shape> operator()(const Lrn& op) const {
    if (op.size < 1 || op.size > kMaxWindow) {
      return InvalidModel("size: found " + std::to_string(op.size) + ", expected 1 to " + std::to_string(kMaxWindow));
    }
    return SameDims(CheckAxes(op.axes));
  }
  Result<Shape> operator()(const NormalizeL2& op) const { return SameDims(CheckAxes(op.axes)); }
  Result<Shape> operator()(const DetectionOutput& op) const {
    BNN_RETURN_IF_ERROR(CheckRange("classes", op.classes, 1, kMaxDim));
    BNN_RETURN_IF_ERROR(CheckRange("background", op.background, kNone, op.classes - 1));
    BNN_RETURN_IF_ERROR(CheckRange("top_k", op.top_k, 0, kMaxDim));
    BNN_RETURN_IF_ERROR(CheckRange("keep_top_k", op.keep_top_k, 0, kMaxDim));
    BNN_ASSIGN_OR_RETURN(const Blob* blob, FindBlob("priors", op.priors, ElementType::kFloat32, blobs));
    const Shape& dims = blob->dims;
    if (dims.size() != 3 || dims[0] > 2 || dims[1] > kMaxDim || dims[2] != 4) {
      return WrongDims("priors", dims, "[1 or 2, priors, 4]");
    }
    const int64_t priors = dims[1];  // both factors at most 2^24
    const int64_t scores = priors * op.classes;
    const int64_t locations = (op.share_location ? priors : scores) * 4;
    if (in() != Shape{locations}) return WrongDims("inputs[0]", in(), ShapeText({locations}));
    if (inputs[1] != Shape{scores}) return WrongDims("inputs[1]", inputs[1], ShapeText({scores}));
    const int64_t rows = op.keep_top_k > 0 ? op.keep_top_k : op.top_k > 0 ? op.top_k * op.classes : scores;
    return Shape{1, rows, 7};
  }
  static Status CheckRange(const char* field, int64_t found, int64_t low, int64_t high) {
    if (found >= low && found <= high) return OkStatus();
    return InvalidModel(std::string(field) + ": found " + std::to_string(found) + ", expected " + std::to_string(low) +
                        " to " + std::to_string(high));
  }
};

Status CheckInputCount(const Op& op, size_t found) {
  size_t least = 1;
  size_t most = 1;
  if (const auto* binary = std::get_if<Binary>(&op); binary != nullptr && binary->constant == kNone) least = most = 2;
  if (std::holds_alternative<DetectionOutput>(op)) least = most = 2;
  if (std::holds_alternative<Concat>(op)) most = static_cast<size_t>(kMaxTensors);
  if (found >= least && found <= most) return OkStatus();
  return InvalidModel("inputs: found " + std::to_string(found) + ", expected " +
                      (least == most ? std::to_string(least) : "at least " + std::to_string(least)));
}

}  // namespace

Result<std::vector<int64_t>> OutputDims(const Op& op, const std::vector<std::vector<int64_t>>& inputs,
                                        const std::vector<Blob>& blobs) {
  BNN_RETURN_IF_ERROR(CheckInputCount(op, inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    BNN_RETURN_IF_ERROR(CheckShape("inputs[" + std::to_string(i) + "]", inputs[i]));
  }
  BNN_ASSIGN_OR_RETURN(std::vector<int64_t> dims, std::visit(DimRules{inputs, blobs}, op));
  BNN_RETURN_IF_ERROR(CheckShape("output", dims));
  return dims;
}

}  // namespace bnn::formats
