// The int8 convolution of an image, whose few channels fill oneDNN's products badly (kernels/stem8).
#include <algorithm>
#include <memory>
#include <utility>

#include "engine/aligned_buffer.h"
#include "engine/ops/int8_layer.h"
#include "engine/ops/loops.h"
#include "engine/ops/selection.h"
#include "engine/ops/strips.h"
#include "kernels/stem8/stem8.h"

namespace bnn::engine {
namespace {

using formats::ElementType;
using kernels::Stem8Kernel;
using kernels::Stem8Shape;

// With 4, oneDNN's products are full.
constexpr int64_t kMostChannels = 3;

// oneDNN multiplies a quad a tap. What stem8 saves must pay for gathering the terms of a pixel, which it does once for
// 64 output channels. Measured on a Zen 5, oneDNN's time by ours: 7x7, which saves 12 quads of 49, to 64 channels 1.3,
// to 32 channels 1.1, to 48 channels 0.8, to 16 channels 0.5; 3x3, which saves 2 of 9, to 64 channels 0.8.
bool IsFasterThanOneDnn(const Stem8Shape& shape) {
  constexpr int64_t kChannels = 64, kQuadsSaved = 12;
  return shape.out_c % kChannels == 0 && shape.kernel_h * shape.kernel_w - shape.quads() >= kQuadsSaved;
}

class Stem8Weights final : public WeightForm {
 public:
  // A blob's dims are its geometry, so it has one form of this kind.
  static std::shared_ptr<const Stem8Weights> Of(WeightStore& store, int blob, const Stem8Shape& shape) {
    return store.Get<Stem8Weights>(
        blob, [](const Stem8Weights&) { return true; },
        [&](const std::byte* source) { return std::make_shared<const Stem8Weights>(shape, source); });
  }

  Stem8Weights(const Stem8Shape& shape, const std::byte* source)
      : shape_(shape), packed_(static_cast<size_t>(kernels::Stem8PackedBytes(shape))) {
    kernels::PackStem8(shape, reinterpret_cast<const int8_t*>(source), packed_.data());
  }

  const int8_t* packed() const { return packed_.data(); }

  int64_t bytes() const override { return static_cast<int64_t>(packed_.bytes()); }
  bool is_restorable() const override { return true; }
  void Restore(std::byte* source) const override {
    kernels::UnpackStem8(shape_, packed_.data(), reinterpret_cast<int8_t*>(source));
  }

 private:
  const Stem8Shape shape_;
  AlignedBuffer<int8_t> packed_;
};

class Int8StemStep final : public StripStep, public RowMaker {
 public:
  Int8StemStep(StepContext& context, const Int8Layer& layer, const Stem8Shape& shape, const Stem8Kernel& kernel)
      : StripStep(layer.node.output),
        kernel_(kernel),
        shape_(shape),
        slots_(std::min<int64_t>(context.plan.threads, shape.batch * shape.out_h)),
        in_is_signed_(layer.src_type == ElementType::kInt8),
        finish_(layer.finish),
        weights_(Stem8Weights::Of(context.weights, layer.weights, shape)) {
    inputs = layer.node.inputs;
    outputs = {layer.node.output};
    description.name = layer.node.name;
    description.op = layer.op;
    description.kernel = kernel.name;
    description.shape = layer.shape_text;
    description.macs = layer.macs();
    description.is_int8 = true;
    description.weight_bytes = weights_->bytes();
  }

  bool passes_rows_on() const override { return true; }
  const RowMaker* row_maker() const override { return has_readers() ? nullptr : this; }

  void MakeRows(const RunContext& context, int64_t begin, int64_t end, float* rows) const override {
    kernels::Stem8Args args;
    args.in = reinterpret_cast<const uint8_t*>(context.Bytes(inputs[0]));
    args.in_is_signed = in_is_signed_;
    args.zero_point = finish_.src_zero_point;
    args.weights = weights_->packed();
    args.scale = finish_.scale.data();
    args.bias = finish_.bias.empty() ? nullptr : finish_.bias.data();
    args.low = finish_.low;
    args.high = finish_.high;
    args.out = rows;
    args.first_row = begin;
    args.row_begin = begin;
    args.row_end = end;
    kernel_.run(shape_, args);
  }

  Status Run(const RunContext& context) const override {
    const int64_t rows = shape_.batch * shape_.out_h;
    float* map_rows = keeps_map() ? context.Floats(map()) : nullptr;
    if (!has_readers()) {
      ParallelItems(*context.pool, rows, row_floats() * shape_.terms(), [&](int64_t begin, int64_t end) {
        MakeRows(context, begin, end, map_rows + begin * row_floats());
      });
      return OkStatus();
    }
    ParallelFor(*context.pool, slots_, [&](int64_t first, int64_t last) {
      for (int64_t slot = first; slot < last; ++slot) {
        float* strip = map_rows == nullptr ? context.Floats(scratch) + slot * strip_floats() : nullptr;
        const int64_t end = rows * (slot + 1) / slots_;
        for (int64_t row = rows * slot / slots_; row < end; row += strip_rows()) {
          float* to = map_rows != nullptr ? map_rows + row * row_floats() : strip;
          MakeRows(context, row, std::min(end, row + strip_rows()), to);
          PassOn(context, row, std::min(end, row + strip_rows()), to);
        }
      }
    });
    return OkStatus();
  }

 protected:
  void PlaceScratch(StepContext* context) override {
    constexpr auto kBytes = static_cast<int64_t>(sizeof(float));
    scratch = keeps_map() ? -1 : context->AddScratch(slots_ * strip_floats() * kBytes);
  }

 private:
  static constexpr int64_t kStripFloats = int64_t{1} << 15;  // a part of the second level of a core's cache

  int64_t row_floats() const { return shape_.out_w * shape_.out_c; }
  int64_t strip_rows() const { return std::max<int64_t>(1, kStripFloats / row_floats()); }
  int64_t strip_floats() const { return strip_rows() * row_floats(); }  // whole cache lines: out_c is so many

  const Stem8Kernel& kernel_;  // of the static table
  const Stem8Shape shape_;
  const int64_t slots_;  // strips that may be in work at once
  const bool in_is_signed_;
  const Int8Finish finish_;
  const std::shared_ptr<const Stem8Weights> weights_;
};

Stem8Shape StemShapeOf(const WindowShape& s) {
  Stem8Shape shape;
  shape.batch = s.batch;
  shape.in_h = s.in_h, shape.in_w = s.in_w, shape.in_c = s.in_c;
  shape.kernel_h = s.window.kernel_h, shape.kernel_w = s.window.kernel_w;
  shape.stride_h = s.window.stride_h, shape.stride_w = s.window.stride_w;
  shape.dilation_h = s.window.dilation_h, shape.dilation_w = s.window.dilation_w;
  shape.pad_top = s.window.pad_top, shape.pad_left = s.window.pad_left;
  shape.out_h = s.out_h, shape.out_w = s.out_w, shape.out_c = s.out_c;
  return shape;
}

}  // namespace

StepPtr MakeInt8Stem(StepContext& context, const Int8Layer& layer, std::string* refusal) {
  if (layer.shape.in_c > kMostChannels || layer.groups > 1 || layer.op.rfind("qconv2d", 0) != 0) return nullptr;
  if (layer.dst_type != ElementType::kFloat32) {
    AppendRefusal(refusal, "stem8", "writes floats only");
    return nullptr;
  }
  const Stem8Shape shape = StemShapeOf(layer.shape);
  if (!IsFasterThanOneDnn(shape)) {
    AppendRefusal(refusal, "stem8", "saves fewer products than gathering costs");
    return nullptr;
  }
  const Stem8Kernel* kernel = kernels::SelectStem8(shape, context.plan.max_isa, AppendRefusal, refusal);
  if (kernel->isa == kernels::Isa::kReference) return nullptr;
  return std::make_unique<Int8StemStep>(context, layer, shape, *kernel);
}

}  // namespace bnn::engine
