// The binary layers that the converter finds in each architecture are those that bench/network_layers.cc lists from the
// publications: two independent readings of the same papers.
#include "bench/network_layers.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "formats/convert.h"
#include "models/architectures/architectures.h"

namespace bnn::architectures {
namespace {

using kernels::Padding;
using LayerCounts = std::map<std::string, int64_t>;

std::string Name(bench::ConvCase c, bool is_padded) {
  const Padding padding = c.padding;
  c.padding = Padding::kMinusOne;  // the name tells only one kind
  const std::string name = c.Name();
  if (!is_padded) return name;
  return name + (padding == Padding::kZero ? " zero" : padding == Padding::kOne ? " +1" : " -1");
}

std::string Name(const kernels::BDenseShape& shape) {
  return "dense " + std::to_string(shape.in_features) + "->" + std::to_string(shape.out_features);
}

LayerCounts Listed(const bench::Network& network) {
  LayerCounts counts;
  for (const bench::NetworkLayer& layer : network.layers) {
    if (const auto* conv = std::get_if<bench::ConvCase>(&layer.shape)) {
      counts[Name(*conv, !conv->valid && conv->kernel > 1)] += layer.count;
    } else {
      counts[Name(std::get<kernels::BDenseShape>(layer.shape))] += layer.count;
    }
  }
  return counts;
}

Padding PaddingOf(formats::PadValue value) {
  switch (value) {
    case formats::PadValue::kOne:
      return Padding::kOne;
    case formats::PadValue::kMinusOne:
      return Padding::kMinusOne;
    case formats::PadValue::kZero:
      return Padding::kZero;
  }
  return Padding::kZero;
}

LayerCounts Found(const formats::ModelDef& model) {
  LayerCounts counts;
  for (const formats::NodeDef& node : model.nodes) {
    const auto dims = [&](int tensor) { return model.tensors[static_cast<size_t>(tensor)].dims; };
    if (const auto* conv = std::get_if<formats::BConv2d>(&node.op)) {
      const formats::Window2d& w = conv->window;
      REQUIRE(w.kernel_h == w.kernel_w);
      REQUIRE(w.stride_h == w.stride_w);
      bench::ConvCase c;
      c.height = dims(node.inputs[0])[0];
      c.width = dims(node.inputs[0])[1];
      c.in = dims(node.inputs[0])[2];
      c.out = dims(node.output)[2];
      c.kernel = w.kernel_h;
      c.stride = w.stride_h;
      c.groups = conv->groups;
      c.padding = PaddingOf(conv->pad_value);
      ++counts[Name(c, w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0)];
    } else if (std::holds_alternative<formats::BDense>(node.op)) {
      ++counts[Name(kernels::BDenseShape{1, dims(node.inputs[0]).back(), dims(node.output).back()})];
    }
  }
  return counts;
}

TEST_CASE("every binary layer that the benchmark lists, and no other") {
  std::map<std::string, bench::Network> listed;
  for (bench::Network& network : bench::Networks()) listed[network.name] = std::move(network);
  // The same convolutions as Bi-Real-Net-18, on {0, s}: there zero padding is the low value.
  bench::Network xnor = listed.at("Bi-Real-Net-18");
  for (bench::NetworkLayer& layer : xnor.layers) std::get<bench::ConvCase>(layer.shape).padding = Padding::kMinusOne;
  listed["XNOR-ResNet-18"] = xnor;
  for (const Architecture& a : Architectures()) {
    CAPTURE(a.name);
    REQUIRE(listed.count(a.title) == 1);
    Result<formats::SourceGraph> graph = BuildArchitecture(a.name, {.classes = a.classes == 1000 ? 2 : a.classes});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const Result<formats::Conversion> conversion = formats::ConvertGraph(*std::move(graph), {});
    REQUIRE_MESSAGE(conversion.ok(), conversion.status().message());
    const LayerCounts expected = Listed(listed.at(a.title)), found = Found(conversion->model);
    for (const auto& [name, count] : expected) {
      CAPTURE(name);
      CHECK(found.count(name) == 1);
      if (found.count(name) == 1) CHECK(found.at(name) == count);
    }
    for (const auto& [name, count] : found) {
      CAPTURE(name);
      CHECK(expected.count(name) == 1);
    }
    listed.erase(a.title);
  }
  CHECK(listed.empty());
}

}  // namespace
}  // namespace bnn::architectures
