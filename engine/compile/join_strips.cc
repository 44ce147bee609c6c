#include "engine/compile/join_strips.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "engine/ops/strips.h"

namespace bnn::engine {
namespace {

class StripJoiner {
 public:
  explicit StripJoiner(StepContext* context) : context_(*context), steps_(context->plan.steps) {}

  void Run() {
    for (size_t s = 0; s < steps_.size(); ++s) {
      if (steps_[s]->row_maker() != nullptr) JoinMaker(s);
    }
    RemoveTaken();
    for (size_t s = 0; s < steps_.size(); ++s) {
      if (steps_[s] != nullptr && steps_[s]->strips() != nullptr) JoinReaders(steps_[s]->strips());
    }
    RemoveTaken();
  }

 private:
  // The step that alone needs what step `s` makes makes it itself, if it can.
  void JoinMaker(size_t s) {
    const int map = steps_[s]->outputs[0];
    for (const StepPtr& step : steps_) {
      if (step == nullptr || step == steps_[s] || !step->Reads(map)) continue;
      StripStep* const strips = step->strips();
      if (strips != nullptr && CountUses(map) == 2 && strips->TakesMaker(context_)) {
        strips->TakeMaker(&context_, std::move(steps_[s]));
      }
      return;
    }
  }

  void JoinReaders(StripStep* strips) {
    if (!strips->passes_rows_on()) return;
    int64_t uses = CountUses(strips->map());
    for (StepPtr& step : steps_) {
      if (step == nullptr || step->row_reader() == nullptr || step->inputs != std::vector<int>{strips->map()}) continue;
      --uses;
      strips->TakeReader(&context_, std::move(step), /*keeps_map=*/uses > 1);
    }
  }

  // Steps that touch the tensor; another name for it, or a caller who waits for it, is one more use.
  int64_t CountUses(int tensor) const {
    const auto& tensors = context_.plan.tensors;
    const auto uses = std::count_if(steps_.begin(), steps_.end(),
                                    [&](const StepPtr& step) { return step != nullptr && step->Touches(tensor); });
    const auto names = std::count_if(tensors.begin(), tensors.end(),
                                     [&](const PlanTensor& other) { return other.alias_of == tensor; });
    const bool is_external = context_.Tensor(tensor).place != Place::kArena || context_.Tensor(tensor).alias_of >= 0;
    return uses + names + (is_external ? 1 : 0);
  }

  void RemoveTaken() { steps_.erase(std::remove(steps_.begin(), steps_.end(), nullptr), steps_.end()); }

  StepContext& context_;
  std::vector<StepPtr>& steps_;
};

}  // namespace

void JoinStrips(StepContext* context) { StripJoiner(context).Run(); }

}  // namespace bnn::engine
