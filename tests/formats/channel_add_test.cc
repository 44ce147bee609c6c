#include "formats/lower/channel_add.h"

#include <doctest/doctest.h>

#include "tests/formats/convert_check.h"

namespace bnn::formats {
namespace {

std::string Conv(GraphBuilder* g, const std::string& x, int64_t in, int64_t out) {
  std::vector<float> weights(static_cast<size_t>(in * out));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i * 7 % 5) - 2;
  return g->Node("Conv", {x, g->Floats({out, in, 1, 1}, weights)}, {{"kernel_shape", std::vector<int64_t>{1, 1}}});
}

// NCHW, `before` and `after` channels of `value`.
std::string Pad(GraphBuilder* g, const std::string& x, int64_t before, int64_t after, float value = 0) {
  const std::string pads = g->Ints({0, before, 0, 0, 0, after, 0, 0});
  return g->Node("Pad", {x, pads, g->Floats({}, {value})});
}

// A map of 6 channels and one of 2 that is padded and added to it.
struct Graph {
  GraphBuilder g;
  std::string wide = Conv(&g, g.Input("x", {1, 3, 4, 4}), 3, 6);
  std::string Narrow() { return Conv(&g, wide, 6, 2); }
};

TEST_CASE("a padded map changes the channels that it has, wherever they are") {
  for (const int64_t before : {0, 1, 4}) {
    for (const bool wide_first : {false, true}) {
      Graph graph;
      const std::string padded = Pad(&graph.g, graph.Narrow(), before, 4 - before);
      graph.g.Output(wide_first ? graph.g.Node("Add", {graph.wide, padded})
                                : graph.g.Node("Add", {padded, graph.wide}));
      const std::string ops = Ops(CheckConversion(graph.g));
      CAPTURE(ops);
      CHECK(ops.find("Pad") == std::string::npos);
      CHECK(ops.find("Concat") != std::string::npos);
    }
  }
}

TEST_CASE("what is padded otherwise, or needed afterwards, is padded and added") {
  const auto ops = [](auto build) {
    Graph graph;
    build(&graph);
    return Ops(CheckConversion(graph.g));
  };
  const auto add = [](Graph* graph, const std::string& padded) { return graph->g.Node("Add", {graph->wide, padded}); };
  CHECK(ops([&](Graph* x) { x->g.Output(add(x, Pad(&x->g, x->Narrow(), 2, 2, 1))); }).find("Pad") != std::string::npos);
  CHECK(ops([&](Graph* x) {  // the padded map is wanted as such
          const std::string padded = Pad(&x->g, x->Narrow(), 2, 2);
          x->g.Output(add(x, padded));
          x->g.Output(padded);
        })
            .find("Pad") != std::string::npos);
  CHECK(ops([&](Graph* x) {  // the wide map is wanted afterwards
          const std::string sum = add(x, Pad(&x->g, x->Narrow(), 2, 2));
          x->g.Output(x->g.Node("Mul", {sum, x->wide}));
        })
            .find("Pad") != std::string::npos);
}

}  // namespace
}  // namespace bnn::formats
