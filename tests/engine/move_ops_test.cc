// Operators that move elements: exact.
#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "engine/ops/make_step.h"
#include "tests/engine/step_harness.h"

namespace bnn::test {
namespace {

using Index = std::vector<int64_t>;

// Every index of a tensor in storage order.
void ForIndices(const Index& dims, const std::function<void(const Index&)>& fn) {
  Index index(dims.size(), 0);
  for (int64_t flat = 0; flat < formats::ElementCount(dims); ++flat) {
    int64_t rest = flat;
    for (size_t i = dims.size(); i-- > 0;) {
      index[i] = rest % dims[i];
      rest /= dims[i];
    }
    fn(index);
  }
}

float At(const std::vector<float>& x, int64_t sample, const Index& dims, const Index& index) {
  int64_t flat = sample;
  for (size_t i = 0; i < dims.size(); ++i) flat = flat * dims[i] + index[i];
  return x[static_cast<size_t>(flat)];
}

// Runs a step of one input at batches 1 and 3 and threads 1 and 2; value(x, sample, output index) is what it shall
// give.
void CheckMoves(const Index& in, const Index& out,
                const std::function<Result<engine::StepPtr>(engine::StepContext&, const engine::FloatNode&)>& make,
                const std::function<float(const std::vector<float>& x, int64_t sample, const Index& index)>& value) {
  CAPTURE(engine::DimsText(in));
  CAPTURE(engine::DimsText(out));
  for (const int64_t batch : {1, 3}) {
    const auto x = RandomFloats(batch * formats::ElementCount(in), 11);
    std::vector<float> expected;
    for (int64_t n = 0; n < batch; ++n) {
      ForIndices(out, [&](const Index& index) { expected.push_back(value(x, n, index)); });
    }
    for (const int threads : {1, 2, 3}) {
      StepHarness harness(batch, threads);
      const engine::FloatNode node = {"node", {harness.Tensor(in)}, harness.Tensor(out)};
      harness.Take(make(harness.context(), node));
      CHECK(BitwiseEqual(harness.Run({x}), expected));
    }
  }
}

TEST_CASE("transpose: every permutation of three axes, and some of more") {
  const std::vector<std::pair<Index, Index>> cases = {{{7, 5, 3}, {0, 1, 2}},
                                                      {{7, 5, 3}, {0, 2, 1}},
                                                      {{7, 5, 3}, {1, 0, 2}},
                                                      {{7, 5, 3}, {1, 2, 0}},
                                                      {{7, 5, 3}, {2, 0, 1}},
                                                      {{7, 5, 3}, {2, 1, 0}},
                                                      {{9}, {0}},
                                                      {{1, 9}, {1, 0}},
                                                      {{3, 61, 67}, {1, 2, 0}},
                                                      {{61, 67, 33}, {2, 0, 1}},
                                                      {{3, 1, 5, 1}, {3, 2, 1, 0}},
                                                      {{4, 3, 5, 2}, {2, 0, 3, 1}},
                                                      {{4, 3, 5, 2}, {2, 3, 0, 1}},
                                                      {{2, 3, 4, 5, 2, 3}, {5, 3, 1, 4, 0, 2}},
                                                      {{48, 40, 24, 3}, {2, 1, 0, 3}},
                                                      {{2, 1, 3}, {0, 2, 1}},
                                                      {{2, 1, 3, 4}, {1, 3, 0, 2}}};
  for (const auto& [in, perm] : cases) {
    Index out;
    for (const int64_t axis : perm) out.push_back(in[static_cast<size_t>(axis)]);
    const Index& dims = in;
    const Index& order = perm;
    CheckMoves(
        in, out,
        [&](engine::StepContext& context, const engine::FloatNode& node) {
          return engine::MakeTranspose(context, node, {order});
        },
        [&](const std::vector<float>& x, int64_t n, const Index& index) {
          Index from(index.size());
          for (size_t i = 0; i < index.size(); ++i) from[static_cast<size_t>(order[i])] = index[i];
          return At(x, n, dims, from);
        });
  }
}

TEST_CASE("slice: any begin, end and step") {
  struct Case {
    Index in, begin, end, step;
  };
  const Case cases[] = {{{7, 5, 3}, {0, 0, 0}, {7, 5, 3}, {1, 1, 1}},      {{7, 5, 3}, {2, 0, 0}, {6, 5, 3}, {1, 1, 1}},
                        {{7, 5, 3}, {0, 1, 0}, {7, 4, 3}, {1, 2, 1}},      {{7, 5, 3}, {1, 0, 1}, {7, 5, 3}, {3, 1, 1}},
                        {{7, 5, 3}, {0, 0, 0}, {7, 5, 1}, {1, 1, 1}},      {{20}, {3}, {18}, {4}},
                        {{50, 60, 40}, {1, 1, 8}, {49, 60, 40}, {1, 2, 1}}};
  for (const Case& c : cases) {
    Index out;
    for (size_t i = 0; i < c.in.size(); ++i) out.push_back((c.end[i] - c.begin[i] + c.step[i] - 1) / c.step[i]);
    CheckMoves(
        c.in, out,
        [&](engine::StepContext& context, const engine::FloatNode& node) {
          return engine::MakeSlice(context, node, {c.begin, c.end, c.step});
        },
        [&](const std::vector<float>& x, int64_t n, const Index& index) {
          Index from = index;
          for (size_t i = 0; i < index.size(); ++i) from[i] = c.begin[i] + index[i] * c.step[i];
          return At(x, n, c.in, from);
        });
  }
}

TEST_CASE("pad: constant, reflect and edge") {
  struct Case {
    Index in, before, after;
  };
  const Case cases[] = {
      {{4, 5, 3}, {1, 2, 0}, {0, 1, 0}}, {{4, 5, 3}, {0, 0, 2}, {0, 0, 1}}, {{6}, {5}, {3}},
      {{3, 4}, {2, 3}, {2, 3}},          {{4, 5, 3}, {0, 0, 0}, {0, 0, 0}}, {{40, 50, 32}, {1, 1, 0}, {1, 2, 0}}};
  for (const Case& c : cases) {
    for (const auto mode : {formats::PadMode::kConstant, formats::PadMode::kReflect, formats::PadMode::kEdge}) {
      CAPTURE(static_cast<int>(mode));
      Index out;
      for (size_t i = 0; i < c.in.size(); ++i) out.push_back(c.before[i] + c.in[i] + c.after[i]);
      CheckMoves(
          c.in, out,
          [&](engine::StepContext& context, const engine::FloatNode& node) {
            return engine::MakePad(context, node, {c.before, c.after, mode, -2.5f});
          },
          [&](const std::vector<float>& x, int64_t n, const Index& index) {
            Index from = index;
            for (size_t i = 0; i < index.size(); ++i) {
              int64_t at = index[i] - c.before[i];
              if (mode == formats::PadMode::kConstant && (at < 0 || at >= c.in[i])) return -2.5f;
              if (mode == formats::PadMode::kEdge) at = at < 0 ? 0 : at >= c.in[i] ? c.in[i] - 1 : at;
              if (mode == formats::PadMode::kReflect) at = at < 0 ? -at : at >= c.in[i] ? 2 * (c.in[i] - 1) - at : at;
              from[i] = at;
            }
            return At(x, n, c.in, from);
          });
    }
  }
}

// What numpy.pad(mode="reflect") gives where the padding is longer than the axis.
TEST_CASE("reflection bounces between the borders, and repeats the only element of an axis of size 1") {
  const auto pad = [](const std::vector<float>& x, int64_t before, int64_t after) {
    const auto size = static_cast<int64_t>(x.size());
    StepHarness harness(1);
    const engine::FloatNode node = {"pad", {harness.Tensor({size})}, harness.Tensor({before + size + after})};
    harness.Take(engine::MakePad(harness.context(), node, {{before}, {after}, formats::PadMode::kReflect, 0}));
    return harness.Run({x});
  };
  CHECK(pad({10, 11, 12}, 5, 3) == std::vector<float>{11, 10, 11, 12, 11, 10, 11, 12, 11, 10, 11});
  CHECK(pad({7}, 2, 1) == std::vector<float>{7, 7, 7, 7});
}

TEST_CASE("copy") {
  for (const Index& dims : {Index{1}, Index{7, 5, 3}, Index{64, 64, 17}}) {
    CheckMoves(
        dims, dims,
        [](engine::StepContext& context, const engine::FloatNode& node) { return engine::MakeCopy(context, node); },
        [&](const std::vector<float>& x, int64_t n, const Index& index) { return At(x, n, dims, index); });
  }
}

TEST_CASE("concat of several inputs along every axis") {
  for (const int64_t base : {2, 40}) {  // small; enough for several threads
    for (int64_t axis = 0; axis < 3; ++axis) {
      for (const int64_t batch : {1, 3}) {
        CAPTURE(axis);
        CAPTURE(batch);
        std::vector<Index> dims(3, Index{base, base + 1, 5});
        Index out = dims[0];
        out[static_cast<size_t>(axis)] = 0;
        std::vector<std::vector<float>> x;
        for (size_t i = 0; i < dims.size(); ++i) {
          dims[i][static_cast<size_t>(axis)] = static_cast<int64_t>(i) * 2 + 1;
          out[static_cast<size_t>(axis)] += dims[i][static_cast<size_t>(axis)];
          x.push_back(RandomFloats(batch * formats::ElementCount(dims[i]), static_cast<uint32_t>(i)));
        }
        std::vector<float> expected;
        for (int64_t n = 0; n < batch; ++n) {
          ForIndices(out, [&](const Index& index) {
            Index from = index;
            size_t input = 0;
            while (from[static_cast<size_t>(axis)] >= dims[input][static_cast<size_t>(axis)]) {
              from[static_cast<size_t>(axis)] -= dims[input][static_cast<size_t>(axis)];
              ++input;
            }
            expected.push_back(At(x[input], n, dims[input], from));
          });
        }
        for (const int threads : {1, 2}) {
          StepHarness harness(batch, threads);
          engine::FloatNode node = {"concat", {}, -1};
          for (const Index& d : dims) node.inputs.push_back(harness.Tensor(d));
          node.output = harness.Tensor(out);
          harness.Take(engine::MakeConcat(harness.context(), node, {axis}));
          CHECK(BitwiseEqual(harness.Run(x), expected));
        }
      }
    }
  }
}

}  // namespace
}  // namespace bnn::test
