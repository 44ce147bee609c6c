#include "engine/ops/strips.h"

#include <algorithm>
#include <utility>

#include "engine/ops/selection.h"

namespace bnn::engine {

void StripStep::TakeReader(StepContext* context, StepPtr reader, bool keeps_map) {
  const StepDescription& from = reader->description;
  description.op += "+" + from.op;
  description.weight_bytes += from.weight_bytes;
  description.reason = JoinReasons(description.reason, from.kernel + " strip by strip");
  description.reason = JoinReasons(description.reason, from.reason);
  if (keeps_map_ && !keeps_map) outputs.erase(std::find(outputs.begin(), outputs.end(), map_));
  keeps_map_ = keeps_map;
  outputs.insert(outputs.end(), reader->outputs.begin(), reader->outputs.end());
  readers_.push_back(std::move(reader));
  PlaceScratch(context);
}

}  // namespace bnn::engine
