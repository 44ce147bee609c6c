// The sweep over real networks: every distinct binary layer with the kernel that the engine would choose, and for each
// network all its binary layers together.
//
// The share of a network weighs its layers by the time that the limit allows them:
//
//   share = sum of (count * limit time) / sum of (count * time),   limit time = share of the layer * time
//
// where all layers are bound by arithmetic, that is the mean weighted by MACs.
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bench/compare.h"
#include "bench/conv_work.h"
#include "bench/dense_work.h"
#include "bench/network_layers.h"
#include "bench/sections.h"
#include "kernels/cpu_features.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {
namespace {

// A layer ready to run.
struct Work {
  std::unique_ptr<ConvWork> conv;
  std::unique_ptr<DenseWork> dense;
  Comparison comparison;
};

// More than L2 holds.
constexpr int64_t kColdBytes = 8 << 20;

Work WorkOf(const ConvCase& c, Output output, kernels::Isa isa, bool cold_weights) {
  Work work;
  const kernels::BConv2dKernel& kernel = *kernels::SelectBConv2d(c.GroupShape(), isa, nullptr, nullptr);
  work.conv = std::make_unique<ConvWork>(kernel, c, output, cold_weights ? kColdBytes : 0);
  const ConvWork* const conv = work.conv.get();
  work.comparison.name = c.Name();
  work.comparison.macs = c.Macs();
  work.comparison.kernels.push_back({kernel.name, kernel.isa, NameOf(output), [conv] { conv->Run(); },
                                     [conv, isa = kernel.isa](kernels::ReadWay way) {
                                       kernels::ReadAll(isa, conv->weights().data(), conv->weight_bytes(), way);
                                     }});
  work.comparison.f32 = MakeConvPeer(PeerType::kF32, c.Shape(), c.groups);
  work.comparison.int8 = MakeConvPeer(PeerType::kInt8, c.Shape(), c.groups);
  return work;
}

Work WorkOf(const kernels::BDenseShape& shape, Output output, kernels::Isa isa, bool) {
  Work work;
  const kernels::BDenseKernel& kernel = *kernels::SelectBDense(shape, isa, nullptr, nullptr);
  work.dense = std::make_unique<DenseWork>(kernel, shape, output);
  const DenseWork* const dense = work.dense.get();
  work.comparison.name = NameOf(shape);
  work.comparison.macs = MacsOf(shape);
  work.comparison.kernels.push_back(
      {kernel.name, kernel.isa, NameOf(output), [dense] { dense->Run(); },
       [dense, isa = kernel.isa](kernels::ReadWay way) { dense->ReadConstants(isa, way); }});
  work.comparison.f32 = MakeDensePeer(PeerType::kF32, shape);
  work.comparison.int8 = MakeDensePeer(PeerType::kInt8, shape);
  return work;
}

// Of the layers that were measured; absent values (NaN) make their sums absent.
struct Totals {
  double layers = 0, macs = 0, seconds = 0, limit_seconds = 0, vpopcnt_seconds = 0, f32_seconds = 0, int8_seconds = 0;
};

void AddRow(const std::string& network, const std::string& layer, const std::string& kernel, const std::string& output,
            const Totals& t, Report& report) {
  report.AddRow({network, layer, kernel, output, t.layers, t.macs * 1e-6, t.seconds * 1e6, t.macs / t.seconds * 1e-9,
                 100 * t.limit_seconds / t.seconds, 100 * t.vpopcnt_seconds / t.seconds, t.f32_seconds / t.seconds,
                 t.int8_seconds / t.seconds});
}

Totals OfLayers(const Comparison& comparison, const ComparisonResult& result, double count) {
  const KernelResult& kernel = result.kernels.front();
  Totals totals;
  totals.layers = count;
  totals.macs = count * static_cast<double>(comparison.macs);
  totals.seconds = count * kernel.seconds;
  totals.limit_seconds = totals.seconds * kernel.share();
  totals.vpopcnt_seconds = totals.seconds * kernel.vpopcnt_share;
  totals.f32_seconds = totals.seconds * kernel.f32_ratio;
  totals.int8_seconds = totals.seconds * kernel.int8_ratio;
  return totals;
}

void Accumulate(const Totals& layers, Totals& network) {
  network.layers += layers.layers;
  network.macs += layers.macs;
  network.seconds += layers.seconds;
  network.limit_seconds += layers.limit_seconds;
  network.vpopcnt_seconds += layers.vpopcnt_seconds;
  network.f32_seconds += layers.f32_seconds;
  network.int8_seconds += layers.int8_seconds;
}

void RunNetwork(const Network& network, const Options& options, Report& report) {
  const kernels::Isa isa = options.isa.value_or(kernels::BestIsa());
  Totals totals;
  for (const NetworkLayer& layer : network.layers) {
    const Output output = options.output.value_or(layer.output);
    const Work work =
        std::visit([&](const auto& shape) { return WorkOf(shape, output, isa, options.cold_weights); }, layer.shape);
    const Competitor& kernel = work.comparison.kernels.front();
    if (!options.WantsRow("networks/" + network.name + "/" + work.comparison.name + "/" + kernel.kernel + "/" +
                          kernel.output)) {
      continue;
    }
    const Totals layers =
        OfLayers(work.comparison, Compare(work.comparison, options.contest), static_cast<double>(layer.count));
    AddRow(network.name, work.comparison.name, kernel.kernel, kernel.output, layers, report);
    Accumulate(layers, totals);
  }
  if (totals.layers > 0) AddRow(network.name, kAllLayers, "", "", totals, report);
}

}  // namespace

void RunNetworkSection(const Options& options, Report& report) {
  report.BeginSection("networks",
                      "all binary layers of published networks, batch 1, one thread; share: of the limit that binds, "
                      "which is the arithmetic or reading the weights",
                      {{"network", "network", 17},
                       {"layer", "layer", 26},
                       {"kernel", "kernel", 22},
                       {"output", "output", 8},
                       {"count", "count", 5, 0},
                       {"million_macs", "M MACs", 7, 1},
                       {"us", "us", 8, 2},
                       {"gmac_per_s", "GMAC/s", 7, 0},
                       {"share_percent", "share %", 7, 1},
                       {"vpopcnt_percent", "vpopcnt %", 9, 1},
                       {"times_onednn_f32", "x f32", 6, 1},
                       {"times_onednn_int8", "x int8", 6, 1}});
  for (const Network& network : Networks()) RunNetwork(network, options, report);
}

}  // namespace bnn::bench
