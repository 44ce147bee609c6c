#include "engine/compile/concat_in_place.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops/selection.h"

namespace bnn::engine {
namespace {

bool Contains(const std::vector<int>& list, int tensor) {
  return std::find(list.begin(), list.end(), tensor) != list.end();
}

class Joiner {
 public:
  explicit Joiner(Plan* plan) : plan_(*plan) {}

  void Run() {
    // From the last one: where a result is itself an operand, it has its place before its own operands get theirs.
    for (size_t s = plan_.steps.size(); s-- > 0;) {
      if (plan_.steps[s]->joins_channels && Join(*plan_.steps[s])) plan_.steps.erase(plan_.steps.begin() + Offset(s));
    }
  }

 private:
  static std::ptrdiff_t Offset(size_t s) { return static_cast<std::ptrdiff_t>(s); }

  PlanTensor& Tensor(int tensor) { return plan_.tensors[static_cast<size_t>(tensor)]; }

  // True when no operand is left to copy.
  bool Join(Step& concat) {
    const int output = concat.outputs[0];
    const PlanTensor& result = Tensor(output);
    // A result within a wider map hands that map on; one that is another tensor reshaped has other pixels.
    if (result.alias_of >= 0 && result.pixel_stride == 0) return false;
    int64_t channel = result.first_channel;
    const int64_t stride = result.pixel_stride != 0 ? result.pixel_stride : result.dims.back();
    bool all = true;
    for (const int input : concat.inputs) {
      PlanTensor& operand = Tensor(input);
      if (CanMove(concat, input)) {
        operand.alias_of = output;
        operand.first_channel = channel;
        operand.pixel_stride = stride;
        Note(input, "within '" + result.name + "'");
      } else {
        all = false;
      }
      channel += operand.dims.back();
    }
    return all;
  }

  // Where a tensor lies, for the step that writes it.
  void Note(int tensor, const std::string& text) {
    for (const std::unique_ptr<Step>& step : plan_.steps) {
      if (!Contains(step->outputs, tensor)) continue;
      step->description.reason = JoinReasons(step->description.reason, text);
    }
  }

  bool CanMove(const Step& concat, int input) {
    const PlanTensor& operand = Tensor(input);
    if (operand.place != Place::kArena || operand.alias_of >= 0 || HasAnyAlias(input)) return false;
    if (std::count(concat.inputs.begin(), concat.inputs.end(), input) != 1) return false;
    return std::all_of(plan_.steps.begin(), plan_.steps.end(), [&](const std::unique_ptr<Step>& step) {
      if (step.get() == &concat) return true;
      const bool touches = Contains(step->inputs, input) || Contains(step->outputs, input);
      return !touches || step->takes_strided_floats;
    });
  }

  bool HasAnyAlias(int tensor) const {
    return std::any_of(plan_.tensors.begin(), plan_.tensors.end(),
                       [&](const PlanTensor& other) { return other.alias_of == tensor; });
  }

  Plan& plan_;
};

}  // namespace

void JoinChannelsInPlace(Plan* plan) { Joiner(plan).Run(); }

}  // namespace bnn::engine
