// Layouts, bits and floats side by side, single operators, and what cannot be lowered.
#include "formats/lower/lower.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string Scalar(GraphBuilder* g, float value) { return g->Floats({}, {value}); }

std::string Quantized(GraphBuilder* g, const std::string& x) { return g->Node("BipolarQuant", {x, Scalar(g, 1)}); }

std::string Error(const GraphBuilder& g) {
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(!conversion.ok());
  CHECK(conversion.status().code() == StatusCode::kUnsupported);
  return conversion.status().message();
}

TEST_CASE("inputs and outputs keep the names, order and layout of the source") {
  GraphBuilder g;
  const std::string a = g.Input("image", {1, 3, 4, 5});
  const std::string b = g.Input("vector", {1, 6});
  g.Output(g.Node("Neg", {b}));
  g.Output(g.Node("Relu", {a}));
  const Conversion conversion = CheckConversion(g);
  const ModelDef& model = conversion.model;
  REQUIRE(model.inputs.size() == 2);
  const auto tensor = [&](int index) { return model.tensors[static_cast<size_t>(index)]; };
  CHECK(tensor(model.inputs[0].tensor).name == "image");
  CHECK(tensor(model.inputs[0].tensor).dims == std::vector<int64_t>{3, 4, 5});
  CHECK(model.inputs[0].layout == ImageLayout::kNchw);
  CHECK(model.inputs[1].layout == ImageLayout::kNotAnImage);
  CHECK(tensor(model.outputs[0]).name == g.graph().outputs[0]);
  CHECK(tensor(model.outputs[1]).name == g.graph().outputs[1]);
  CHECK(tensor(model.outputs[1]).dims == std::vector<int64_t>{3, 4, 5});
  CHECK(model.source == "test.onnx");
}

TEST_CASE("one channel and one pixel need no transposition") {
  GraphBuilder g;
  g.Output(g.Node("Relu", {g.Input("x", {1, 1, 4, 5})}));
  g.Output(g.Node("Relu", {g.Input("y", {1, 7, 1, 1})}));
  CHECK(!Contains(Ops(CheckConversion(g)), "Transpose"));
}

TEST_CASE("an output that is an input, and one value as two outputs") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string y = g.Node("Relu", {x});
  g.Output(x);
  g.Output(y);
  CHECK(CheckConversion(g).model.outputs.size() == 2);
}

TEST_CASE("dense layers behind flattened maps: columns are permuted, not the data") {
  for (const bool binary : {false, true}) {
    for (const char* flatten : {"Flatten", "Reshape"}) {
      CAPTURE(binary);
      CAPTURE(flatten);
      GraphBuilder g;
      const std::string maps = Quantized(
          &g, g.Node("MaxPool", {g.Input("x", {1, 3, 5, 4})}, {{"kernel_shape", std::vector<int64_t>{2, 2}}}));
      const std::string data = binary ? maps : g.Node("Add", {maps, Scalar(&g, 0.25f)});
      const std::string flat = flatten == std::string("Flatten") ? g.Node("Flatten", {data}, {{"axis", int64_t{1}}})
                                                                 : g.Node("Reshape", {data, g.Ints({0, -1})});
      g.Output(g.Node("MatMul", {flat, g.Floats({36, 5}, binary ? Signs(180, 1) : Quarters(180, 1))}));
      const Conversion conversion = CheckConversion(g);
      CHECK(OnlyLayer(conversion).is_binary() == binary);
      CHECK(Ops(conversion) ==
            (binary ? "Transpose Binarize BMaxPool BConv2d Reshape" : "Transpose Binarize BMaxPool Unpack Dense"));
    }
  }
}

TEST_CASE("constants of flattened features follow their order") {
  GraphBuilder g;
  const std::string x = g.Node("Relu", {g.Input("x", {1, 3, 2, 2})});
  const std::string flat = g.Node("Flatten", {x}, {{"axis", int64_t{1}}});
  const std::string shifted =
      g.Node("Add", {g.Node("Mul", {flat, g.Floats({12}, Quarters(12, 1))}), g.Floats({1, 12}, Quarters(12, 2))});
  const std::string slope = g.Node("PRelu", {shifted, g.Floats({12}, Quarters(12, 3))});
  const std::string bits = g.Node("Greater", {slope, g.Floats({12}, Quarters(12, 4))});
  const std::string values = g.Node("Where", {bits, g.Floats({12}, Quarters(12, 5)), g.Floats({12}, Quarters(12, 6))});
  g.Output(g.Node("MatMul", {g.Node("Cast", {bits}, {{"to", int64_t{1}}}), g.Floats({12, 4}, Signs(48, 1))}));
  g.Output(values);
  g.Output(flat);
  const Conversion conversion = CheckConversion(g);
  CHECK(OnlyLayer(conversion).is_binary());
  CHECK(Contains(Ops(conversion), "BDense"));
}

TEST_CASE("pairs by feature behind a flattened map of bits") {
  GraphBuilder g;
  const std::string flat = g.Node("Flatten", {Quantized(&g, g.Input("x", {1, 3, 2, 2}))}, {{"axis", int64_t{1}}});
  g.Output(g.Node("Mul", {flat, g.Floats({12}, Quarters(12, 1))}));
  CheckConversion(g);
}

TEST_CASE("reshapes that mix axes go through the source's order") {
  GraphBuilder g;
  const std::string x = g.Node("Relu", {g.Input("x", {1, 4, 2, 3})});
  g.Output(g.Node("Reshape", {x, g.Ints({1, 3, 4, 2})}));
  g.Output(g.Node("Reshape", {x, g.Ints({1, 8, 3})}));
  const std::string flat = g.Node("Reshape", {x, g.Ints({1, 24})});
  g.Output(g.Node("Reshape", {flat, g.Ints({1, 4, 2, 3})}));
  g.Output(g.Node("Relu", {g.Node("Reshape", {flat, g.Ints({1, 2, 4, 3})})}));
  const std::string bits = Quantized(&g, x);
  const std::string mixed = g.Node("Reshape", {bits, g.Ints({1, 2, 4, 3})});
  g.Output(g.Node("Conv", {mixed, g.Floats({1, 2, 2, 2}, Signs(8, 1))}));
  CHECK(OnlyLayer(CheckConversion(g)).is_binary());
}

TEST_CASE("squeeze and unsqueeze of bits between vectors and 1x1 maps") {
  GraphBuilder g;
  const std::string bits = Quantized(&g, g.Input("x", {1, 6}));
  const std::string map = g.Node("Unsqueeze", {bits, g.Ints({2, 3})});
  const std::string sums = g.Node("Conv", {map, g.Floats({6, 6, 1, 1}, Signs(36, 1))});
  const std::string vector = g.Node("Squeeze", {Quantized(&g, sums), g.Ints({2, 3})});
  g.Output(g.Node("MatMul", {vector, g.Floats({6, 2}, Signs(12, 2))}));
  const Conversion conversion = CheckConversion(g);
  CHECK(Ops(conversion) == "Binarize Reshape BConv2d Binarize Reshape BDense");
}

TEST_CASE("a threshold behind a max-pool moves in front of it, where nobody else reads the pool") {
  for (const bool shared : {false, true}) {
    GraphBuilder g;
    const std::string pool = g.Node("MaxPool", {g.Input("x", {1, 1, 5, 5})},
                                    {{"kernel_shape", std::vector<int64_t>{2, 2}},
                                     {"ceil_mode", int64_t{1}},
                                     {"strides", std::vector<int64_t>{2, 2}}});
    g.Output(Quantized(&g, pool));
    if (shared) g.Output(pool);
    CHECK(Contains(Ops(CheckConversion(g)), "Binarize BMaxPool") == !shared);
  }
}

TEST_CASE("a max-pool of a reversed pair is no OR of its bits: they are reversed first") {
  GraphBuilder g;
  const std::string bits = g.Node("Neg", {Quantized(&g, g.Input("x", {1, 1, 4, 4}))});
  const std::string pool = g.Node("MaxPool", {bits}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  g.Output(g.Node("Conv", {pool, g.Floats({1, 1, 2, 2}, Signs(4, 1))}));
  const Conversion conversion = CheckConversion(g);
  CHECK(OnlyLayer(conversion).is_binary());
  CHECK(Contains(Ops(conversion), "Unpack Binarize BMaxPool BConv2d"));
}

TEST_CASE("bits are made once and unpacked where floats are wanted") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 1, 4, 4});
  const std::string bits = Quantized(&g, x);
  const std::string conv = g.Node("Conv", {bits, g.Floats({1, 1, 1, 1}, {1})});
  const std::string scaled = g.Node("Mul", {bits, Scalar(&g, 0.5f)});
  g.Output(g.Node("Add", {conv, scaled}));
  g.Output(g.Node("Conv", {scaled, g.Floats({2, 1, 2, 2}, Signs(8, 1))}));
  const std::string ops = Ops(CheckConversion(g));
  CHECK(ops.find("Binarize") == ops.rfind("Binarize"));
  CHECK(ops.find("Unpack") == ops.rfind("Unpack"));
}

TEST_CASE("what moves floats of two values is compared again") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 4, 4});
  const std::string bits = g.Node("Cast", {g.Node("Less", {x, Scalar(&g, 1)})}, {{"to", int64_t{1}}});
  const std::string turned = g.Node("Transpose", {bits}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const std::string both = g.Node("Concat", {turned, bits}, {{"axis", int64_t{1}}});
  const std::vector<std::string> parts = g.Nodes("Split", {both, g.Ints({1, 3})}, 2, {{"axis", int64_t{1}}});
  g.Output(g.Node("Conv", {parts[1], g.Floats({1, 3, 2, 2}, Signs(12, 1))}));
  g.Output(parts[0]);
  CHECK(OnlyLayer(CheckConversion(g)).is_binary());
}

TEST_CASE("Sign with its 0 is exact, and the layer behind it stays float") {
  GraphBuilder g;
  const std::string sign = g.Node("Sign", {g.Node("Round", {g.Input("x", {1, 6})})});
  g.Output(g.Node("MatMul", {sign, g.Floats({6, 2}, Signs(12, 1))}));
  g.Output(sign);
  CHECK(!OnlyLayer(CheckConversion(g)).is_binary());
}

TEST_CASE("a source that works on NHWC maps behind transpositions") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4, 5, 3});
  const std::string nchw = g.Node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  const std::string y = g.Node("Conv", {nchw, g.Floats({2, 3, 2, 2}, Quarters(24, 1))});
  g.Output(g.Node("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}));
  // The NHWC input needs no transposition to be an NHWC map.
  CHECK(Ops(CheckConversion(g)).substr(0, 6) == "Conv2d");
}

TEST_CASE("single float operators") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 4, 6});
  const std::string per_pixel = g.Floats({4, 6}, Quarters(24, 1));
  const std::string per_channel = g.Floats({2, 1, 1}, {0.5f, -4});
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    g.Output(g.Node(op, {x, per_channel}));
    g.Output(g.Node(op, {per_channel, g.Node("Add", {g.Node("Abs", {x}), Scalar(&g, 1)})}));
    g.Output(g.Node(op, {x, g.Node("Add", {per_pixel, Scalar(&g, 8)})}));
    g.Output(g.Node(op, {x, g.Node("Abs", {g.Node("Add", {x, Scalar(&g, 8)})})}));
  }
  g.Output(g.Node("Div", {x, Scalar(&g, 3)}));  // not exact as a multiplication
  for (const char* op : {"Relu", "Neg", "Abs", "Floor", "Ceil", "Round", "LeakyRelu", "HardSigmoid", "Identity"}) {
    g.Output(g.Node(op, {x}));
  }
  g.Output(g.Node("Pow", {x, Scalar(&g, 2)}));
  g.Output(g.Node("Clip", {x, "", Scalar(&g, 1)}));
  g.Output(g.Node("PRelu", {x, per_channel}));
  g.Output(g.Node("Concat", {x, x, x}, {{"axis", int64_t{3}}}));
  g.Output(g.Node("Slice", {x, g.Ints({-3, 0}), g.Ints({100, -1}), g.Ints({-1, 2}), g.Ints({2, 1})}));
  g.Output(g.Node("Pad", {x, g.Ints({0, 0, 1, 2, 0, 1, 0, 3}), Scalar(&g, 7)}));
  g.Output(g.Node("Pad", {x, g.Ints({0, 0, 1, 2, 0, 0, 0, 3})}, {{"mode", std::string("edge")}}));
  g.Output(g.Node("Pad", {x, g.Ints({0, 0, 1, 2, 0, 0, 0, 3})}, {{"mode", std::string("reflect")}}));
  g.Output(g.Node("GlobalAveragePool", {x}));
  g.Output(g.Node("GlobalMaxPool", {x}));
  g.Output(g.Node("ReduceMean", {x, g.Ints({2, 3})}, {{"keepdims", int64_t{0}}}));
  for (const int64_t ceil_mode : {0, 1}) {
    const std::map<std::string, Attribute> window = {{"kernel_shape", std::vector<int64_t>{3, 2}},
                                                     {"strides", std::vector<int64_t>{2, 3}},
                                                     {"pads", std::vector<int64_t>{1, 0, 0, 1}},
                                                     {"ceil_mode", ceil_mode}};
    g.Output(g.Node("MaxPool", {x}, window));
    g.Output(g.Node("AveragePool", {x}, window));
  }
  CheckConversion(g, 1e-6);
}

TEST_CASE("transcendental operators and softmax") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 3, 2, 2});
  for (const char* op : {"Sigmoid", "Tanh", "Exp", "HardSwish"}) g.Output(g.Node(op, {x}));
  g.Output(g.Node("Sqrt", {g.Node("Abs", {x})}));
  g.Output(g.Node("Softmax", {x}, {{"axis", int64_t{1}}}));
  g.Output(g.Node("LogSoftmax", {x}, {{"axis", int64_t{-1}}}));
  CheckConversion(g, 1e-5);
}

TEST_CASE("all nodes that cannot be lowered are listed in one error, each once") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4});
  const std::string first = g.Node("ReduceProd", {x, g.Ints({1})});
  const std::string second = g.Node("Gather", {x, g.Ints({1})}, {{"axis", int64_t{1}}});
  g.Output(g.Node("Relu", {first}));
  g.Output(g.Node("Relu", {second}));
  const std::string message = Error(g);
  CHECK(Contains(message, "2 nodes have no counterpart"));
  CHECK(Contains(message, "ReduceProd"));
  CHECK(Contains(message, "Gather"));
  CHECK(!Contains(message, "Relu"));
}

TEST_CASE("operators that touch the batch are errors that name them") {
  const auto error = [](const std::function<std::string(GraphBuilder&, const std::string&)>& node) {
    GraphBuilder g;
    g.Output(g.Node("Relu", {node(g, g.Input("x", {2, 3, 4, 4}))}));
    return Error(g);
  };
  CHECK(Contains(error([](GraphBuilder& g, const std::string& x) {
                   return g.Node("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0, 2, 3}}});
                 }),
                 "(Transpose)"));
  CHECK(Contains(error([](GraphBuilder& g, const std::string& x) {
                   return g.Node("Concat", {x, x}, {{"axis", int64_t{0}}});
                 }),
                 "does not keep the batch"));
  CHECK(Contains(error([](GraphBuilder& g, const std::string& x) {
                   return g.Node("Softmax", {x}, {{"axis", int64_t{0}}});
                 }),
                 "axis 0"));
  CHECK(Contains(error([](GraphBuilder& g, const std::string& x) {
                   return g.Node("Reshape", {x, g.Ints({1, 96})});
                 }),
                 "does not keep the batch"));
  CHECK(Contains(error([](GraphBuilder& g, const std::string& x) {
                   return g.Node("Add", {x, g.Floats({2, 1, 1, 1}, {1, 2})});
                 }),
                 "differs from sample to sample"));
}

TEST_CASE("inputs that are no floats, or no batches, are errors") {
  GraphBuilder g;
  g.Output(g.Node("Relu", {g.Input("x", {4})}));
  CHECK(Contains(Error(g), "input 'x'"));
  GraphBuilder h;
  const std::string a = h.Input("a", {1, 4});
  h.Output(h.Node("Concat", {a, h.Input("b", {2, 4})}, {{"axis", int64_t{0}}}));
  CHECK(Contains(Error(h), "batch"));
}

}  // namespace
}  // namespace bnn::formats
