// The lowering of operators of format 1.2: the model computes what the source means.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

using Ints = std::vector<int64_t>;

std::string Scalar(GraphBuilder& g, float value) { return g.Floats({}, {value}); }

std::string Quantized(GraphBuilder& g, const std::string& x, const std::vector<std::string>& limits, int64_t levels) {
  return g.Node("FakeQuantize", {x, limits[0], limits[1], limits[2], limits[3]}, {{"levels", levels}});
}

TEST_CASE("FakeQuantize of any level is one operator: per tensor, per channel, inverted, on maps and vectors") {
  for (const int64_t levels : {3, 16, 255, 65536}) {
    for (const Dims& dims : {Dims{1, 3, 4, 5}, Dims{2, 3}}) {
      GraphBuilder g;
      const std::string x = g.Input("x", dims);
      const Dims channel = dims.size() == 4 ? Dims{1, 3, 1, 1} : Dims{1, 3};
      const std::string per_tensor =
          Quantized(g, x, {Scalar(g, -1.3f), Scalar(g, 2.2f), Scalar(g, -0.7f), Scalar(g, 3.1f)}, levels);
      const std::string per_channel = Quantized(
          g, x, {g.Floats(channel, {-1, 0.3f, -4}), Scalar(g, 2.1f), Scalar(g, 0), g.Floats(channel, {1, 2, 3})},
          levels);
      const std::string inverted =
          Quantized(g, x, {Scalar(g, 1.7f), Scalar(g, -1.1f), Scalar(g, 0), Scalar(g, 1)}, levels);
      for (const std::string& out : {per_tensor, per_channel, inverted}) g.Output(out);
      const Conversion conversion = CheckConversion(g);
      CHECK(Ops(conversion).find("FakeQuantize FakeQuantize FakeQuantize") != std::string::npos);
    }
  }
}

TEST_CASE("limits that differ along other axes than the channels are refused with the reason") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 2, 3, 2});
  g.Output(Quantized(g, x, {Scalar(g, 0), g.Floats({3, 1}, {1, 2, 3}), Scalar(g, 0), Scalar(g, 1)}, 9));
  const Result<Conversion> conversion = ConvertGraph(g.graph(), {});
  REQUIRE(!conversion.ok());
  CHECK(conversion.status().message().find("not one value per channel") != std::string::npos);
}

TEST_CASE("functions of one value") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 3, 4, 5});
  for (const char* op : {"Mish", "Swish", "Elu", "Softplus", "Erf", "Gelu"}) g.Output(g.Node(op, {x}));
  g.Output(g.Node("Swish", {x}, {{"alpha", 1.5f}}));
  g.Output(g.Node("Elu", {x}, {{"alpha", 0.25f}}));
  g.Output(g.Node("Gelu", {x}, {{"approximate", std::string("tanh")}}));
  const std::string positive = g.Node("Add", {g.Node("Abs", {x}), Scalar(g, 0.5f)});
  g.Output(g.Node("Log", {positive}));
  g.Output(g.Node("Reciprocal", {positive}));
  g.Output(g.Node("Pow", {positive, Scalar(g, -1.5f)}));
  CheckConversion(g, 1e-6);
}

TEST_CASE("ConvTranspose: weights, groups, bias, pads, output_padding") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 4, 5, 3});
  g.Output(g.Node("ConvTranspose", {x, g.Floats({4, 6, 3, 2}, Quarters(144, 1)), g.Floats({6}, Quarters(6, 2))},
                  {{"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 2, 1}}, {"output_padding", Ints{1, 2}}}));
  g.Output(g.Node("ConvTranspose", {x, g.Floats({4, 3, 3, 3}, Quarters(108, 3))},
                  {{"group", int64_t{2}}, {"dilations", Ints{2, 1}}}));
  const Conversion conversion = CheckConversion(g);
  REQUIRE(conversion.report.layers.size() == 2);
  CHECK(conversion.report.layers[0].macs == 5 * 3 * 4 * 6 * 6);
  CHECK(conversion.report.layers[0].reason == "transposed convolutions run as floats");
}

TEST_CASE("Resize by scales and by sizes") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 3, 4, 6});
  const std::string scales = g.Floats({4}, {1, 1, 2, 0.5f});
  for (const char* mode : {"nearest", "linear"}) {
    for (const char* coordinates :
         {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "tf_half_pixel_for_nn"}) {
      for (const char* nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
        const std::map<std::string, Attribute> attributes = {
            {"mode", std::string(mode)},
            {"coordinate_transformation_mode", std::string(coordinates)},
            {"nearest_mode", std::string(nearest)}};
        g.Output(g.Node("Resize", {x, "", scales}, attributes));
        g.Output(g.Node("Resize", {x, "", "", g.Ints({0, 3, 7, 9})}, attributes));
      }
    }
  }
  CheckConversion(g, 1e-6);
  GraphBuilder channels;
  channels.Output(channels.Node("Resize", {channels.Input("x", {1, 3, 4, 6}), "", channels.Floats({4}, {1, 2, 1, 1})}));
  const Result<Conversion> refused = ConvertGraph(channels.graph(), {});
  REQUIRE(!refused.ok());
  CHECK(refused.status().message().find("it resizes channels") != std::string::npos);
}

TEST_CASE("Reduce over any axes of a sample, with and without keepdims") {
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"}) {
    for (const Ints& axes : {Ints{1}, Ints{2}, Ints{-1}, Ints{2, 3}, Ints{1, 3}, Ints{1, 2, 3}}) {
      for (const int64_t keepdims : {0, 1}) {
        if (axes.size() == 3 && keepdims == 0) continue;  // nothing but the batch is left
        GraphBuilder g;
        const std::string x = g.Node("Relu", {g.Input("x", {1, 3, 4, 5})});
        g.Output(g.Node(op, {x, g.Ints(axes)}, {{"keepdims", keepdims}}));
        CheckConversion(g, 1e-6);
      }
    }
  }
  GraphBuilder pool;
  pool.Output(pool.Node("ReduceMax", {pool.Input("x", {1, 3, 4, 5}), pool.Ints({2, 3})}));
  CHECK(Ops(CheckConversion(pool)).find("MaxPool") != std::string::npos);
  GraphBuilder batch;
  batch.Output(batch.Node("ReduceSum", {batch.Input("x", {1, 3, 4, 5}), batch.Ints({0})}));
  CHECK(ConvertGraph(batch.graph(), {}).status().message().find("would mix the samples") != std::string::npos);
}

TEST_CASE("LRN and NormalizeL2") {
  GraphBuilder g;
  const std::string x = g.Input("x", {1, 7, 4, 5});
  g.Output(g.Node("LRN", {x}, {{"size", int64_t{5}}, {"alpha", 0.5f}, {"beta", 0.6f}, {"bias", 1.5f}}));
  g.Output(g.Node("LRN", {x}, {{"size", int64_t{3}}, {"axes", Ints{2, 3}}}));
  for (const Ints& axes : {Ints{1}, Ints{-1, 1}, Ints{1, 2, 3}}) {
    g.Output(g.Node("NormalizeL2", {x, g.Ints(axes)}, {{"eps", 0.5f}, {"eps_mode", std::string("max")}}));
    g.Output(g.Node("NormalizeL2", {x, g.Ints(axes)}, {{"eps", 0.5f}}));
  }
  CheckConversion(g, 1e-6);
}

TEST_CASE("symmetric padding") {
  GraphBuilder g;
  g.Output(g.Node("Pad", {g.Input("x", {1, 2, 3, 4}), g.Ints({0, 1, 3, 2, 0, 2, 0, 4})},
                  {{"mode", std::string("symmetric")}}));
  CheckConversion(g);
}

TEST_CASE("squeeze-and-excitation: a map times a value a channel, both computed") {
  for (const bool by_convolution : {true, false}) {
    GraphBuilder g;
    const std::string x = g.Node("Relu", {g.Input("x", {1, 8, 5, 4})});
    std::string s;
    if (by_convolution) {
      s = g.Node("GlobalAveragePool", {x});
      s = g.Node("Relu", {g.Node("Conv", {s, g.Floats({4, 8, 1, 1}, Quarters(32, 1))})});
      s = g.Node("Conv", {s, g.Floats({8, 4, 1, 1}, Quarters(32, 2))});
    } else {
      s = g.Node("ReduceMean", {x, g.Ints({2, 3})}, {{"keepdims", int64_t{0}}});
      s = g.Node("Relu", {g.Node("MatMul", {s, g.Floats({8, 4}, Quarters(32, 1))})});
      s = g.Node("MatMul", {s, g.Floats({4, 8}, Quarters(32, 2))});
      s = g.Node("Reshape", {s, g.Ints({-1, 8, 1, 1})});
    }
    g.Output(g.Node("Mul", {x, g.Node("HardSigmoid", {s})}));
    g.Output(g.Node("Mul", {g.Node("Sigmoid", {s}), x}));
    CheckConversion(g, 1e-5);
  }
}

}  // namespace
}  // namespace bnn::formats
