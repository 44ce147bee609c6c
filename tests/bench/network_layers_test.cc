// The table of networks against what is published about them.
#include "bench/network_layers.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "bench/dense_work.h"

namespace bnn::bench {
namespace {

const Network& Find(const std::vector<Network>& networks, const std::string& name) {
  for (const Network& network : networks) {
    if (network.name == name) return network;
  }
  FAIL("no network " << name);
  return networks.front();
}

struct Sum {
  int64_t layers = 0;
  double billion_macs = 0;
};

Sum Total(const Network& network) {
  Sum sum;
  for (const NetworkLayer& layer : network.layers) {
    const int64_t macs = std::holds_alternative<ConvCase>(layer.shape)
                             ? std::get<ConvCase>(layer.shape).Macs()
                             : MacsOf(std::get<kernels::BDenseShape>(layer.shape));
    sum.layers += layer.count;
    sum.billion_macs += 1e-9 * static_cast<double>(layer.count * macs);
  }
  return sum;
}

// Binary operations as the ReActNet paper lists them (arXiv:2003.03488, table 2), in units of 10^9.
TEST_CASE("Binary operations are those that the ReActNet paper counts") {
  const std::vector<Network> networks = Networks();
  CHECK(Total(Find(networks, "Bi-Real-Net-18")).billion_macs == doctest::Approx(1.68).epsilon(0.005));
  CHECK(Total(Find(networks, "ReActNet-A")).billion_macs == doctest::Approx(4.82).epsilon(0.005));
  CHECK(Total(Find(networks, "MeliusNet-22")).billion_macs == doctest::Approx(4.62).epsilon(0.005));
}

// The numbers in the networks' names count the binary layers and the full-precision ones: first, last, transitions.
TEST_CASE("Numbers of binary layers") {
  const std::vector<Network> networks = Networks();
  CHECK(Total(Find(networks, "Bi-Real-Net-18")).layers == 18 - 2);
  CHECK(Total(Find(networks, "BinaryDenseNet-28")).layers == 28 - 2 - 3);
  CHECK(Total(Find(networks, "ReActNet-A")).layers == 13 + 8 + 2 * 5);
  CHECK(Total(Find(networks, "QuickNet-Small")).layers == 16);
  CHECK(Total(Find(networks, "QuickNet")).layers == 16);
  CHECK(Total(Find(networks, "QuickNet-Large")).layers == 32);
  CHECK(Total(Find(networks, "MeliusNet-22")).layers == 2 * 17);
  CHECK(Total(Find(networks, "XNOR-AlexNet")).layers == 6);
  CHECK(Total(Find(networks, "CNV")).layers == 8);
}

TEST_CASE("Layers are listed once") {
  for (const Network& network : Networks()) {
    std::set<std::string> seen;
    for (const NetworkLayer& layer : network.layers) {
      const std::string shape = std::holds_alternative<ConvCase>(layer.shape)
                                    ? std::get<ConvCase>(layer.shape).Name()
                                    : NameOf(std::get<kernels::BDenseShape>(layer.shape));
      CAPTURE(network.name);
      CAPTURE(shape);
      CHECK(layer.count >= 1);
      CHECK(seen.insert(shape + NameOf(layer.output)).second);
    }
  }
}

}  // namespace
}  // namespace bnn::bench
