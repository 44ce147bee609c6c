// Resize2d of NHWC maps: where each row and column of the output reads is found once, when the step is made.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

using formats::Coordinates;
using formats::Nearest;
using formats::ResizeKind;

// One row or column of the output: (1 - weight) * first + weight * second.
struct Source {
  int64_t first = 0, second = 0;
  float weight = 0;
};

// Where the output's pixel `at` lies on an axis of the input. float32, in the order of the sources.
float Place(Coordinates coordinates, int64_t at, int64_t in, int64_t out, float scale) {
  const auto y = static_cast<float>(at);
  switch (coordinates) {
    case Coordinates::kHalfPixel:
      return (y + 0.5f) / scale - 0.5f;
    case Coordinates::kAsymmetric:
      return y / scale;
    case Coordinates::kAlignCorners:
      return out == 1 ? 0.0f : y * static_cast<float>(in - 1) / static_cast<float>(out - 1);
    case Coordinates::kPytorchHalfPixel:
      return out == 1 ? 0.0f : (y + 0.5f) / scale - 0.5f;
    case Coordinates::kTfHalfPixel:
      return (y + 0.5f) / scale;
  }
  return 0;
}

// In double, where adding or subtracting a half is exact.
double NearestTo(Nearest nearest, double place) {
  switch (nearest) {
    case Nearest::kPreferFloor:
      return std::ceil(place - 0.5);
    case Nearest::kPreferCeil:
      return std::floor(place + 0.5);
    case Nearest::kFloor:
      return std::floor(place);
    case Nearest::kCeil:
      return std::ceil(place);
  }
  return 0;
}

std::vector<Source> SourcesOf(const formats::Resize2d& op, int64_t in, int64_t out, float scale) {
  if (scale == 0) scale = static_cast<float>(out) / static_cast<float>(in);
  const auto last = static_cast<float>(in - 1);
  std::vector<Source> sources(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    Source& source = sources[static_cast<size_t>(i)];
    const float place = Place(op.coordinates, i, in, out, scale);
    if (op.kind == ResizeKind::kNearest) {
      const double nearest = NearestTo(op.nearest, static_cast<double>(place));
      source.first = static_cast<int64_t>(std::clamp(nearest, 0.0, static_cast<double>(last)));
      continue;
    }
    const float inside = std::clamp(place, 0.0f, last);
    source.first = static_cast<int64_t>(inside);
    source.second = std::min(source.first + 1, in - 1);
    source.weight = inside - static_cast<float>(source.first);
  }
  return sources;
}

class Resize2dStep final : public Step {
 public:
  Resize2dStep(const StepContext& context, const FloatNode& node, const formats::Resize2d& op)
      : is_linear_(op.kind == ResizeKind::kLinear) {
    const std::vector<int64_t>& in = context.Tensor(node.inputs[0]).dims;
    const std::vector<int64_t>& out = context.Tensor(node.output).dims;
    in_h_ = in[0], in_w_ = in[1], channels_ = in[2];
    rows_ = SourcesOf(op, in[0], out[0], op.scale_h);
    columns_ = SourcesOf(op, in[1], out[1], op.scale_w);
    batch_ = context.plan.batch;
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = is_linear_ ? "resize linear" : "resize nearest";
    description.kernel = "plain";
    description.shape = DimsText(in) + " -> " + DimsText(out);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const auto out_h = static_cast<int64_t>(rows_.size());
    const int64_t row_size = static_cast<int64_t>(columns_.size()) * channels_;
    ParallelItems(*context.pool, batch_ * out_h, row_size, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* image = in + row / out_h * in_h_ * in_w_ * channels_;
        const Source& source = rows_[static_cast<size_t>(row % out_h)];
        if (is_linear_) {
          LinearRow(image, source, out + row * row_size);
        } else {
          NearestRow(image, source, out + row * row_size);
        }
      }
    });
    return OkStatus();
  }

 private:
  void NearestRow(const float* image, const Source& row, float* out) const {
    const float* in = image + row.first * in_w_ * channels_;
    for (const Source& column : columns_) {
      std::memcpy(out, in + column.first * channels_, static_cast<size_t>(channels_) * sizeof(float));
      out += channels_;
    }
  }

  void LinearRow(const float* image, const Source& row, float* out) const {
    const float* top = image + row.first * in_w_ * channels_;
    const float* bottom = image + row.second * in_w_ * channels_;
    for (const Source& column : columns_) {
      const float down = row.weight, right = column.weight;
      const float weights[] = {(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right};
      const float* corners[] = {top + column.first * channels_, top + column.second * channels_,
                                bottom + column.first * channels_, bottom + column.second * channels_};
      for (int64_t c = 0; c < channels_; ++c) {
        out[c] = corners[0][c] * weights[0] + corners[1][c] * weights[1] + corners[2][c] * weights[2] +
                 corners[3][c] * weights[3];
      }
      out += channels_;
    }
  }

  const bool is_linear_;
  int64_t batch_ = 1, in_h_ = 0, in_w_ = 0, channels_ = 0;
  std::vector<Source> rows_, columns_;  // of the output
};

}  // namespace

Result<StepPtr> MakeResize2d(StepContext& context, const FloatNode& node, const formats::Resize2d& op) {
  return StepPtr(std::make_unique<Resize2dStep>(context, node, op));
}

}  // namespace bnn::engine
