// Which Conv, MatMul and Gemm become binary, what they become, and why others do not. Every conversion is checked
// against the interpretation of its source.
#include <doctest/doctest.h>

#include <limits>

#include "tests/formats/convert_check.h"
#include "tests/formats/model_reference.h"

namespace bnn::formats {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string Scalar(GraphBuilder* g, float value) { return g->Floats({}, {value}); }

// x > 1/2 ? high : low.
std::string Threshold(GraphBuilder* g, const std::string& x, float low, float high) {
  return g->Node("Where", {g->Node("Greater", {x, Scalar(g, 0.5f)}), Scalar(g, high), Scalar(g, low)});
}

struct ConvCase {
  float low = -1, high = 1;
  std::vector<int64_t> pads = {0, 0, 0, 0};
  std::vector<int64_t> explicit_pads;  // top, left, bottom, right; empty: no Pad
  float pad_value = 0;
  bool bias = false;
};

// A 3x3 convolution of 3 to 4 channels on a 5x4 map; weights of the channels: +-1, +-1/2, all -2, zeros.
GraphBuilder MakeConv(const ConvCase& c) {
  GraphBuilder g;
  std::string data = Threshold(&g, g.Input("x", {1, 3, 5, 4}), c.low, c.high);
  if (!c.explicit_pads.empty()) {
    const std::vector<int64_t>& p = c.explicit_pads;
    data = g.Node("Pad", {data, g.Ints({0, 0, p[0], p[1], 0, 0, p[2], p[3]}), Scalar(&g, c.pad_value)});
  }
  std::vector<float> weights = Signs(27, 1);
  for (const float w : Signs(27, 2, 0.5f)) weights.push_back(w);
  weights.insert(weights.end(), 27, -2.0f);
  weights.insert(weights.end(), 27, 0.0f);
  std::vector<std::string> inputs = {data, g.Floats({4, 3, 3, 3}, weights)};
  if (c.bias) inputs.push_back(g.Floats({4}, {1, -0.5f, 3, 0.25f}));
  g.Output(g.Node("Conv", inputs, {{"kernel_shape", std::vector<int64_t>{3, 3}}, {"pads", c.pads}}));
  return g;
}

const BConv2d& OnlyBConv(const Conversion& conversion) {
  for (const NodeDef& node : conversion.model.nodes) {
    if (const auto* conv = std::get_if<BConv2d>(&node.op)) return *conv;
  }
  FAIL("no BConv2d in ", Ops(conversion));
  std::abort();
}

TEST_CASE("the affine parts of activations and weights fold into one Affine") {
  for (const auto& pair : {std::pair(-1.0f, 1.0f), std::pair(0.0f, 1.0f), std::pair(1.0f, 0.0f), std::pair(1.0f, -1.0f),
                           std::pair(0.0f, 0.25f), std::pair(2.0f, 5.0f), std::pair(3.0f, 3.0f)}) {
    const float low = pair.first, high = pair.second;
    for (const bool bias : {false, true}) {
      CAPTURE(low);
      CAPTURE(high);
      const Conversion conversion = CheckConversion(MakeConv({low, high, {0, 0, 0, 0}, {}, 0, bias}));
      CHECK(OnlyLayer(conversion).is_binary());
      CHECK(Ops(conversion) == "Transpose Binarize BConv2d Affine Transpose");
    }
  }
}

TEST_CASE("an accumulator that needs no affine gets none") {
  GraphBuilder g;
  const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 8}), Scalar(&g, 1)});
  g.Output(g.Node("MatMul", {bits, g.Floats({8, 2}, Signs(16, 1))}));
  CHECK(Ops(CheckConversion(g)) == "Binarize BDense");
}

TEST_CASE("implicit zero padding: a bit where 0 is one of the values, excluded where symmetric, else corrected") {
  struct Case {
    float low, high;
    PadValue pad;
    bool corrected;
  };
  for (const Case& c :
       {Case{0, 2, PadValue::kMinusOne, false}, Case{2, 0, PadValue::kOne, false}, Case{-2, 2, PadValue::kZero, false},
        Case{2, -2, PadValue::kZero, false}, Case{-1, 3, PadValue::kZero, true}, Case{1, 2, PadValue::kZero, true}}) {
    CAPTURE(c.low);
    CAPTURE(c.high);
    const Conversion conversion = CheckConversion(MakeConv({c.low, c.high, {1, 2, 0, 1}, {}, 0, true}));
    const BConv2d& conv = OnlyBConv(conversion);
    CHECK(conv.pad_value == c.pad);
    CHECK(conv.window.pad_top == 1);
    CHECK(conv.window.pad_left == 2);
    CHECK(conv.window.pad_bottom == 0);
    CHECK(conv.window.pad_right == 1);
    CHECK(Contains(Ops(conversion), "Binary") == c.corrected);
    CHECK(Contains(OnlyLayer(conversion).reason, "padding corrected by position") == c.corrected);
  }
}

TEST_CASE("an explicit Pad becomes the convolution's padding, whatever its value") {
  struct Case {
    float low, high, value;
    PadValue pad;
    bool corrected;
  };
  for (const Case& c : {Case{-1, 1, -1, PadValue::kMinusOne, false}, Case{-1, 1, 1, PadValue::kOne, false},
                        Case{-1, 1, 0, PadValue::kZero, false}, Case{-1, 1, 0.5f, PadValue::kZero, true},
                        Case{0, 1, 1, PadValue::kOne, false}, Case{0, 1, 0, PadValue::kMinusOne, false},
                        Case{0, 1, -3, PadValue::kZero, true}, Case{1, 0, 1, PadValue::kMinusOne, false}}) {
    CAPTURE(c.low);
    CAPTURE(c.value);
    const Conversion conversion = CheckConversion(MakeConv({c.low, c.high, {0, 0, 0, 0}, {2, 1, 0, 3}, c.value, true}));
    CHECK(OnlyBConv(conversion).pad_value == c.pad);
    CHECK(OnlyBConv(conversion).window.pad_top == 2);
    CHECK(OnlyBConv(conversion).window.pad_right == 3);
    CHECK(Contains(Ops(conversion), "Binary") == c.corrected);
    CHECK(!Contains(Ops(conversion), "Pad"));
  }
}

TEST_CASE("explicit and implicit padding of zeros add up; of different values they stay apart") {
  const Conversion zeros = CheckConversion(MakeConv({-1, 1, {1, 1, 1, 1}, {1, 0, 2, 0}, 0, false}));
  CHECK(OnlyBConv(zeros).window.pad_top == 2);
  CHECK(OnlyBConv(zeros).window.pad_bottom == 3);
  const Conversion ones = CheckConversion(MakeConv({-1, 1, {1, 1, 1, 1}, {1, 0, 2, 0}, 1, false}));
  CHECK(OnlyBConv(ones).pad_value == PadValue::kZero);
  CHECK(Ops(ones) == "Transpose Binarize Unpack Pad Binarize BConv2d Affine Transpose");
}

TEST_CASE("weights: bits in (out, kernel_h, kernel_w, in) order, +r is 1, zeros scale to 0") {
  GraphBuilder g;
  const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 2, 2, 2}), Scalar(&g, 1)});
  // OIHW of channel 0: in 0: + - / - -; in 1: - - / - +.
  g.Output(g.Node("Conv", {bits, g.Floats({2, 2, 2, 2}, {3, -3, -3, -3, -3, -3, -3, 3, 0, 0, 0, 0, 0, 0, 0, 0})}));
  const Conversion conversion = CheckConversion(g);
  const Blob& blob = conversion.model.blobs[static_cast<size_t>(OnlyBConv(conversion).weights)];
  CHECK(blob.dims == std::vector<int64_t>{2, 2, 2, 2});
  const std::vector<float> values = BlobValues(blob);
  CHECK(std::vector<float>(values.begin(), values.begin() + 8) == std::vector<float>{1, 0, 0, 0, 0, 0, 0, 1});
  CHECK(blob.data.size() == 8);  // one word a row
  CHECK(OnlyLayer(conversion).model_bytes == 8);
  CHECK(OnlyLayer(conversion).source_bytes == 64);
  CHECK(OnlyLayer(conversion).macs == 16);
}

TEST_CASE("groups, strides and dilations") {
  GraphBuilder g;
  const std::string bits = Threshold(&g, g.Input("x", {1, 6, 9, 8}), 0, 1);
  g.Output(g.Node("Conv", {bits, g.Floats({4, 3, 3, 2}, Signs(72, 3, 0.25f))},
                  {{"group", int64_t{2}},
                   {"strides", std::vector<int64_t>{2, 1}},
                   {"dilations", std::vector<int64_t>{1, 3}},
                   {"pads", std::vector<int64_t>{1, 0, 2, 1}}}));
  const Conversion conversion = CheckConversion(g);
  CHECK(OnlyBConv(conversion).groups == 2);
  CHECK(OnlyLayer(conversion).macs == 4 * 5 * 6 * 18);
}

TEST_CASE("Gemm: alpha, beta, transB and bias") {
  for (const int64_t trans_b : {0, 1}) {
    GraphBuilder g;
    const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 5}), Scalar(&g, 1)});
    const Dims dims = trans_b != 0 ? Dims{3, 5} : Dims{5, 3};
    g.Output(g.Node("Gemm", {bits, g.Floats(dims, Signs(15, 1)), g.Floats({3}, {1, 2, -0.5f})},
                    {{"transB", trans_b}, {"alpha", 0.5f}, {"beta", 2.0f}}));
    CHECK(OnlyLayer(CheckConversion(g)).is_binary());
  }
}

TEST_CASE("a batch that the source fixes is kept, one that it leaves open is open") {
  GraphBuilder fixed;
  const std::string bits = fixed.Node("BipolarQuant", {fixed.Input("x", {3, 4}), Scalar(&fixed, 1)});
  fixed.Output(fixed.Node("MatMul", {bits, fixed.Floats({4, 2}, Signs(8, 1))}));
  CHECK(CheckConversion(fixed).model.source_batch == 3);
  GraphBuilder open;
  const std::string open_bits = open.Node("BipolarQuant", {open.Input("x", {1, 4}), Scalar(&open, 1)});
  open.Output(open.Node("MatMul", {open_bits, open.Floats({4, 2}, Signs(8, 1))}));
  open.graph().batch_is_symbolic = true;
  CHECK(CheckConversion(open).model.source_batch == 0);
}

// The reason for the one layer that stays float.
std::string FloatReason(const GraphBuilder& g) {
  const Conversion conversion = CheckConversion(g);
  CHECK(!OnlyLayer(conversion).is_binary());
  CHECK(OnlyLayer(conversion).model_bytes == OnlyLayer(conversion).source_bytes);
  return OnlyLayer(conversion).reason;
}

TEST_CASE("reasons to stay float") {
  SUBCASE("a real-valued input") {
    GraphBuilder g;
    g.Output(g.Node("MatMul", {g.Input("x", {1, 4}), g.Floats({4, 2}, Signs(8, 1))}));
    CHECK(FloatReason(g) == "activations do not take few values: 'x' is an input of the network");
  }
  SUBCASE("a real-valued operator") {
    GraphBuilder g;
    g.Output(g.Node("MatMul", {g.Node("Relu", {g.Input("x", {1, 4})}), g.Floats({4, 2}, Signs(8, 1))}));
    CHECK(Contains(FloatReason(g), "they come from Relu 'Relu_"));
  }
  SUBCASE("a refusal upstream is named") {
    GraphBuilder g;
    const std::string sign = g.Node("Sign", {g.Node("Floor", {g.Input("x", {1, 1, 2, 2})})});
    const std::string flat = g.Node("Flatten", {sign}, {{"axis", int64_t{1}}});
    g.Output(g.Node("MatMul", {flat, g.Floats({4, 2}, Signs(8, 1))}));
    CHECK(Contains(FloatReason(g), "Sign gives 0 for 0"));
  }
  SUBCASE("pairs by channel") {
    GraphBuilder g;
    const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 2, 3, 3}), g.Floats({1, 2, 1, 1}, {1, 2})});
    g.Output(g.Node("Conv", {bits, g.Floats({1, 2, 1, 1}, {1, 1})}));
    CHECK(Contains(FloatReason(g), "different values in different channels"));
  }
  SUBCASE("weights with a third value") {
    GraphBuilder g;
    const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 2}), Scalar(&g, 1)});
    g.Output(g.Node("MatMul", {bits, g.Floats({2, 2}, {1, 1, -1, 0.5f})}));
    CHECK(FloatReason(g) ==
          "weights are not {-r, +r} per output channel: channel 1 holds 0.5 where |w| = 1 was found before");
  }
}

TEST_CASE("a kernel_shape that contradicts the weights is an error") {
  GraphBuilder g;
  const std::string bits = g.Node("BipolarQuant", {g.Input("x", {1, 1, 4, 4}), Scalar(&g, 1)});
  g.Output(g.Node("Conv", {bits, g.Floats({1, 1, 2, 2}, Signs(4, 1))}));
  g.graph().nodes.back().attributes["kernel_shape"] = std::vector<int64_t>{3, 3};
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(!conversion.ok());
  CHECK(Contains(conversion.status().message(), "kernel_shape"));
}

TEST_CASE("weights that are not constant are an error that names the node") {
  GraphBuilder g;
  const std::string x = g.Input("x", {2, 2});
  g.Output(g.Node("MatMul", {x, g.Node("Relu", {g.Input("w", {2, 2})})}));
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(!conversion.ok());
  CHECK(Contains(conversion.status().message(), "(MatMul): its weights are not constant"));
}

}  // namespace
}  // namespace bnn::formats
