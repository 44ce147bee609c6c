#include "tests/formats/model_reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "formats/ops/detection_output.h"
#include "tests/formats/reference_ops.h"

namespace bnn::formats {
namespace {

using Dims = std::vector<int64_t>;

// An {h, w, c} map.
struct Map {
  explicit Map(const ReferenceTensor& t) : tensor(t), h(t.dims[0]), w(t.dims[1]), c(t.dims[2]) {}
  bool Contains(int64_t y, int64_t x) const { return y >= 0 && y < h && x >= 0 && x < w; }
  float At(int64_t y, int64_t x, int64_t channel) const {
    return tensor.values[static_cast<size_t>((y * w + x) * c + channel)];
  }
  const ReferenceTensor& tensor;
  int64_t h, w, c;
};

// Calls visit(tap, y, x) for each tap of the window at (out_y, out_x); y and x may lie outside the map.
template <typename Visit>
void ForEachTap(const Window2d& window, int64_t out_y, int64_t out_x, Visit visit) {
  for (int64_t i = 0; i < window.kernel_h; ++i) {
    for (int64_t j = 0; j < window.kernel_w; ++j) {
      visit(i * window.kernel_w + j, out_y * window.stride_h + i * window.dilation_h - window.pad_top,
            out_x * window.stride_w + j * window.dilation_w - window.pad_left);
    }
  }
}

class Executor {
 public:
  Executor(const ModelDef& model, const NodeDef& node, const std::vector<ReferenceTensor>& tensors)
      : model_(model), node_(node), tensors_(tensors), out_{model.tensors[static_cast<size_t>(node.output)].dims, {}} {
    out_.values.resize(static_cast<size_t>(ElementCount(out_.dims)));
  }

  ReferenceTensor Run() {
    std::visit([this](const auto& op) { Apply(op); }, node_.op);
    return std::move(out_);
  }

 private:
  const ReferenceTensor& In(size_t i = 0) const { return tensors_[static_cast<size_t>(node_.inputs[i])]; }
  std::vector<float> Constant(int blob) const {
    return blob == kNone ? std::vector<float>{} : BlobValues(model_.blobs[static_cast<size_t>(blob)]);
  }
  int64_t Channels() const { return In().dims.back(); }
  // Of the input's bits, as the number that binary layers compute with.
  float HighestValue() const {
    const TensorDef& in = model_.tensors[static_cast<size_t>(node_.inputs[0])];
    return static_cast<float>((1 << BitsOf(in.type)) - 1);
  }

  // out[i] = f(in[i], channel of i).
  void MapElements(const std::function<float(float, size_t)>& f) {
    for (size_t i = 0; i < out_.values.size(); ++i) {
      out_.values[i] = f(In().values[i], i % static_cast<size_t>(Channels()));
    }
  }
  static float Pick(const std::vector<float>& values, size_t channel) {
    return values.size() == 1 ? values[0] : values[channel];
  }

  // out[y][x][o] = combine(y, x, o).
  void MapPixels(const std::function<float(int64_t, int64_t, int64_t)>& combine) {
    size_t next = 0;
    for (int64_t y = 0; y < out_.dims[0]; ++y) {
      for (int64_t x = 0; x < out_.dims[1]; ++x) {
        for (int64_t o = 0; o < out_.dims[2]; ++o) out_.values[next++] = combine(y, x, o);
      }
    }
  }

  // The sum of value(y, x, in channel) * weight over one window. `value` is asked for padded taps too.
  double Convolve(const Window2d& window, int64_t groups, const std::vector<float>& weights, int64_t y, int64_t x,
                  int64_t o, const std::function<double(int64_t, int64_t, int64_t)>& value) const {
    const int64_t group_in = Channels() / groups, group_out = out_.dims[2] / groups;
    const int64_t first = o / group_out * group_in;
    const int64_t taps = window.kernel_h * window.kernel_w;
    double sum = 0;
    ForEachTap(window, y, x, [&](int64_t tap, int64_t in_y, int64_t in_x) {
      for (int64_t i = 0; i < group_in; ++i) {
        const float w = weights[static_cast<size_t>((o * taps + tap) * group_in + i)];
        sum += value(in_y, in_x, first + i) * static_cast<double>(w);
      }
    });
    return sum;
  }

  void Apply(const BConv2d& op) {
    std::vector<float> weights = Constant(op.weights);
    for (float& w : weights) w = 2 * w - 1;
    const Map in(In());
    const double top = HighestValue();
    const double padded = op.pad_value == PadValue::kOne ? top : op.pad_value == PadValue::kMinusOne ? -top : 0;
    MapPixels([&](int64_t y, int64_t x, int64_t o) {
      const auto value = [&](int64_t in_y, int64_t in_x, int64_t c) {
        return in.Contains(in_y, in_x) ? 2.0 * in.At(in_y, in_x, c) - top : padded;
      };
      return static_cast<float>(Convolve(op.window, op.groups, weights, y, x, o, value));
    });
  }

  void Apply(const Conv2d& op) {
    const std::vector<float> weights = Constant(op.weights), bias = Constant(op.bias);
    const Map in(In());
    MapPixels([&](int64_t y, int64_t x, int64_t o) {
      const auto value = [&](int64_t in_y, int64_t in_x, int64_t c) {
        return in.Contains(in_y, in_x) ? static_cast<double>(in.At(in_y, in_x, c)) : 0.0;
      };
      const double sum = Convolve(op.window, op.groups, weights, y, x, o, value);
      return static_cast<float>(sum + (bias.empty() ? 0.0 : bias[static_cast<size_t>(o)]));
    });
  }

  void Dot(const std::vector<float>& in, const std::vector<float>& weights, const std::vector<float>& bias) {
    for (size_t o = 0; o < out_.values.size(); ++o) {
      double sum = bias.empty() ? 0.0 : bias[o];
      for (size_t i = 0; i < in.size(); ++i) sum += static_cast<double>(in[i]) * weights[o * in.size() + i];
      out_.values[o] = static_cast<float>(sum);
    }
  }
  void Apply(const BDense& op) {
    std::vector<float> weights = Constant(op.weights), in = In().values;
    for (float& w : weights) w = 2 * w - 1;
    for (float& v : in) v = 2 * v - HighestValue();
    Dot(in, weights, {});
  }
  void Apply(const Dense& op) { Dot(In().values, Constant(op.weights), Constant(op.bias)); }

  void Pool(const Window2d& window) {
    const Map in(In());
    MapPixels([&](int64_t y, int64_t x, int64_t o) {
      float best = -std::numeric_limits<float>::infinity();
      ForEachTap(window, y, x, [&](int64_t, int64_t in_y, int64_t in_x) {
        if (in.Contains(in_y, in_x)) best = std::max(best, in.At(in_y, in_x, o));
      });
      return best;
    });
  }
  void Apply(const BMaxPool& op) { Pool(op.window); }
  void Apply(const MaxPool& op) { Pool(op.window); }

  void Apply(const AvgPool& op) {
    const Map in(In());
    const Window2d& window = op.window;
    MapPixels([&](int64_t y, int64_t x, int64_t o) {
      double sum = 0;
      int64_t taps = 0;
      ForEachTap(window, y, x, [&](int64_t, int64_t in_y, int64_t in_x) {
        const bool inside = in.Contains(in_y, in_x);
        if (inside) sum += in.At(in_y, in_x, o);
        const bool in_padded = in_y < in.h + window.pad_bottom && in_x < in.w + window.pad_right;
        if (op.count_include_pad ? in_padded : inside) ++taps;
      });
      return static_cast<float>(sum / static_cast<double>(taps));
    });
  }

  void Apply(const Binarize& op) {
    const std::vector<float> t = Constant(op.thresholds);
    const auto levels = static_cast<size_t>((1 << op.bits) - 1);
    const size_t columns = t.size() / levels;
    MapElements([&](float x, size_t c) {
      float passed = 0;
      for (size_t level = 0; level < levels; ++level) passed += x >= t[level * columns + c % columns] ? 1 : 0;
      return passed;
    });
  }
  void Apply(const Unpack& op) {
    if (op.bits > 1) {
      const std::vector<float> values = Constant(op.values);
      const size_t columns = values.size() >> op.bits;
      MapElements([&](float q, size_t c) { return values[static_cast<size_t>(q) * columns + c % columns]; });
      return;
    }
    const std::vector<float> low = Constant(op.low), high = Constant(op.high);
    MapElements([&](float bit, size_t c) { return bit != 0 ? Pick(high, c) : Pick(low, c); });
  }
  void Apply(const Affine& op) {
    const std::vector<float> scale = Constant(op.scale), bias = Constant(op.bias);
    MapElements([&](float x, size_t c) { return std::fma(x, Pick(scale, c), Pick(bias, c)); });
  }
  void Apply(const PRelu& op) {
    const std::vector<float> slope = Constant(op.slope);
    MapElements([&](float x, size_t c) { return x < 0 ? x * Pick(slope, c) : x; });
  }
  void Apply(const Clamp& op) {
    MapElements([&](float x, size_t) { return x < op.low ? op.low : (x > op.high ? op.high : x); });
  }

  static float ApplyUnary(const Unary& op, float x) {
    const auto hard = [](float v) { return std::max(0.0f, std::min(1.0f, v)); };
    switch (op.kind) {
      case UnaryKind::kSigmoid:
        return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x))));
      case UnaryKind::kHardSigmoid:
        return hard(op.alpha * x + op.beta);
      case UnaryKind::kHardSwish:
        return x * hard(x / 6 + 0.5f);
      case UnaryKind::kTanh:
        return std::tanh(x);
      case UnaryKind::kExp:
        return std::exp(x);
      case UnaryKind::kSqrt:
        return std::sqrt(x);
      case UnaryKind::kAbs:
        return std::fabs(x);
      case UnaryKind::kFloor:
        return std::floor(x);
      case UnaryKind::kCeil:
        return std::ceil(x);
      case UnaryKind::kRound:
        return std::nearbyint(x);
      case UnaryKind::kPow:
        return std::pow(x, op.alpha);
      case UnaryKind::kMish:
      case UnaryKind::kSwish:
      case UnaryKind::kElu:
      case UnaryKind::kSoftplus:
      case UnaryKind::kErf:
      case UnaryKind::kGelu:
      case UnaryKind::kGeluTanh:
      case UnaryKind::kLog:
        return ReferenceActivation(op, static_cast<double>(x));
    }
    return 0;
  }
  void Apply(const Unary& op) {
    MapElements([&](float x, size_t) { return ApplyUnary(op, x); });
  }

  static float ApplyBinary(BinaryKind kind, float a, float b) {
    switch (kind) {
      case BinaryKind::kAdd:
        return a + b;
      case BinaryKind::kSub:
        return a - b;
      case BinaryKind::kMul:
        return a * b;
      case BinaryKind::kDiv:
        return a / b;
      case BinaryKind::kMax:
        return std::max(a, b);
      case BinaryKind::kMin:
        return std::min(a, b);
    }
    return 0;
  }
  // The element of `tensor` that numpy broadcasting puts at `index` of the output.
  static float Broadcast(const ReferenceTensor& tensor, const Dims& index) {
    Dims own(tensor.dims.size());
    for (size_t i = 0; i < own.size(); ++i) {
      own[i] = tensor.dims[i] == 1 ? 0 : index[index.size() - own.size() + i];
    }
    return tensor.values[static_cast<size_t>(Ravel(own, tensor.dims))];
  }
  void Apply(const Binary& op) {
    ReferenceTensor constant;
    if (op.constant != kNone) constant = {model_.blobs[static_cast<size_t>(op.constant)].dims, Constant(op.constant)};
    const ReferenceTensor* a = &In();
    const ReferenceTensor* b = op.constant != kNone ? &constant : &In(1);
    if (op.constant_first) std::swap(a, b);
    for (size_t i = 0; i < out_.values.size(); ++i) {
      const Dims index = Unravel(static_cast<int64_t>(i), out_.dims);
      out_.values[i] = ApplyBinary(op.kind, Broadcast(*a, index), Broadcast(*b, index));
    }
  }

  // out[index] = in[source(index)].
  void Gather(const std::function<Dims(Dims)>& source) {
    for (size_t i = 0; i < out_.values.size(); ++i) {
      const Dims index = source(Unravel(static_cast<int64_t>(i), out_.dims));
      out_.values[i] = In().values[static_cast<size_t>(Ravel(index, In().dims))];
    }
  }
  void Apply(const Concat& op) {
    const auto axis = static_cast<size_t>(op.axis);
    int64_t begin = 0;
    for (size_t input = 0; input < node_.inputs.size(); ++input) {
      const ReferenceTensor& in = In(input);
      for (size_t i = 0; i < in.values.size(); ++i) {
        Dims index = Unravel(static_cast<int64_t>(i), in.dims);
        index[axis] += begin;
        out_.values[static_cast<size_t>(Ravel(index, out_.dims))] = in.values[i];
      }
      begin += in.dims[axis];
    }
  }
  void Apply(const Slice& op) {
    Gather([&](Dims index) {
      for (size_t i = 0; i < index.size(); ++i) index[i] = op.begin[i] + index[i] * op.step[i];
      return index;
    });
  }
  void Apply(const Pad& op) {
    for (size_t i = 0; i < out_.values.size(); ++i) {
      Dims index = Unravel(static_cast<int64_t>(i), out_.dims);
      bool inside = true;
      for (size_t axis = 0; axis < index.size(); ++axis) {
        const int64_t last = In().dims[axis] - 1;
        int64_t at = index[axis] - op.before[axis];
        inside = inside && at >= 0 && at <= last;
        if (op.mode == PadMode::kEdge) at = std::clamp<int64_t>(at, 0, last);
        if (op.mode == PadMode::kReflect) at = at < 0 ? -at : at > last ? 2 * last - at : at;
        if (op.mode == PadMode::kSymmetric) at = at < 0 ? -1 - at : at > last ? 2 * last + 1 - at : at;
        index[axis] = at;
      }
      const bool constant = op.mode == PadMode::kConstant && !inside;
      out_.values[i] = constant ? op.value : In().values[static_cast<size_t>(Ravel(index, In().dims))];
    }
  }
  void Apply(const Transpose& op) {
    Gather([&](const Dims& index) {
      Dims source(index.size());
      for (size_t i = 0; i < index.size(); ++i) source[static_cast<size_t>(op.perm[i])] = index[i];
      return source;
    });
  }
  void Apply(const Reshape&) { out_.values = In().values; }

  void Apply(const Quantize& op) {
    const IntegerRange range = RangeOf(op.type);
    const auto low = static_cast<float>(range.low), high = static_cast<float>(range.high);
    MapElements([&](float x, size_t) {
      const float q = std::nearbyint(x / op.to.scale) + static_cast<float>(op.to.zero_point);
      return q >= low ? std::min(q, high) : low;
    });
  }
  void Apply(const Dequantize& op) {
    MapElements([&](float q, size_t) { return (q - static_cast<float>(op.from.zero_point)) * op.from.scale; });
  }

  // What follows the integer sum of QConv2d and QDense for output channel `o`.
  template <typename QuantizedLayer>
  std::function<float(double, size_t)> Scaled(const QuantizedLayer& op) const {
    const std::vector<float> scales = Constant(op.weight_scales), bias = Constant(op.bias);
    const float input_scale = op.input.scale;
    return [scales, bias, input_scale](double sum, size_t o) {
      const float scaled = static_cast<float>(sum) * (input_scale * Pick(scales, o));
      return bias.empty() ? scaled : scaled + bias[o];
    };
  }
  void Apply(const QConv2d& op) {
    const std::vector<float> weights = Constant(op.weights);
    const std::function<float(double, size_t)> scaled = Scaled(op);
    const Map in(In());
    MapPixels([&](int64_t y, int64_t x, int64_t o) {
      const auto value = [&](int64_t in_y, int64_t in_x, int64_t c) {
        return in.Contains(in_y, in_x) ? static_cast<double>(in.At(in_y, in_x, c)) - op.input.zero_point : 0.0;
      };
      return scaled(Convolve(op.window, op.groups, weights, y, x, o, value), static_cast<size_t>(o));
    });
  }
  void Apply(const QDense& op) {
    const std::vector<float> weights = Constant(op.weights), &in = In().values;
    const std::function<float(double, size_t)> scaled = Scaled(op);
    for (size_t o = 0; o < out_.values.size(); ++o) {
      double sum = 0;
      for (size_t i = 0; i < in.size(); ++i) {
        sum += (static_cast<double>(in[i]) - op.input.zero_point) * weights[o * in.size() + i];
      }
      out_.values[o] = scaled(sum, o);
    }
  }

  void Apply(const FakeQuantize& op) {
    const std::vector<float> il = Constant(op.input_low), ih = Constant(op.input_high);
    const std::vector<float> ol = Constant(op.output_low), oh = Constant(op.output_high);
    MapElements([&](float x, size_t c) {
      return ReferenceFakeQuantize(x, op.levels, Pick(il, c), Pick(ih, c), Pick(ol, c), Pick(oh, c));
    });
  }
  void Apply(const ConvTranspose2d& op) {
    ReferenceConvTranspose(op, In(), Constant(op.weights), Constant(op.bias), &out_);
  }
  void Apply(const Resize2d& op) { ReferenceResize(op, In(), &out_); }
  void Apply(const Reduce& op) { ReferenceReduce(op, In(), &out_); }
  void Apply(const Lrn& op) { ReferenceLrn(op, In(), &out_); }
  void Apply(const NormalizeL2& op) { ReferenceNormalizeL2(op, In(), &out_); }

  void Apply(const DetectionOutput& op) {
    const std::vector<float> priors = Constant(op.priors);
    const bool has_variances = model_.blobs[static_cast<size_t>(op.priors)].dims[0] == 2;
    out_.values = Detect(op, In().values, In(1).values, priors, has_variances, out_.dims[1]);
  }

  void Apply(const Softmax& op) {
    const auto axis = static_cast<size_t>(op.axis);
    for (size_t i = 0; i < out_.values.size(); ++i) {
      Dims index = Unravel(static_cast<int64_t>(i), out_.dims);
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      const auto at = [&](int64_t k) {
        index[axis] = k;
        return static_cast<double>(In().values[static_cast<size_t>(Ravel(index, out_.dims))]);
      };
      for (int64_t k = 0; k < out_.dims[axis]; ++k) largest = std::max(largest, at(k));
      for (int64_t k = 0; k < out_.dims[axis]; ++k) sum += std::exp(at(k) - largest);
      const double x = In().values[i] - largest;
      out_.values[i] = static_cast<float>(op.log ? x - std::log(sum) : std::exp(x) / sum);
    }
  }

  const ModelDef& model_;
  const NodeDef& node_;
  const std::vector<ReferenceTensor>& tensors_;
  ReferenceTensor out_;
};

}  // namespace

std::vector<float> BlobValues(const Blob& blob) {
  std::vector<float> values(static_cast<size_t>(ElementCount(blob.dims)));
  if (blob.type == ElementType::kFloat32) {
    std::memcpy(values.data(), blob.data.data(), values.size() * sizeof(float));
    return values;
  }
  if (blob.type == ElementType::kInt8 || blob.type == ElementType::kUInt8) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto byte = static_cast<uint8_t>(blob.data[i]);
      values[i] = blob.type == ElementType::kInt8 ? static_cast<int8_t>(byte) : byte;
    }
    return values;
  }
  const size_t columns = values.size() / static_cast<size_t>(blob.dims[0]);
  const size_t row_bytes = (columns + 31) / 32 * 4;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t row = i / columns, column = i % columns;
    const auto byte = static_cast<unsigned>(blob.data[row * row_bytes + column / 8]);
    values[i] = static_cast<float>(byte >> (column % 8) & 1u);
  }
  return values;
}

std::vector<ReferenceTensor> RunReference(const ModelDef& model, const std::vector<std::vector<float>>& inputs) {
  std::vector<ReferenceTensor> tensors(model.tensors.size());
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const auto tensor = static_cast<size_t>(model.inputs[i].tensor);
    tensors[tensor] = {model.tensors[tensor].dims, inputs[i]};
  }
  for (const NodeDef& node : model.nodes) {
    ReferenceTensor out = Executor(model, node, tensors).Run();
    tensors[static_cast<size_t>(node.output)] = std::move(out);
  }
  return tensors;
}

std::vector<std::vector<float>> ReferenceOutputs(const ModelDef& model, const std::vector<std::vector<float>>& inputs) {
  std::vector<ReferenceTensor> tensors = RunReference(model, inputs);
  std::vector<std::vector<float>> outputs;
  for (const int output : model.outputs) outputs.push_back(tensors[static_cast<size_t>(output)].values);
  return outputs;
}

}  // namespace bnn::formats
