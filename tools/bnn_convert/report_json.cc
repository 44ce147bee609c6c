#include "tools/bnn_convert/report_json.h"

#include <nlohmann/json.hpp>

namespace bnn::convert {

std::string ReportToJson(const formats::ConversionReport& report) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const formats::LayerReport& layer : report.layers) {
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"runs_as", formats::RunsAsName(layer.runs_as)},
                      {"binary", layer.is_binary()},
                      {"reason", layer.reason},
                      {"macs", layer.macs},
                      {"sparsity", layer.sparsity},
                      {"source_bytes", layer.source_bytes},
                      {"model_bytes", layer.model_bytes}});
    if (!layer.binarize_weights.empty()) layers.back()["binarize_weights"] = layer.binarize_weights;
  }
  const nlohmann::ordered_json json = {{"layers", layers}, {"notes", report.notes}};
  // Names come from the source file and need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace bnn::convert
