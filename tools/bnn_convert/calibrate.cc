#include "tools/bnn_convert/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "formats/passes/passes.h"
#include "formats/passes/quantize_float_layers.h"
#include "formats/writer.h"
#include "tools/bnn_convert/app.h"

namespace bnn::convert {
namespace {

using formats::ActivationRange;
using formats::SourceGraph;

// Values of one tensor over all samples. For percentiles a part of them is kept, at regular distances.
class RangeMeter {
 public:
  explicit RangeMeter(size_t expected_values) : stride_(expected_values / kMaxKept + 1) {}

  void Add(std::span<const float> values) {
    for (const float value : values) {
      low_ = std::min(low_, value);
      high_ = std::max(high_, value);
    }
    for (size_t i = 0; i < values.size(); i += stride_) kept_.push_back(values[i]);
  }

  // The interval that holds the middle `percentile` of the values.
  ActivationRange Range(double percentile) {
    if (percentile >= 100 || kept_.empty()) return {low_, high_};
    std::sort(kept_.begin(), kept_.end());
    const double outside = (100 - percentile) / 200 * static_cast<double>(kept_.size() - 1);
    const auto skipped = static_cast<size_t>(std::floor(outside));
    return {kept_[skipped], kept_[kept_.size() - 1 - skipped]};
  }

 private:
  static constexpr size_t kMaxKept = size_t{1} << 20;

  size_t stride_;
  float low_ = std::numeric_limits<float>::infinity(), high_ = -std::numeric_limits<float>::infinity();
  std::vector<float> kept_;
};

// Runs all samples through a model whose outputs are the values to be measured. Its inputs count as values, too.
class Measurement {
 public:
  Measurement(const Model& model, std::vector<run::InputFeed> feeds)
      : inputs_(model.inputs()), outputs_(model.outputs()), feeds_(std::move(feeds)) {
    const auto samples = static_cast<size_t>(feeds_[0].samples());
    for (const TensorInfo& info : inputs_) in_.emplace_back(info.size());
    for (const TensorInfo& info : outputs_) out_.emplace_back(info.size());
    for (const auto* infos : {&inputs_, &outputs_}) {
      for (const TensorInfo& info : *infos) meters_.try_emplace(info.name, samples * info.size());
    }
  }

  Status Run(const Model& model) {
    BNN_ASSIGN_OR_RETURN(Session session, Session::Create(model));
    std::vector<bnn_buffer> in, out;
    for (std::vector<float>& buffer : in_) in.push_back({buffer.data(), buffer.size() * sizeof(float)});
    for (std::vector<float>& buffer : out_) out.push_back({buffer.data(), buffer.size() * sizeof(float)});
    const int64_t batch = inputs_[0].dims[0], samples = feeds_[0].samples();
    for (int64_t first = 0; first < samples; first += batch) {
      const int64_t count = std::min(batch, samples - first);
      for (size_t i = 0; i < feeds_.size(); ++i) feeds_[i].Fill(first, count, in_[i]);
      BNN_RETURN_IF_ERROR(session.Run(in, out));
      Add(inputs_, in_, batch, count);
      Add(outputs_, out_, batch, count);
    }
    return OkStatus();
  }

  std::map<std::string, ActivationRange> Ranges(double percentile) {
    std::map<std::string, ActivationRange> ranges;
    for (auto& [name, meter] : meters_) ranges[name] = meter.Range(percentile);
    return ranges;
  }

 private:
  // The samples of the last batch that are none are left out.
  void Add(const std::vector<TensorInfo>& infos, const std::vector<std::vector<float>>& buffers, int64_t batch,
           int64_t count) {
    for (size_t i = 0; i < infos.size(); ++i) {
      const size_t used = buffers[i].size() / static_cast<size_t>(batch) * static_cast<size_t>(count);
      meters_.at(infos[i].name).Add(std::span(buffers[i]).first(used));
    }
  }

  std::vector<TensorInfo> inputs_, outputs_;
  std::vector<run::InputFeed> feeds_;
  std::vector<std::vector<float>> in_, out_;
  std::map<std::string, RangeMeter> meters_;
};

// The ranges of `values` over the data.
Result<std::map<std::string, ActivationRange>> MeasureRanges(SourceGraph graph, const formats::ConvertOptions& convert,
                                                             const formats::Preprocessing& preprocessing,
                                                             const std::vector<std::string>& values,
                                                             const CalibrationOptions& options) {
  std::vector<std::string> computed;
  for (const std::string& value : values) {
    if (std::find(graph.inputs.begin(), graph.inputs.end(), value) == graph.inputs.end()) computed.push_back(value);
  }
  if (!computed.empty()) graph.outputs = computed;
  BNN_ASSIGN_OR_RETURN(CalibrationData data,
                       LoadCalibrationData(std::move(graph), convert, preprocessing, options.files));
  Measurement measurement(data.model, std::move(data.feeds));
  BNN_RETURN_IF_ERROR(measurement.Run(data.model));
  return measurement.Ranges(options.percentile);
}

}  // namespace

Result<CalibrationData> LoadCalibrationData(SourceGraph graph, const formats::ConvertOptions& convert,
                                            const formats::Preprocessing& preprocessing,
                                            const std::vector<std::string>& files) {
  BNN_ASSIGN_OR_RETURN(formats::Conversion conversion, formats::ConvertGraph(std::move(graph), convert));
  BNN_RETURN_IF_ERROR(SetPreprocessing(preprocessing, &conversion.model));
  BNN_ASSIGN_OR_RETURN(const std::string bytes, formats::SerializeModel(conversion.model));
  BNN_ASSIGN_OR_RETURN(Model model, Model::LoadMemory(std::as_bytes(std::span(bytes.data(), bytes.size()))));
  BNN_ASSIGN_OR_RETURN(std::vector<run::InputFeed> feeds, run::LoadFeeds(model.inputs(), {}, files));
  return CalibrationData{std::move(model), std::move(feeds)};
}

Result<formats::Conversion> ConvertWithInt8(const formats::SourceGraph& source, const formats::ConvertOptions& convert,
                                            const formats::Preprocessing& preprocessing,
                                            const CalibrationOptions& options) {
  BNN_ASSIGN_OR_RETURN(formats::Conversion in_float, formats::ConvertGraph(source, convert));
  std::set<std::string> layers;
  for (const formats::LayerReport& layer : in_float.report.layers) {
    if (layer.runs_as == formats::RunsAs::kFloat) layers.insert(layer.name);
  }
  BNN_ASSIGN_OR_RETURN(formats::PassedGraph passed, formats::RunPasses(source));
  SourceGraph& graph = passed.graph;
  const std::vector<std::string> values = formats::DataInputsOf(graph, layers);
  if (values.empty()) {
    in_float.report.notes.push_back("--int8-float-layers: there is no float layer");
    return in_float;
  }
  BNN_ASSIGN_OR_RETURN(const auto ranges, MeasureRanges(graph, convert, preprocessing, values, options));
  BNN_ASSIGN_OR_RETURN(const auto quantized, formats::QuantizeFloatLayers(&graph, layers, ranges));
  BNN_ASSIGN_OR_RETURN(formats::Conversion conversion, formats::LowerPassed(source, std::move(passed), convert));
  for (const formats::QuantizedFloatLayer& layer : quantized) {
    conversion.report.notes.push_back(fmt::format("'{}': int8 by calibration; input '{}' in [{:.6g}, {:.6g}]",
                                                  layer.name, layer.value, layer.range.low, layer.range.high));
  }
  return conversion;
}

}  // namespace bnn::convert
