// Transposed convolution without oneDNN: every output pixel gathers from the input pixels that add to it.
#include <cstdint>
#include <memory>
#include <string>

#include "engine/aligned_buffer.h"
#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"
#include "engine/ops/window_parts.h"

namespace bnn::engine {
namespace {

class ConvTransposeStep final : public Step {
 public:
  ConvTransposeStep(const StepContext& context, const FloatNode& node, const formats::ConvTranspose2d& op,
                    const WindowShape& shape)
      : shape_(shape),
        group_in_(shape.in_c / op.groups),
        group_out_(shape.out_c / op.groups),
        terms_(op.window.kernel_h * op.window.kernel_w * group_in_),
        weights_(context.SharedFloats(op.weights)),
        bias_(context.BiasOrZeros(op.bias, shape.out_c)) {
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.op = "conv_transpose2d";
    description.kernel = "plain";
    description.shape = ShapeText(shape) + " g" + std::to_string(op.groups);
    description.macs = shape.batch * shape.in_h * shape.in_w * shape.out_c * terms_;
    description.weight_bytes = shape.out_c * terms_ * static_cast<int64_t>(sizeof(float));
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    const WindowShape& s = shape_;
    ParallelItems(*context.pool, s.batch * s.out_h * s.out_w, s.out_c * terms_, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const float* image = in + p / (s.out_h * s.out_w) * s.in_h * s.in_w * s.in_c;
        Pixel(image, p / s.out_w % s.out_h, p % s.out_w, out + p * s.out_c);
      }
    });
    return OkStatus();
  }

 private:
  // The input position of which `tap` adds to output position `at`, or -1.
  static int64_t Source(int64_t at, int64_t pad, int64_t tap, int64_t dilation, int64_t stride, int64_t size) {
    const int64_t scaled = at + pad - tap * dilation;
    return scaled >= 0 && scaled % stride == 0 && scaled / stride < size ? scaled / stride : -1;
  }

  void Pixel(const float* image, int64_t row, int64_t col, float* out) const {
    const formats::Window2d& w = shape_.window;
    for (int64_t o = 0; o < shape_.out_c; ++o) out[o] = bias_[static_cast<size_t>(o)];
    for (int64_t i = 0; i < w.kernel_h; ++i) {
      const int64_t y = Source(row, w.pad_top, i, w.dilation_h, w.stride_h, shape_.in_h);
      for (int64_t j = 0; y >= 0 && j < w.kernel_w; ++j) {
        const int64_t x = Source(col, w.pad_left, j, w.dilation_w, w.stride_w, shape_.in_w);
        if (x < 0) continue;
        const float* pixel = image + (y * shape_.in_w + x) * shape_.in_c;
        const float* tap = weights_.get() + (i * w.kernel_w + j) * group_in_;
        for (int64_t o = 0; o < shape_.out_c; ++o) {
          const float* from = pixel + o / group_out_ * group_in_;
          float sum = 0;
          for (int64_t c = 0; c < group_in_; ++c) sum += from[c] * tap[o * terms_ + c];
          out[o] += sum;
        }
      }
    }
  }

  const WindowShape shape_;
  const int64_t group_in_, group_out_, terms_;
  const std::shared_ptr<const float> weights_;  // as the file has them
  const AlignedBuffer<float> bias_;
};

}  // namespace

Result<StepPtr> MakeConvTranspose2d(StepContext& context, const FloatNode& node, const formats::ConvTranspose2d& op) {
  BNN_ASSIGN_OR_RETURN(const WindowShape shape, WindowShapeOf(context, node, op.window));
  return StepPtr(std::make_unique<ConvTransposeStep>(context, node, op, shape));
}

}  // namespace bnn::engine
