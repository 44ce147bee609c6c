#include "engine/compile/arena.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/aligned_buffer.h"

namespace bnn::engine {
namespace {

struct Lifetime {
  int tensor = -1;
  int64_t first = std::numeric_limits<int64_t>::max();  // steps, inclusive
  int64_t last = -1;
  int64_t bytes = 0;
};

size_t Root(const Plan& plan, int tensor) {
  auto root = static_cast<size_t>(tensor);
  while (plan.tensors[root].alias_of >= 0) root = static_cast<size_t>(plan.tensors[root].alias_of);
  return root;
}

std::vector<Lifetime> Lifetimes(const Plan& plan) {
  std::vector<Lifetime> lifetimes(plan.tensors.size());
  const auto use = [&](int tensor, size_t step) {
    Lifetime& life = lifetimes[Root(plan, tensor)];
    life.first = std::min(life.first, static_cast<int64_t>(step));
    life.last = std::max(life.last, static_cast<int64_t>(step));
  };
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    for (const int t : plan.steps[s]->inputs) use(t, s);
    for (const int t : plan.steps[s]->outputs) use(t, s);
    if (plan.steps[s]->scratch >= 0) use(plan.steps[s]->scratch, s);
  }
  std::vector<Lifetime> in_arena;
  for (size_t t = 0; t < plan.tensors.size(); ++t) {
    const PlanTensor& tensor = plan.tensors[t];
    if (tensor.alias_of >= 0 || tensor.place != Place::kArena || lifetimes[t].last < 0 || tensor.bytes == 0) continue;
    lifetimes[t].tensor = static_cast<int>(t);
    lifetimes[t].bytes = (tensor.bytes + int64_t{kAlignment} - 1) / int64_t{kAlignment} * int64_t{kAlignment};
    in_arena.push_back(lifetimes[t]);
  }
  return in_arena;
}

}  // namespace

void ShareInPlace(Plan* plan) {
  std::vector<int64_t> last_use(plan->tensors.size(), -1);  // of roots
  for (size_t s = 0; s < plan->steps.size(); ++s) {
    for (const int t : plan->steps[s]->inputs) last_use[Root(*plan, t)] = static_cast<int64_t>(s);
    for (const int t : plan->steps[s]->outputs) last_use[Root(*plan, t)] = static_cast<int64_t>(s);
  }
  for (size_t s = 0; s < plan->steps.size(); ++s) {
    Step& step = *plan->steps[s];
    if (!step.in_place) continue;
    const auto output = static_cast<size_t>(step.in_place->output);
    PlanTensor& to = plan->tensors[output];
    if (to.place != Place::kArena || to.alias_of >= 0) continue;
    for (const int input : step.in_place->inputs) {
      const size_t root = Root(*plan, input);
      const PlanTensor& from = plan->tensors[root];
      const auto reads =
          std::count_if(step.inputs.begin(), step.inputs.end(), [&](int t) { return Root(*plan, t) == root; });
      if (from.place != Place::kArena || from.bytes != to.bytes || root == output || reads != 1 ||
          last_use[root] != static_cast<int64_t>(s)) {
        continue;
      }
      to.alias_of = static_cast<int>(root);
      last_use[root] = last_use[output];
      step.description.reason += (step.description.reason.empty() ? "" : "; ") + ("in place of '" + from.name + "'");
      break;
    }
  }
}

// The largest sum of sizes over all steps.
Status SetLiveBytes(const std::vector<Lifetime>& lifetimes, Plan* plan) {
  plan->live_bytes = 0;
  std::vector<int64_t> live(plan->steps.size() + 1, 0);  // differences from step to step
  for (const Lifetime& life : lifetimes) {
    live[static_cast<size_t>(life.first)] += life.bytes;
    live[static_cast<size_t>(life.last) + 1] -= life.bytes;
  }
  int64_t sum = 0;
  for (const int64_t difference : live) {
    if (__builtin_add_overflow(sum, difference, &sum)) return OutOfMemory("the model's tensors exceed memory");
    plan->live_bytes = std::max(plan->live_bytes, sum);
  }
  return OkStatus();
}

// Greedy by size, the usual heuristic for offset assignment (Pisarchyk and Lee, arXiv:2001.03288): the largest tensor
// first, each at the lowest offset where it overlaps no placed tensor that is alive at the same time.
Status PlaceTensors(Plan* plan) {
  std::vector<Lifetime> order = Lifetimes(*plan);
  BNN_RETURN_IF_ERROR(SetLiveBytes(order, plan));
  std::stable_sort(order.begin(), order.end(), [](const Lifetime& a, const Lifetime& b) { return a.bytes > b.bytes; });
  std::vector<Lifetime> placed;  // by offset
  int64_t end = 0;
  for (const Lifetime& life : order) {
    int64_t offset = 0;
    for (const Lifetime& other : placed) {
      const int64_t other_offset = plan->tensors[static_cast<size_t>(other.tensor)].offset;
      const bool together = life.first <= other.last && other.first <= life.last;
      if (!together) continue;
      if (offset + life.bytes <= other_offset) break;
      offset = std::max(offset, other_offset + other.bytes);
    }
    int64_t life_end = 0;
    if (__builtin_add_overflow(offset, life.bytes, &life_end)) return OutOfMemory("the model's tensors exceed memory");
    plan->tensors[static_cast<size_t>(life.tensor)].offset = offset;
    end = std::max(end, life_end);
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset, [&](int64_t value, const Lifetime& other) {
      return value < plan->tensors[static_cast<size_t>(other.tensor)].offset;
    });
    placed.insert(at, life);
  }
  plan->arena_bytes = end;
  return OkStatus();
}

}  // namespace bnn::engine
