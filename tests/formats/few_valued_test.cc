// The few-valued analysis: every spelling of a threshold, what lets the property flow, and what it refuses.
#include "formats/passes/few_valued.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "formats/interpreter.h"
#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

const float kAfterZero = std::nextafter(0.0f, 1.0f);

FewValuedResult Analyze(const GraphBuilder& g, SignOfZero sign = SignOfZero::kAuto) {
  Result<FewValuedResult> result = AnalyzeFewValued(g.graph(), sign);
  REQUIRE_MESSAGE(result.ok(), result.status().message());
  return *std::move(result);
}

// One value that must be two-valued.
FewValued Find(const GraphBuilder& g, const std::string& value, SignOfZero sign = SignOfZero::kAuto) {
  const FewValuedResult result = Analyze(g, sign);
  REQUIRE(result.values.count(value) == 1);
  return result.values.at(value);
}

std::string Refusal(const GraphBuilder& g, const std::string& value) {
  const FewValuedResult result = Analyze(g);
  CHECK(result.values.count(value) == 0);
  const auto it = result.refusals.find(value);
  return it == result.refusals.end() ? "" : it->second;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Floats = std::vector<float>;

TEST_CASE("BipolarQuant: +scale where x >= 0") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 3, 3});
  const FewValued scalar = Find(g, g.Node("BipolarQuant", {x, g.Floats({}, {0.5f})}));
  CHECK(scalar.low() == Floats{-0.5f});
  CHECK(scalar.high() == Floats{0.5f});
  CHECK(scalar.thresholds.at(0) == Floats{0.0f});
  CHECK(scalar.source == x);
  const FewValued channels = Find(g, g.Node("BipolarQuant", {x, g.Floats({1, 2, 1, 1}, {0.5f, -2})}));
  CHECK(channels.low() == Floats{-0.5f, 2});
  CHECK(channels.high() == Floats{0.5f, -2});
  const std::string by_row = g.Node("BipolarQuant", {x, g.Floats({3, 1}, {1, 2, 3})});
  CHECK(Contains(Refusal(g, by_row), "not the channel axis"));
}

TEST_CASE("FakeQuantize with two levels: equal limits are a strict threshold") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 3, 3});
  const std::string t = g.Floats({1, 2, 1, 1}, {0.5f, -1});
  const std::string y =
      g.Node("FakeQuantize", {x, t, t, g.Floats({}, {0}), g.Floats({}, {1.5f})}, {{"levels", int64_t{2}}});
  const FewValued pair = Find(g, y);
  CHECK(pair.low() == Floats{0});
  CHECK(pair.high() == Floats{1.5f});
  CHECK(pair.thresholds.at(0) == Floats{std::nextafter(0.5f, 1.0f), std::nextafter(-1.0f, 1.0f)});
}

TEST_CASE("FakeQuantize with two levels: between its limits the middle decides, half to even") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  for (const auto& pair :
       {std::pair(0.0f, 1.0f), std::pair(-0.3f, 0.9f), std::pair(0.1f, 0.7f), std::pair(-3e-39f, 1e30f)}) {
    const float low = pair.first, high = pair.second;
    CAPTURE(low);
    CAPTURE(high);
    const std::string y =
        g.Node("FakeQuantize", {x, g.Floats({}, {low}), g.Floats({}, {high}), g.Floats({}, {-1}), g.Floats({}, {1})},
               {{"levels", int64_t{2}}});
    const float t = Find(g, y).thresholds.at(0).at(0);
    // The very formula, at the threshold and at the float before it.
    const auto rounds_up = [=](float v) {
      return v > high || (v > low && std::nearbyint((v - low) / (high - low)) == 1);
    };
    CHECK(rounds_up(t));
    CHECK(!rounds_up(std::nextafter(t, -std::numeric_limits<float>::infinity())));
  }
}

// The formula gives output_low up to input_high, output_high up to the middle, output_low up to input_low, output_high.
TEST_CASE(
    "FakeQuantize with two levels and inverted input limits is a threshold only where the limits are neighbours") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const auto quantize = [&](float low, float high) {
    return g.Node("FakeQuantize", {x, g.Floats({}, {low}), g.Floats({}, {high}), g.Floats({}, {0}), g.Floats({}, {1})},
                  {{"levels", int64_t{2}}});
  };
  const float one = 1, next = std::nextafter(one, 2.0f), second = std::nextafter(next, 2.0f);
  CHECK(Find(g, quantize(next, one)).thresholds.at(0) == Floats{second});
  CHECK(Find(g, quantize(second, one)).thresholds.at(0) ==
        Floats{std::nextafter(second, 2.0f)});  // the middle rounds to even
  CHECK(Contains(Refusal(g, quantize(std::nextafter(second, 2.0f), one)), "not monotone"));
  CHECK(Contains(Refusal(g, quantize(1, -1)), "not monotone"));
}

TEST_CASE("FakeQuantize: what it refuses") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string one = g.Floats({}, {1}), zero = g.Floats({}, {0});
  CHECK(Contains(Refusal(g, g.Node("FakeQuantize", {x, zero, one, zero, one}, {{"levels", int64_t{256}}})),
                 "256 levels"));
  CHECK(Contains(Refusal(g, g.Node("FakeQuantize", {x, one, zero, zero, one}, {{"levels", int64_t{2}}})),
                 "not monotone"));
  const std::string computed = g.Node("Relu", {x});
  CHECK(Contains(Refusal(g, g.Node("FakeQuantize", {x, computed, one, zero, one}, {{"levels", int64_t{2}}})),
                 "input_low is not constant"));
  const std::string nan = g.Floats({}, {std::nanf("")});
  CHECK(Contains(Refusal(g, g.Node("FakeQuantize", {x, nan, one, zero, one}, {{"levels", int64_t{2}}})), "NaN"));
}

TEST_CASE("comparisons: operand order, strictness and polarity") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string c = g.Floats({}, {0.5f});
  const float after = std::nextafter(0.5f, 1.0f);
  struct Case {
    const char* op;
    bool constant_first;
    float threshold, low, high;
  };
  const Case cases[] = {{"Greater", false, after, 0, 1}, {"GreaterOrEqual", false, 0.5f, 0, 1},
                        {"Less", false, 0.5f, 1, 0},     {"LessOrEqual", false, after, 1, 0},
                        {"Greater", true, 0.5f, 1, 0},   {"GreaterOrEqual", true, after, 1, 0},
                        {"Less", true, after, 0, 1},     {"LessOrEqual", true, 0.5f, 0, 1}};
  for (const Case& test : cases) {
    GraphBuilder graph = g;  // each alone: equal thresholds share their bits
    CAPTURE(test.op);
    CAPTURE(test.constant_first);
    const std::string y =
        graph.Node(test.op, test.constant_first ? std::vector<std::string>{c, x} : std::vector<std::string>{x, c});
    const FewValued pair = Find(graph, y);
    CHECK(pair.thresholds.at(0) == Floats{test.threshold});
    CHECK(pair.low() == Floats{test.low});
    CHECK(pair.high() == Floats{test.high});
  }
  const std::string infinity = g.Floats({}, {std::numeric_limits<float>::infinity()});
  CHECK(Contains(Refusal(g, g.Node("Greater", {x, infinity})), "infinity"));
  CHECK(Contains(Refusal(g, g.Node("Greater", {x, g.Node("Relu", {x})})), "not constant"));
  CHECK(Contains(Refusal(g, g.Node("Greater", {x, g.Floats({2, 1}, {1, 2})})), "enlarge"));
}

TEST_CASE("equal thresholds of one value share their bits, so arithmetic of both stays two-valued") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string zero = g.Floats({}, {0});
  const std::string positive = g.Node("Cast", {g.Node("Greater", {x, zero})}, {{"to", int64_t{1}}});
  const std::string negative = g.Node("Cast", {g.Node("LessOrEqual", {x, zero})}, {{"to", int64_t{1}}});
  const FewValued pair = Find(g, g.Node("Sub", {positive, negative}));
  CHECK(pair.low() == Floats{-1});
  CHECK(pair.high() == Floats{1});
  // Different thresholds do not.
  const std::string other = g.Node("Cast", {g.Node("Less", {x, zero})}, {{"to", int64_t{1}}});
  const std::string three = g.Node("Sub", {positive, other});
  CHECK(Analyze(g).values.count(three) == 0);
}

TEST_CASE("arithmetic maps low and high with the very float operation") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 2, 2});
  const std::string bits = g.Node("Cast", {g.Node("Greater", {x, g.Floats({}, {0})})}, {{"to", int64_t{1}}});
  const std::string scaled = g.Node("Mul", {bits, g.Floats({}, {0.1f})});
  const FewValued sum = Find(g, g.Node("Add", {scaled, g.Floats({}, {0.7f})}));
  CHECK(sum.high() == Floats{0.1f + 0.7f});
  CHECK(sum.low() == Floats{0.7f});
  CHECK(sum.source.empty());
  const FewValued channels = Find(g, g.Node("Mul", {bits, g.Floats({1, 2, 1, 1}, {3, -4})}));
  CHECK(channels.low() == Floats{0, 0});
  CHECK(channels.high() == Floats{3, -4});
  const FewValued where =
      Find(g, g.Node("Where", {g.Node("Less", {x, g.Floats({}, {1})}), g.Floats({}, {5}), g.Floats({}, {6})}));
  CHECK(where.low() == Floats{5});
  CHECK(where.high() == Floats{6});
  const FewValued normalized =
      Find(g, g.Node("BatchNormalization",
                     {bits, g.Floats({2}, {1, 2}), g.Floats({2}, {0, 1}), g.Floats({2}, {0, 0}), g.Floats({2}, {1, 1})},
                     {{"epsilon", 0.0f}}));
  CHECK(normalized.low() == Floats{0, 1});
  CHECK(normalized.high() == Floats{1, 3});
  CHECK(Contains(Refusal(g, g.Node("Mul", {bits, g.Floats({2, 1}, {1, 2})})), "channel axis"));
  CHECK(Contains(Refusal(g, g.Node("Div", {bits, g.Floats({}, {0})})), "finite"));
}

TEST_CASE("Sign: of a real-valued input, with a note") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string y = g.Node("Sign", {x});
  const FewValued automatic = Find(g, y);
  CHECK(automatic.low() == Floats{-1});
  CHECK(automatic.high() == Floats{1});
  CHECK(automatic.thresholds.at(0) == Floats{0});
  CHECK(Analyze(g).notes.size() == 1);
  CHECK(Find(g, y, SignOfZero::kPlus).thresholds.at(0) == Floats{0});
  CHECK(Find(g, y, SignOfZero::kMinus).thresholds.at(0) == Floats{kAfterZero});
  CHECK(Analyze(g, SignOfZero::kPlus).notes.empty());
}

TEST_CASE("Sign behind a ReLU is exactly {0, 1}") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 1, 4, 4});
  const std::string pooled = g.Node("MaxPool", {g.Node("Relu", {x})}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  const FewValued pair = Find(g, g.Node("Sign", {pooled}), SignOfZero::kPlus);
  CHECK(pair.low() == Floats{0});
  CHECK(pair.high() == Floats{1});
  CHECK(pair.thresholds.at(0) == Floats{kAfterZero});
}

TEST_CASE("Sign whose readers give 0 the value of +1 or -1 is exact, also where 0 occurs") {
  GraphBuilder g;
  const std::string x = g.Node("Floor", {g.Input("x", {1, 2, 3, 3})});
  const auto outer = [&](const std::string& shift) {
    return g.Node("Sign", {g.Node("Add", {g.Node("Sign", {x}), shift})});
  };
  for (const SignOfZero mode : {SignOfZero::kAuto, SignOfZero::kPlus, SignOfZero::kMinus}) {
    const std::string plus = outer(g.Floats({}, {0.1f}));  // Larq
    const FewValuedResult result = Analyze(g, mode);
    REQUIRE(result.values.count(plus) == 1);
    CHECK(result.values.at(result.values.at(plus).bits).thresholds.at(0) == Floats{0});
    CHECK(result.values.at(plus).low() == Floats{-1});
    CHECK(result.values.at(plus).high() == Floats{1});
    CHECK(result.notes.empty());
  }
  const std::string minus = outer(g.Floats({1, 2, 1, 1}, {-0.1f, -0.5f}));
  const FewValuedResult result = Analyze(g);
  CHECK(result.values.at(result.values.at(minus).bits).thresholds.at(0) == Floats{kAfterZero});
  const std::string at_least = g.Node("GreaterOrEqual", {g.Node("Sign", {x}), g.Floats({}, {0})});
  CHECK(Find(g, at_least).low() == Floats{0});
  // Channels that disagree, a shift that keeps 0, a pixel-wise shift, another reader, an output of the network.
  for (const std::string& shift :
       {g.Floats({1, 2, 1, 1}, {-0.1f, 0.1f}), g.Floats({}, {0}), g.Floats({1, 1, 1, 3}, {0.1f, 0.1f, 0.1f})}) {
    CHECK(Find(g, outer(shift)).source != x);
  }
  const std::string sign = g.Node("Sign", {x});
  const std::string larq = g.Node("Sign", {g.Node("Add", {sign, g.Floats({}, {0.1f})})});
  GraphBuilder read_twice = g, is_output = g;
  read_twice.Node("Relu", {sign});
  is_output.Output(sign);
  CHECK(Analyze(g).values.count(sign) == 1);
  // Then the first Sign has three values; the second compares what the Add makes of them.
  CHECK(Find(read_twice, larq).source != x);
  CHECK(Analyze(read_twice).values.count(sign) == 0);
  CHECK(Analyze(is_output).values.count(sign) == 0);
}

TEST_CASE("Sign where 0 is certain to occur is not two-valued, unless decided") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 4, 4});
  const std::string floor = g.Node("Sign", {g.Node("Floor", {x})});
  CHECK(Contains(Refusal(g, floor), "integers"));
  CHECK(Contains(Refusal(g, floor), "--sign-zero"));
  CHECK(Find(g, floor, SignOfZero::kMinus).thresholds.at(0) == Floats{kAfterZero});
  const std::string padded = g.Node("Pad", {x, g.Ints({0, 0, 1, 1, 0, 0, 1, 1})});
  CHECK(Contains(Refusal(g, g.Node("Sign", {padded})), "zero padding"));
  const std::string clipped = g.Node("Clip", {x, g.Floats({}, {-1}), g.Floats({}, {0})});
  CHECK(Contains(Refusal(g, g.Node("Sign", {clipped})), "Clip"));
}

// Sign of what a binary layer of `terms` terms computes, with a bias per channel.
std::string SignOfSums(GraphBuilder* g, int64_t terms, float bias) {
  const std::string x = g->Input("x", {1, terms});
  const std::string bits = g->Node("BipolarQuant", {x, g->Floats({}, {1})});
  const std::string sums = g->Node("MatMul", {bits, g->Floats({terms, 2}, Signs(2 * terms, 1))});
  return g->Node("Sign", {g->Node("Add", {sums, g->Floats({2}, {bias, bias})})});
}

TEST_CASE("Sign of a binary layer: decided by the sums that can occur") {
  GraphBuilder even, odd, shifted;
  CHECK(Contains(Refusal(even, SignOfSums(&even, 4, 0)), "integer sums"));
  CHECK(Find(odd, SignOfSums(&odd, 5, 0)).thresholds.at(0) == Floats{0});
  CHECK(Find(shifted, SignOfSums(&shifted, 4, 0.5f)).thresholds.at(0) == Floats{0});
  // The constant may stand first.
  GraphBuilder reversed;
  const std::string bits = reversed.Node("BipolarQuant", {reversed.Input("x", {1, 4}), reversed.Floats({}, {1})});
  const std::string sums = reversed.Node("MatMul", {bits, reversed.Floats({4, 1}, Signs(4, 1))});
  CHECK(Contains(Refusal(reversed, reversed.Node("Sign", {reversed.Node("Mul", {reversed.Floats({}, {0.5f}), sums})})),
                 "integer sums"));
  GraphBuilder odd_shifted;
  CHECK(Contains(Refusal(odd_shifted, SignOfSums(&odd_shifted, 5, 3)), "integer sums"));
}

// Binarized maps, {-1, 1} per tensor, or {0, 1} and {0, 2} by channel.
std::string Maps(GraphBuilder* g, bool per_channel) {
  const std::string x = g->Input("x", {1, 2, 4, 4});
  const std::string quantized = g->Node("BipolarQuant", {x, g->Floats({}, {1})});
  return per_channel ? g->Node("Mul", {quantized, g->Floats({1, 2, 1, 1}, {1, -2})}) : quantized;
}

TEST_CASE("moves keep one pair for the tensor") {
  GraphBuilder g;
  const std::string bits = Maps(&g, false);
  const std::vector<std::string> moved = {
      g.Node("Reshape", {bits, g.Ints({1, 32})}),
      g.Node("Flatten", {bits}, {{"axis", int64_t{1}}}),
      g.Node("Transpose", {bits}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}),
      g.Node("MaxPool", {bits}, {{"kernel_shape", std::vector<int64_t>{2, 2}}}),
      g.Node("Pad", {bits, g.Ints({0, 0, 1, 1, 0, 0, 1, 1}), g.Floats({}, {-1})}),
      g.Node("Pad", {bits, g.Ints({0, 0, 1, 1, 0, 0, 1, 1}), g.Floats({}, {1})}),
      g.Node("Pad", {bits, g.Ints({0, 0, 1, 1, 0, 0, 1, 1})}, {{"mode", std::string("reflect")}}),
      g.Node("Concat", {bits, bits}, {{"axis", int64_t{1}}}),
      g.Node("Concat", {bits, g.Floats({1, 1, 4, 4}, Signs(16, 1))}, {{"axis", int64_t{1}}}),
      g.Node("Slice", {bits, g.Ints({0}), g.Ints({1}), g.Ints({1}), g.Ints({1})}),
      g.Nodes("Split", {bits, g.Ints({1, 1})}, 2, {{"axis", int64_t{1}}})[1]};
  const FewValuedResult result = Analyze(g);
  for (const std::string& value : moved) {
    CAPTURE(value);
    REQUIRE(result.values.count(value) == 1);
    CHECK(result.values.at(value).low() == Floats{-1});
    CHECK(result.values.at(value).high() == Floats{1});
    CHECK(result.values.at(value).bits == value);
    CHECK(result.values.at(value).source.empty());
  }
  CHECK(Contains(Refusal(g, g.Node("Pad", {bits, g.Ints({0, 0, 1, 1, 0, 0, 1, 1}), g.Floats({}, {0})})), "neither"));
  const std::string other = g.Node("Mul", {bits, g.Floats({}, {3})});
  CHECK(Contains(Refusal(g, g.Node("Concat", {bits, other}, {{"axis", int64_t{1}}})), "different pairs"));
}

TEST_CASE("moves keep pairs by channel where the channels stay") {
  GraphBuilder g;
  const std::string bits = Maps(&g, true);
  const std::string squeezed_rows = g.Node("Reshape", {bits, g.Ints({1, 2, 2, 8})});
  const std::string pooled = g.Node("MaxPool", {bits}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  const std::string turned = g.Node("Transpose", {bits}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const FewValuedResult result = Analyze(g);
  CHECK(result.values.at(squeezed_rows).low() == Floats{-1, 2});
  CHECK(result.values.at(squeezed_rows).high() == Floats{1, -2});
  CHECK(result.values.at(pooled).low() == Floats{-1, -2});  // ordered: the pool of a reversed pair is no OR
  CHECK(result.values.at(turned).high() == Floats{1, 2});
  CHECK(Contains(Refusal(g, g.Node("Reshape", {bits, g.Ints({1, 32})})), "mixes channels"));
  CHECK(Contains(Refusal(g, g.Node("Transpose", {bits}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}})),
                 "moves the channel"));
  CHECK(Contains(Refusal(g, g.Node("Slice", {bits, g.Ints({0}), g.Ints({1}), g.Ints({1}), g.Ints({1})})),
                 "part of the channels"));
  CHECK(Contains(Refusal(g, g.Node("Pad", {bits, g.Ints({0, 1, 0, 0, 0, 0, 0, 0}), g.Floats({}, {1})})),
                 "pads channels"));
}

// ---- More than two values

// The levels and values of `value` for x, by the analysis.
float ValueAt(const FewValued& few, const FewValued& bits, float x) {
  size_t level = 0;
  for (const ChannelNumbers& threshold : bits.thresholds) level += x >= threshold[0] ? 1 : 0;
  return few.values.at(level)[0];
}

// Checks that the analysis gives what the graph computes of its input of one float: around the steps, and far away.
void CheckLevels(const GraphBuilder& g, const std::string& value, size_t levels) {
  const FewValuedResult result = Analyze(g);
  REQUIRE_MESSAGE(result.values.count(value) == 1, value);
  const FewValued& few = result.values.at(value);
  const FewValued& bits = result.values.at(few.bits);
  REQUIRE(few.levels() == levels);
  REQUIRE(bits.thresholds.size() == levels - 1);
  REQUIRE(bits.source == "x");
  Floats samples = {-1e30f, -3, -0.0f, 0, 3, 1e30f};
  for (const ChannelNumbers& threshold : bits.thresholds) {
    const float t = threshold[0];
    samples.insert(samples.end(), {std::nextafter(t, -1e30f), t, std::nextafter(t, 1e30f)});
  }
  for (const float x : samples) {
    CAPTURE(x);
    const Result<std::map<std::string, Tensor>> run = Interpret(g.graph(), {{"x", FloatTensor({1, 1}, {x})}}, {value});
    REQUIRE(run.ok());
    CHECK(ValueAt(few, bits, x) == run->at(value).floats[0]);
  }
}

TEST_CASE("FakeQuantize with 3 to 16 levels") {
  for (const int64_t levels : {3, 4, 5, 8, 15, 16}) {
    GraphBuilder g;
    const std::string x = g.Input("x", {1, 1});
    const std::string y = g.Node(
        "FakeQuantize", {x, g.Floats({}, {-0.3f}), g.Floats({}, {1.7f}), g.Floats({}, {0.1f}), g.Floats({}, {0.9f})},
        {{"levels", levels}});
    CheckLevels(g, y, static_cast<size_t>(levels));
  }
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 1}), zero = g.Floats({}, {0}), one = g.Floats({}, {1});
  const std::string many = g.Node("FakeQuantize", {x, zero, one, zero, one}, {{"levels", int64_t{17}}});
  CHECK(Contains(Refusal(g, many), "17 levels"));
}

TEST_CASE("a rounding behind a limited range, as exporters write quantizers") {
  const auto quantizer = [](const char* rounding, double factor, float low, float high, float offset) {
    GraphBuilder g;
    std::string y = g.Input("x", {1, 1});
    y = g.Node("Div", {y, g.Floats({}, {static_cast<float>(factor)})});
    y = g.Node("Clip", {y, g.Floats({}, {low}), g.Floats({}, {high})});
    y = g.Node("Add", {y, g.Floats({}, {offset})});
    y = g.Node(rounding, {y});
    return std::pair(std::move(g), y);
  };
  for (const char* rounding : {"Round", "Floor", "Ceil"}) {
    CAPTURE(rounding);
    const auto [g, y] = quantizer(rounding, 0.3, 0, 3, 0.0f);
    CheckLevels(g, y, 4);
    const auto [h, z] = quantizer(rounding, 7.1, -8, 7, 0.25f);
    CheckLevels(h, z, 16);
  }
  const auto [wide, y] = quantizer("Round", 1, 0, 16, 0);
  CHECK(Contains(Refusal(wide, y), "17 values"));
}

// Blueoil's linear_mid_tread_half of 2 bits, and what follows keeps the levels.
TEST_CASE("values of levels are those that arithmetic gives") {
  GraphBuilder g;
  std::string y = g.Input("x", {1, 1});
  y = g.Node("Clip", {y, g.Floats({}, {0}), g.Floats({}, {2})});
  y = g.Node("Mul", {g.Node("Div", {y, g.Floats({}, {2})}), g.Floats({}, {3})});
  y = g.Node("Floor", {g.Node("Add", {y, g.Floats({}, {0.5f})})});
  y = g.Node("Mul", {g.Node("Div", {y, g.Floats({}, {3})}), g.Floats({}, {2})});
  CheckLevels(g, y, 4);
  const std::string negated = g.Node("Neg", {y});
  CheckLevels(g, negated, 4);
}

TEST_CASE("roundings of anything else stay what they are") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 1});
  CHECK(Contains(Refusal(g, g.Node("Round", {x})), "not limited"));
  const std::string constant = g.Node("Floor", {g.Node("Clip", {x, g.Floats({}, {0}), g.Floats({}, {0.5f})})});
  CHECK(Contains(Refusal(g, constant), "1 values"));
  const std::string falling = g.Node("Sub", {g.Floats({}, {3}), x});
  const std::string floor = g.Node("Floor", {g.Node("Clip", {falling, g.Floats({}, {0}), g.Floats({}, {2})})});
  CHECK(Find(g, floor).source == falling);
}

}  // namespace
}  // namespace bnn::formats
