#include "engine/compile/concat_in_place.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/ops/selection.h"

namespace bnn::engine {
namespace {

class Joiner {
 public:
  explicit Joiner(Plan* plan) : plan_(*plan) {}

  void Run() {
    // From the last one: where a result is itself an operand, it has its place before its own operands get theirs.
    for (size_t s = plan_.steps.size(); s-- > 0;) {
      if (plan_.steps[s] == nullptr || !plan_.steps[s]->joins_channels) continue;
      if (Replace(*plan_.steps[s]) || Join(*plan_.steps[s])) plan_.steps[s] = nullptr;
    }
    plan_.steps.erase(std::remove(plan_.steps.begin(), plan_.steps.end(), nullptr), plan_.steps.end());
  }

 private:
  // An operand that takes part in a replacement.
  struct Part {
    int tensor;
    int64_t channel;  // within the result
    size_t maker;     // the step that writes it; a slice of the old map, unless there is `old`
    int old = -1;     // the slice in whose place it is written
    size_t old_slice = 0;
  };

  PlanTensor& Tensor(int tensor) { return plan_.tensors[static_cast<size_t>(tensor)]; }

  // Makes the result another name of the map of which it replaces some channels. False, and nothing has changed, where
  // there is none or the old channels are still needed.
  bool Replace(Step& concat) {
    const PlanTensor& result = Tensor(concat.outputs[0]);
    if (result.alias_of >= 0 && result.pixel_stride == 0) return false;
    std::vector<Part> parts;
    int from = -1;
    int64_t channel = 0;
    for (const int input : concat.inputs) {
      const std::optional<size_t> maker = Maker(input);
      if (!maker || Uses(input) != 2 || !IsFree(input)) return false;
      if (plan_.steps[*maker]->first_taken_channel == channel) from = plan_.steps[*maker]->inputs[0];
      parts.push_back({input, channel, *maker});
      channel += Tensor(input).dims.back();
    }
    if (from < 0 || Tensor(from).dims != result.dims || !IsFree(from)) return false;
    std::vector<size_t> slices;
    for (Part& part : parts) {
      if (IsSliceOf(from, part)) {
        slices.push_back(part.maker);
      } else if (FindOld(from, &part)) {
        slices.push_back(part.old_slice);
      } else {
        return false;
      }
    }
    if (!IsDoneBefore(from, parts, slices)) return false;
    for (const Part& part : parts) {
      PlaceWithin(concat.outputs[0], part.tensor, part.channel);
      if (part.old >= 0) PlaceWithin(concat.outputs[0], part.old, part.channel);
      if (part.old >= 0) Note(part.tensor, "within '" + result.name + "', in place");
    }
    PlaceWithin(concat.outputs[0], from, 0);
    for (const size_t s : slices) plan_.steps[s] = nullptr;
    return true;
  }

  bool IsSliceOf(int from, const Part& part) const {
    const Step& maker = *plan_.steps[part.maker];
    return maker.first_taken_channel == part.channel && maker.inputs[0] == from;
  }

  // Whether the part is written in place of the same channels of `from`, which nobody else wants by themselves.
  bool FindOld(int from, Part* part) {
    const Step& maker = *plan_.steps[part->maker];
    if (!maker.takes_strided_floats || !maker.in_place || maker.in_place->output != part->tensor) return false;
    for (const int input : maker.in_place->inputs) {
      const std::optional<size_t> slice = Maker(input);
      if (!slice || Uses(input) != 2 || !IsFree(input) ||
          std::count(maker.inputs.begin(), maker.inputs.end(), input) != 1) {
        continue;
      }
      if (IsSliceOf(from, {input, part->channel, *slice}) && Tensor(input).dims == Tensor(part->tensor).dims) {
        part->old = input;
        part->old_slice = *slice;
        return true;
      }
    }
    return false;
  }

  // Whether everybody but those slices has read and written `from` before a part of it is replaced, and works on maps
  // within wider ones.
  bool IsDoneBefore(int from, const std::vector<Part>& parts, const std::vector<size_t>& slices) const {
    size_t first_change = plan_.steps.size();
    for (const Part& part : parts) {
      if (part.old >= 0) first_change = std::min(first_change, part.maker);
    }
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step* step = plan_.steps[s].get();
      if (step == nullptr || std::find(slices.begin(), slices.end(), s) != slices.end()) continue;
      if (!step->Touches(from)) continue;
      if (s >= first_change || !step->takes_strided_floats) return false;
    }
    return true;
  }

  // The step that writes the tensor, if it is one.
  std::optional<size_t> Maker(int tensor) const {
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      if (plan_.steps[s] != nullptr && plan_.steps[s]->Writes(tensor)) return s;
    }
    return std::nullopt;
  }

  // The steps that read or write the tensor.
  int64_t Uses(int tensor) const {
    return std::count_if(plan_.steps.begin(), plan_.steps.end(),
                         [&](const std::unique_ptr<Step>& step) { return step != nullptr && step->Touches(tensor); });
  }

  // Whether the tensor's memory may be chosen.
  bool IsFree(int tensor) const {
    const PlanTensor& t = plan_.tensors[static_cast<size_t>(tensor)];
    return t.place == Place::kArena && t.alias_of < 0 && !HasAnyAlias(tensor);
  }

  // `channel`: of the wide map, which may lie within a wider one.
  void PlaceWithin(int wide, int tensor, int64_t channel) {
    const PlanTensor& result = Tensor(wide);
    PlanTensor& part = Tensor(tensor);
    part.alias_of = wide;
    part.first_channel = result.first_channel + channel;
    part.pixel_stride = result.pixel_stride != 0 ? result.pixel_stride : result.dims.back();
  }

  // True when no operand is left to copy.
  bool Join(Step& concat) {
    const int output = concat.outputs[0];
    const PlanTensor& result = Tensor(output);
    // A result within a wider map hands that map on; one that is another tensor reshaped has other pixels.
    if (result.alias_of >= 0 && result.pixel_stride == 0) return false;
    int64_t channel = 0;
    bool all = true;
    for (const int input : concat.inputs) {
      if (CanMove(concat, input)) {
        PlaceWithin(output, input, channel);
        Note(input, "within '" + result.name + "'");
      } else {
        all = false;
      }
      channel += Tensor(input).dims.back();
    }
    return all;
  }

  // Where a tensor lies, for the step that writes it.
  void Note(int tensor, const std::string& text) {
    for (const std::unique_ptr<Step>& step : plan_.steps) {
      if (step == nullptr || !step->Writes(tensor)) continue;
      step->description.reason = JoinReasons(step->description.reason, text);
    }
  }

  bool CanMove(const Step& concat, int input) {
    if (!IsFree(input)) return false;
    if (std::count(concat.inputs.begin(), concat.inputs.end(), input) != 1) return false;
    return std::all_of(plan_.steps.begin(), plan_.steps.end(), [&](const std::unique_ptr<Step>& step) {
      if (step == nullptr || step.get() == &concat) return true;
      return !step->Touches(input) || step->takes_strided_floats;
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
