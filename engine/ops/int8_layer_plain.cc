// Int8 layers without oneDNN.
#include <string>

#include "engine/ops/int8_exact.h"
#include "engine/ops/int8_layer.h"

namespace bnn::engine {

Result<StepPtr> MakeInt8Layer(StepContext& context, const Group& group) {
  BNN_ASSIGN_OR_RETURN(const Int8Layer layer, DescribeInt8Layer(context, group));
  std::string refusal;
  if (StepPtr stem = MakeInt8Stem(context, layer, &refusal)) return stem;
  StepPtr step = MakePlainSumsStep(context, layer);
  step->description.reason = refusal;
  return step;
}

}  // namespace bnn::engine
