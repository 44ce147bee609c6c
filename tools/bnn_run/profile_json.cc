#include "tools/bnn_run/profile_json.h"

#include <nlohmann/json.hpp>

namespace bnn::run {
namespace {

using Json = nlohmann::ordered_json;

Json Layers(const Profile& profile) {
  Json layers = Json::array();
  for (const LayerProfile& layer : profile.layers) {
    Json row = StepFields(layer.step);
    row["ms"] = layer.ms;
    row["gmacs_per_second"] = layer.gmacs_per_second;
    row["share"] = layer.share;
    row["limit_ms"] = layer.limit_ms;
    row["limit_share"] = layer.limit_share;
    row["bound_by"] = BoundName(layer);
    layers.push_back(std::move(row));
  }
  return layers;
}

Json Arithmetic(double macs, const char* operations) {
  return {{"gmacs_per_second", 1e-9 * macs}, {"operations", operations == nullptr ? "" : operations}};
}

Json Limits(const Profile& profile) {
  const bnn_limits& limits = profile.limits;
  Json bandwidths = Json::array();
  for (int32_t i = 0; i < limits.num_bandwidths; ++i) {
    const bnn_bandwidth& bandwidth = limits.bandwidths[i];
    bandwidths.push_back({{"bytes", bandwidth.bytes},
                          {"read_gb_per_second", 1e-9 * bandwidth.read},
                          {"write_gb_per_second", 1e-9 * bandwidth.write}});
  }
  return {{"binary", Arithmetic(limits.binary_macs, limits.binary_operations)},
          {"float32", Arithmetic(limits.float32_macs, limits.float32_operations)},
          {"int8", Arithmetic(limits.int8_macs, limits.int8_operations)},
          {"handover_us", 1e6 * limits.handover_seconds},
          {"bandwidths", std::move(bandwidths)},
          {"measurements", profile.limit_spans.size()}};
}

}  // namespace

Json StepFields(const StepInfo& step) {
  return {{"name", step.name},
          {"op", step.op},
          {"kernel", step.kernel},
          {"shape", step.shape},
          {"macs", step.macs},
          {"is_binary", step.is_binary},
          {"arithmetic", ArithmeticName(step.arithmetic)},
          {"bytes_read", step.bytes_read},
          {"bytes_written", step.bytes_written}};
}

Json ProfileFields(const Profile& profile) {
  return {{"layers", Layers(profile)},          {"layers_ms", profile.layers_ms}, {"overhead_ms", profile.overhead_ms},
          {"clock_ms", profile.clock_ms},       {"run_ms", profile.run_ms},       {"limit_ms", profile.limit_ms},
          {"limit_share", profile.limit_share}, {"limits", Limits(profile)}};
}

}  // namespace bnn::run
