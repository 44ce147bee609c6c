#include "engine/plan.h"

#include <algorithm>

namespace bnn::engine {

std::byte* RunContext::Bytes(int tensor) const {
  const PlanTensor* t = &plan->tensors[static_cast<size_t>(tensor)];
  while (t->alias_of >= 0) t = &plan->tensors[static_cast<size_t>(t->alias_of)];
  switch (t->place) {
    case Place::kArena:
      return arena + t->offset;
    case Place::kInput:
      return static_cast<std::byte*>(inputs[t->external_index].data);
    case Place::kOutput:
      return static_cast<std::byte*>(outputs[t->external_index].data);
  }
  return nullptr;
}

float* RunContext::Floats(int tensor) const {
  return reinterpret_cast<float*>(Bytes(tensor)) + plan->tensors[static_cast<size_t>(tensor)].first_channel;
}

bool Step::Reads(int tensor) const { return std::find(inputs.begin(), inputs.end(), tensor) != inputs.end(); }

bool Step::Writes(int tensor) const { return std::find(outputs.begin(), outputs.end(), tensor) != outputs.end(); }

std::string DimsText(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t dim : dims) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dim);
  }
  return text.empty() ? "scalar" : text;
}

}  // namespace bnn::engine
