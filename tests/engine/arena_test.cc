#include "engine/compile/arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/aligned_buffer.h"

namespace bnn::engine {
namespace {

class NoStep final : public Step {
 public:
  Status Run(const RunContext&) const override { return OkStatus(); }
};

// A plan with `count` tensors of random size; step i makes tensor i and reads some of the tensors before it.
Plan RandomPlan(std::mt19937* random, int count) {
  Plan plan;
  for (int t = 0; t < count; ++t) {
    PlanTensor tensor;
    tensor.bytes = 1 + static_cast<int64_t>((*random)() % 5000);
    plan.tensors.push_back(tensor);
    auto step = std::make_unique<NoStep>();
    step->outputs = {t};
    for (int reads = 0; t > 0 && reads < 2; ++reads) {
      step->inputs.push_back(std::max(0, t - 1 - static_cast<int>((*random)() % 6)));
    }
    plan.steps.push_back(std::move(step));
  }
  return plan;
}

TEST_CASE("tensors that are alive together never share memory, and memory is reused") {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    Plan plan = RandomPlan(&random, 40);
    REQUIRE(PlaceTensors(&plan).ok());
    std::vector<int> last(40);
    for (int s = 0; s < 40; ++s) {
      last[static_cast<size_t>(s)] = std::max(last[static_cast<size_t>(s)], s);
      for (const int t : plan.steps[static_cast<size_t>(s)]->inputs) last[static_cast<size_t>(t)] = s;
    }
    int64_t sum = 0;
    for (int a = 0; a < 40; ++a) {
      const PlanTensor& ta = plan.tensors[static_cast<size_t>(a)];
      sum += ta.bytes;
      CHECK(ta.offset % static_cast<int64_t>(kAlignment) == 0);
      CHECK(ta.offset + ta.bytes <= plan.arena_bytes);
      for (int b = a + 1; b < 40; ++b) {
        const PlanTensor& tb = plan.tensors[static_cast<size_t>(b)];
        if (last[static_cast<size_t>(a)] < b) continue;
        CHECK((ta.offset + ta.bytes <= tb.offset || tb.offset + tb.bytes <= ta.offset));
      }
    }
    CHECK(plan.arena_bytes < sum / 2);
  }
}

// The largest sum of aligned sizes of tensors that are alive at one step, from the definition.
int64_t LiveBytes(const Plan& plan) {
  const size_t count = plan.tensors.size();
  std::vector<size_t> last(count);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    last[s] = std::max(last[s], s);
    for (const int t : plan.steps[s]->inputs) last[static_cast<size_t>(t)] = s;
  }
  int64_t most = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    int64_t sum = 0;
    for (size_t t = 0; t <= s; ++t) {
      if (last[t] >= s) sum += (plan.tensors[t].bytes + 63) / 64 * 64;
    }
    most = std::max(most, sum);
  }
  return most;
}

TEST_CASE("the arena is hardly larger than what is alive at once") {
  std::mt19937 random(4);
  int plans = 0, larger = 0;
  double sum = 0;
  for (const int count : {10, 40, 100, 200}) {
    for (int trial = 0; trial < 50; ++trial) {
      Plan plan = RandomPlan(&random, count);
      REQUIRE(PlaceTensors(&plan).ok());
      REQUIRE(plan.live_bytes == LiveBytes(plan));
      REQUIRE(plan.arena_bytes >= plan.live_bytes);
      const double ratio = static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.live_bytes);
      ++plans;
      larger += ratio > 1.1 ? 1 : 0;
      sum += ratio;
    }
  }
  // Some plans have no arena of that size at all, so a few exceptions are in the nature of the problem.
  CHECK(larger * 50 <= plans);
  CHECK(sum / plans < 1.02);
}

TEST_CASE("sizes that overflow are an error") {
  Plan plan;
  plan.tensors.resize(3);
  auto step = std::make_unique<NoStep>();
  step->outputs = {0, 1, 2};
  plan.steps.push_back(std::move(step));
  for (PlanTensor& tensor : plan.tensors) tensor.bytes = int64_t{1} << 62;
  CHECK(PlaceTensors(&plan).code() == StatusCode::kOutOfMemory);
}

TEST_CASE("an empty plan needs nothing") {
  Plan plan;
  REQUIRE(PlaceTensors(&plan).ok());
  CHECK(plan.arena_bytes == 0);
  CHECK(plan.live_bytes == 0);
}

TEST_CASE("an alias extends the life of what it names; caller memory takes no arena") {
  Plan plan;
  plan.tensors.resize(4);
  for (PlanTensor& tensor : plan.tensors) tensor.bytes = 64;
  plan.tensors[1].alias_of = 0;
  plan.tensors[3].place = Place::kOutput;
  const auto add = [&](std::vector<int> in, std::vector<int> out) {
    plan.steps.push_back(std::make_unique<NoStep>());
    plan.steps.back()->inputs = std::move(in);
    plan.steps.back()->outputs = std::move(out);
  };
  add({}, {0});
  add({}, {2});
  add({1, 2}, {3});  // reads tensor 0 by its other name
  REQUIRE(PlaceTensors(&plan).ok());
  CHECK(plan.tensors[0].offset != plan.tensors[2].offset);
  CHECK(plan.arena_bytes == 128);
}

// Tensors of 64 bytes: 0 -> 1 -> 2 -> ...; each step may work in place.
Plan ChainPlan(int count) {
  Plan plan;
  for (int t = 0; t < count; ++t) {
    PlanTensor tensor;
    tensor.name = "t" + std::to_string(t);
    tensor.bytes = 64;
    plan.tensors.push_back(tensor);
    auto step = std::make_unique<NoStep>();
    step->outputs = {t};
    if (t > 0) {
      step->inputs = {t - 1};
      step->in_place = InPlace{t, {t - 1}};
    }
    plan.steps.push_back(std::move(step));
  }
  return plan;
}

TEST_CASE("a chain of steps that work in place needs the memory of one tensor") {
  Plan plan = ChainPlan(4);
  ShareInPlace(&plan);
  for (int t = 1; t < 4; ++t) CHECK(plan.tensors[static_cast<size_t>(t)].alias_of == 0);
  CHECK(plan.steps[1]->description.reason == "in place of 't0'");
  REQUIRE(PlaceTensors(&plan).ok());
  CHECK(plan.arena_bytes == 64);
}

TEST_CASE("nothing is overwritten that is read again, is not ours, has another size, or is read twice by the step") {
  SUBCASE("a later reader") {
    Plan plan = ChainPlan(4);
    plan.steps[3]->inputs.push_back(0);
    ShareInPlace(&plan);
    CHECK(plan.tensors[1].alias_of == -1);
    CHECK(plan.tensors[2].alias_of == 1);
    CHECK(plan.tensors[3].alias_of == 1);
  }
  SUBCASE("a later reader by another name") {
    Plan plan = ChainPlan(3);
    PlanTensor reshaped;
    reshaped.alias_of = 0;
    plan.tensors.push_back(reshaped);
    plan.steps[2]->inputs.push_back(3);
    ShareInPlace(&plan);
    CHECK(plan.tensors[1].alias_of == -1);
  }
  SUBCASE("the caller's memory") {
    Plan plan = ChainPlan(3);
    plan.tensors[0].place = Place::kInput;
    plan.tensors[2].place = Place::kOutput;
    ShareInPlace(&plan);
    CHECK(plan.tensors[1].alias_of == -1);
    CHECK(plan.tensors[2].alias_of == -1);
  }
  SUBCASE("another size") {
    Plan plan = ChainPlan(2);
    plan.tensors[1].bytes = 128;
    ShareInPlace(&plan);
    CHECK(plan.tensors[1].alias_of == -1);
  }
  SUBCASE("read twice") {
    Plan plan = ChainPlan(2);
    plan.steps[1]->inputs = {0, 0};
    ShareInPlace(&plan);
    CHECK(plan.tensors[1].alias_of == -1);
  }
}

}  // namespace
}  // namespace bnn::engine
