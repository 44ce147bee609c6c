// Int8 layers on processors whose int8 instructions are not exact.
//
// A float32 holds every integer up to 2^24. While all partial sums of a layer stay below that, whatever their order, a
// float convolution of the integers is exact: for every output channel, sum |w| * max |q - zero_point| <= 2^24. Weights
// that were quantized from bell-shaped ones have a mean magnitude of about 32, so that holds up to some 2,000 terms a
// sum. It runs at the speed of a float layer. Beyond, plain loops sum in 32 bits.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/ops/int8_exact.h"
#include "engine/ops/int8_layer.h"
#include "engine/ops/part_runner.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

constexpr int64_t kExactFloat = int64_t{1} << 24;

bool FloatSumsAreExact(const Int8Layer& layer, const int8_t* weights) {
  const formats::IntegerRange range = formats::RangeOf(layer.src_type);
  const int64_t zero_point = layer.finish.src_zero_point;
  const int64_t most = std::max(range.high - zero_point, zero_point - range.low);
  for (int64_t o = 0; o < layer.shape.out_c; ++o) {
    int64_t sum = 0;
    for (int64_t i = 0; i < layer.terms(); ++i) sum += std::abs(int64_t{weights[o * layer.terms() + i]});
    if (sum * most > kExactFloat) return false;
  }
  return true;
}

// Integers as floats: widened input and sums lie in scratch.
class FloatSumsStep final : public ExactInt8Step {
 public:
  FloatSumsStep(StepContext& context, const Int8Layer& layer, PartPlan plan)
      : ExactInt8Step(context, layer), runner_(layer.node.name, std::move(plan), context.plan.threads) {
    scratch = context.AddScratch(runner_.scratch_bytes() + (in_count_ + out_count_) * kFloatBytes);
    description.kernel = runner_.kernel_name() + " on integers";
    description.weight_bytes = runner_.weight_bytes();
  }

  std::unique_ptr<StepState> MakeState() const override { return runner_.MakeState(); }

  Status Run(const RunContext& context) const override {
    std::byte* memory = context.Bytes(scratch);
    auto* wide = reinterpret_cast<float*>(memory + runner_.scratch_bytes());
    float* sums = wide + in_count_;
    Widen(context, wide);
    BNN_RETURN_IF_ERROR(runner_.Run(*context.pool, context.state, wide, sums, memory));
    FinishAll(context, sums);
    return OkStatus();
  }

 private:
  static constexpr int64_t kFloatBytes = 4;

  PartRunner runner_;
};

// The convolution of the widened integers, without anything behind it.
PartPlan PlanFloatSums(const Int8Layer& layer, const int8_t* weights) {
  const std::vector<float> wide(weights, weights + layer.shape.out_c * layer.terms());
  std::vector<memory> reordered;
  return PlanWindow(layer.shape, WindowWork(layer.shape, layer.macs(), sizeof(float)), [&](const WindowShape& part) {
    const auto desc = onednn::ConvolutionDesc(
        onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c),
        onednn::PreferredWeights(part.window, part.in_c, part.out_c, layer.groups), memory::desc(),
        onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c), part.window);
    for (const memory& known : reordered) {
      if (known.get_desc() == desc.weights_desc()) return onednn::MakeKernel(desc, known, memory());
    }
    reordered.push_back(onednn::Constant(
        wide.data(), onednn::ModelWeights(part.window, part.in_c, part.out_c, layer.groups), desc.weights_desc()));
    return onednn::MakeKernel(desc, reordered.back(), memory());
  });
}

}  // namespace

Result<StepPtr> MakeExactInt8Layer(StepContext& context, const Int8Layer& layer, const std::string& reason) {
  const std::shared_ptr<const int8_t> source = Int8Weights(context, layer);
  const int8_t* weights = source.get();
  StepPtr step;
  if (FloatSumsAreExact(layer, weights)) {
    BNN_RETURN_IF_ERROR(onednn::Guard(layer.node.name, [&] {
      step = std::make_unique<FloatSumsStep>(context, layer, PlanFloatSums(layer, weights));
      return OkStatus();
    }));
    step->description.reason = reason + "; sums fit float32";
  } else {
    step = MakePlainSumsStep(context, layer);
    step->description.reason = reason + "; sums exceed float32";
  }
  return step;
}

}  // namespace bnn::engine
