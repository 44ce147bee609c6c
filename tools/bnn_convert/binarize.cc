#include "tools/bnn_convert/binarize.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/binarize/binarize_layers.h"
#include "formats/binarize/nncf_config.h"
#include "formats/binarize/quantize_weights.h"
#include "formats/passes/passes.h"

namespace bnn::convert {
namespace {

// The data as inputs of runs of the graph, in the batches that it was imported with.
std::vector<formats::CalibrationBatch> MakeBatches(const CalibrationData& data) {
  const std::vector<TensorInfo> infos = data.model.inputs();
  const int64_t size = infos[0].dims[0], samples = data.feeds[0].samples();
  std::vector<formats::CalibrationBatch> batches;
  for (int64_t first = 0; first < samples; first += size) {
    formats::CalibrationBatch batch;
    batch.samples = std::min(size, samples - first);
    for (size_t i = 0; i < infos.size(); ++i) {
      std::vector<float> values(infos[i].size());
      data.feeds[i].Fill(first, batch.samples, values);
      batch.inputs[infos[i].name] = formats::FloatTensor(infos[i].dims, std::move(values));
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

void Binarization::AddTo(formats::ConversionReport* report) const {
  for (formats::LayerReport& layer : report->layers) {
    const auto kept = choice.kept.find(layer.name);
    if (kept != choice.kept.end() && layer.runs_as == formats::RunsAs::kFloat) layer.reason = kept->second;
  }
  report->notes.insert(report->notes.begin(), notes.begin(), notes.end());
}

Result<Binarization> BinarizeByNncf(const std::string& config_file, const formats::ConvertOptions& convert,
                                    const formats::Preprocessing& preprocessing, const CalibrationOptions& options,
                                    formats::SourceGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const formats::NncfConfig config, formats::ReadNncfConfig(config_file));
  BNN_RETURN_IF_ERROR(formats::FoldConstants(graph));
  BNN_RETURN_IF_ERROR(formats::RemoveDeadNodes(graph));
  Binarization result;
  BNN_ASSIGN_OR_RETURN(result.choice, ChooseLayers(*graph, config));
  // This converts the whole float network only to learn what its inputs are (layout, preprocessing): a small part of
  // the time that interpreting the samples takes.
  BNN_ASSIGN_OR_RETURN(const CalibrationData data, LoadCalibrationData(*graph, convert, preprocessing, options.files));
  BNN_ASSIGN_OR_RETURN(const std::vector<formats::BinarizedLayer> layers,
                       BinarizeLayers(graph, config.mode, result.choice.binarized, MakeBatches(data)));
  if (!config.training_keys.empty()) {
    result.notes.push_back(
        fmt::format("{}: without meaning for a conversion: {}", config_file, Joined(config.training_keys)));
  }
  for (const formats::BinarizedLayer& layer : layers) {
    result.notes.push_back(fmt::format("'{}': input binarized to 0 and {:.6g}, threshold {:.6g}", layer.name,
                                       layer.scale, 0.5 * layer.scale));
  }
  return result;
}

Result<Binarization> QuantizeWeightsByName(const WeightsOptions& options, formats::SourceGraph* graph) {
  BNN_ASSIGN_OR_RETURN(const formats::WeightsQuantizer quantizer, formats::WeightsQuantizerByName(options.quantizer));
  BNN_RETURN_IF_ERROR(formats::FoldConstants(graph));
  BNN_RETURN_IF_ERROR(formats::RemoveDeadNodes(graph));
  formats::NncfConfig scopes;
  scopes.ignored_scopes = options.ignored_scopes;
  if (!options.target_scopes.empty()) scopes.target_scopes = options.target_scopes;
  Binarization result;
  BNN_ASSIGN_OR_RETURN(result.choice, ChooseLayers(*graph, scopes));
  BNN_RETURN_IF_ERROR(QuantizeWeights(graph, quantizer, result.choice.binarized));
  for (const std::string& layer : result.choice.binarized) {
    result.notes.push_back(fmt::format("'{}': weights by {}", layer, options.quantizer));
  }
  return result;
}

}  // namespace bnn::convert
