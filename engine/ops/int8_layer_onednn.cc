// Int8 layers through oneDNN's int8 convolution, unless our own kernel takes them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/ops/int8_layer.h"
#include "engine/ops/onednn_weights.h"
#include "engine/ops/part_runner.h"
#include "engine/ops/selection.h"

namespace bnn::engine {
namespace {

using formats::ElementType;
using onednn::DataType;

// An int8 product costs about a quarter of a float one (see kPartMacs).
constexpr int64_t kMacsPerFloatMac = 4;

DataType TypeOf(ElementType type) {
  switch (type) {
    case ElementType::kInt8:
      return DataType::s8;
    case ElementType::kUInt8:
      return DataType::u8;
    case ElementType::kFloat32:
    case ElementType::kBits:
    case ElementType::kBits2:
    case ElementType::kBits3:
    case ElementType::kBits4:
      return DataType::f32;
  }
  return DataType::undef;
}

PartPlan PlanInt8(const StepContext& context, const Int8Layer& layer) {
  const DataType src = TypeOf(layer.src_type), dst = TypeOf(layer.dst_type);
  std::vector<std::shared_ptr<const WeightForm>> forms;  // parts of different shape mostly like the same one
  const auto make = [&](const WindowShape& part) {
    const auto desc = onednn::Int8ConvolutionDesc(
        onednn::Nhwc(part.batch, part.in_h, part.in_w, part.in_c, src),
        onednn::PreferredWeights(part.window, part.in_c, part.out_c, layer.groups, DataType::s8),
        onednn::Nhwc(part.batch, part.out_h, part.out_w, part.out_c, dst), part.window, layer.groups, layer.finish);
    const auto weights =
        onednn::Weights::Of(context.weights, layer.weights,
                            {{0, onednn::ModelWeights(part.window, part.in_c, part.out_c, layer.groups, DataType::s8),
                              desc.weights_desc()}});
    forms.push_back(weights);
    return onednn::MakeInt8Kernel(desc, weights->block(0), layer.finish);
  };
  PartPlan plan = PlanWindow(layer.shape, WindowWork(layer.shape, layer.macs() / kMacsPerFloatMac, 1), make);
  plan.forms = std::move(forms);
  plan.src_bytes = 1;
  plan.dst_bytes = layer.dst_type == ElementType::kFloat32 ? 4 : 1;
  return plan;
}

}  // namespace

Result<StepPtr> MakeInt8Layer(StepContext& context, const Group& group) {
  BNN_ASSIGN_OR_RETURN(const Int8Layer layer, DescribeInt8Layer(context, group));
  std::string refusal;
  if (StepPtr stem = MakeInt8Stem(context, layer, &refusal)) return stem;
  if (!onednn::Int8SumsAreExact()) {
    return MakeExactInt8Layer(context, layer,
                              JoinReasons(refusal, "without VNNI instructions, int8 products saturate"));
  }
  if (!onednn::CanFinish(layer.finish)) {
    return MakeExactInt8Layer(context, layer, JoinReasons(refusal, "a scale of 0, which oneDNN 2 divides by"));
  }
  StepPtr step;
  const Status made = onednn::Guard(layer.node.name, [&] {
    step = std::make_unique<PartStep>(context, layer.node, PlanInt8(context, layer), PartStep::PartsOf::kRows);
    return OkStatus();
  });
  if (made.code() == StatusCode::kUnsupported) {
    return MakeExactInt8Layer(context, layer, JoinReasons(refusal, "oneDNN has no such int8 convolution on this CPU"));
  }
  BNN_RETURN_IF_ERROR(made);
  step->description.op = layer.op;
  step->description.shape = layer.shape_text;
  step->description.reason = JoinReasons(refusal, step->description.reason);
  step->description.macs = layer.macs();
  step->description.is_int8 = true;
  return step;
}

}  // namespace bnn::engine
