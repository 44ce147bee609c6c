#include "engine/compile/arena.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/aligned_buffer.h"
#include "engine/ops/selection.h"

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
      step.description.reason = JoinReasons(step.description.reason, "in place of '" + from.name + "'");
      break;
    }
  }
}

namespace {

// The largest sum of sizes over all steps.
Status SetLiveBytes(const std::vector<Lifetime>& lifetimes, Plan* plan) {
  plan->live_bytes = 0;
  int64_t total = 0;  // while all tensors together are a number, so are the sums of some
  for (const Lifetime& life : lifetimes) {
    if (__builtin_add_overflow(total, life.bytes, &total)) return OutOfMemory("the model's tensors exceed memory");
  }
  std::vector<int64_t> live(plan->steps.size() + 1, 0);  // differences from step to step
  for (const Lifetime& life : lifetimes) {
    live[static_cast<size_t>(life.first)] += life.bytes;
    live[static_cast<size_t>(life.last) + 1] -= life.bytes;
  }
  int64_t sum = 0;
  for (const int64_t difference : live) {
    sum += difference;
    plan->live_bytes = std::max(plan->live_bytes, sum);
  }
  return OkStatus();
}

// Where each tensor of an order begins, and where the last one ends; end is -1 where the sizes overflow.
struct Placement {
  std::vector<int64_t> offsets;
  int64_t end = 0;
};

// Each tensor in its turn, at the lowest offset where it overlaps no placed tensor that is alive at the same time.
Placement PlaceInOrder(const std::vector<Lifetime>& order) {
  Placement result;
  result.offsets.resize(order.size());
  std::vector<size_t> placed;  // by offset
  for (size_t i = 0; i < order.size(); ++i) {
    const Lifetime& life = order[i];
    int64_t offset = 0;
    for (const size_t p : placed) {
      const Lifetime& other = order[p];
      const bool together = life.first <= other.last && other.first <= life.last;
      if (!together) continue;
      if (offset + life.bytes <= result.offsets[p]) break;
      offset = std::max(offset, result.offsets[p] + other.bytes);
    }
    int64_t end = 0;
    if (__builtin_add_overflow(offset, life.bytes, &end)) return {{}, -1};
    result.offsets[i] = offset;
    result.end = std::max(result.end, end);
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset,
                                     [&](int64_t value, size_t p) { return value < result.offsets[p]; });
    placed.insert(at, i);
  }
  return result;
}

// Places in the order given, then again and again with another order, as long as that may help: what ends on top came
// too late and lies over a gap that is too small for it, so it gets the first turn.
Status TryFrom(std::vector<Lifetime> order, int64_t attempts, Plan* plan) {
  for (; attempts > 0 && (plan->arena_bytes < 0 || plan->arena_bytes > plan->live_bytes); --attempts) {
    const Placement placement = PlaceInOrder(order);
    if (placement.end < 0) return OutOfMemory("the model's tensors exceed memory");
    if (plan->arena_bytes < 0 || placement.end < plan->arena_bytes) {
      for (size_t i = 0; i < order.size(); ++i) {
        plan->tensors[static_cast<size_t>(order[i].tensor)].offset = placement.offsets[i];
      }
      plan->arena_bytes = placement.end;
    }
    if (order.empty()) break;
    size_t top = 0;
    while (placement.offsets[top] + order[top].bytes != placement.end) ++top;
    const auto at = order.begin() + static_cast<ptrdiff_t>(top);
    std::rotate(order.begin(), at, at + 1);
  }
  return OkStatus();
}

}  // namespace

// Greedy by size is the usual heuristic for offset assignment (Pisarchyk and Lee, arXiv:2001.03288): the largest tensor
// first. For most networks that already is an arena of live_bytes, than which there is no smaller one. Where it is not,
// improved orders follow (TryFrom), from this one and from that of size times lifetime, until there is nothing left to
// gain or a bounded number of attempts is over.
Status PlaceTensors(Plan* plan) {
  constexpr int64_t kMaxWork = int64_t{1} << 23;  // pairs of tensors that all attempts look at: some milliseconds
  constexpr int64_t kMaxAttempts = 200;           // of a first order
  std::vector<Lifetime> order = Lifetimes(*plan);
  BNN_RETURN_IF_ERROR(SetLiveBytes(order, plan));
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(order.size()));
  const int64_t attempts = std::clamp<int64_t>(kMaxWork / count / count / 2, 1, kMaxAttempts);
  plan->arena_bytes = -1;
  const auto by = [&](const auto& weight) {
    std::stable_sort(order.begin(), order.end(),
                     [&](const Lifetime& a, const Lifetime& b) { return weight(a) > weight(b); });
  };
  by([](const Lifetime& life) { return static_cast<double>(life.bytes); });
  BNN_RETURN_IF_ERROR(TryFrom(order, attempts, plan));
  by([](const Lifetime& life) {
    return static_cast<double>(life.bytes) * static_cast<double>(life.last - life.first + 1);
  });
  return TryFrom(order, attempts, plan);
}

}  // namespace bnn::engine
