#include "formats/passes/few_valued.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/passes/few_valued_internal.h"

namespace bnn::formats {

bool FewValued::per_tensor() const { return NumberOfChannels(values) == 1; }

size_t NumberOfChannels(const std::vector<ChannelNumbers>& numbers) {
  size_t channels = 1;
  for (const ChannelNumbers& of_level : numbers) channels = std::max(channels, of_level.size());
  return channels;
}

int64_t ChannelAxis(size_t rank) { return rank == 4 ? 1 : static_cast<int64_t>(rank) - 1; }

std::optional<std::vector<float>> PerChannel(const Tensor& constant, const Dims& dims) {
  if (constant.dims.size() > dims.size() || constant.size() == 0) return std::nullopt;
  const size_t offset = dims.size() - constant.dims.size();
  const auto channel_axis = static_cast<size_t>(ChannelAxis(dims.size()));
  for (size_t i = 0; i < constant.dims.size(); ++i) {
    if (constant.dims[i] == 1) continue;
    if (i + offset != channel_axis || constant.dims[i] != dims[channel_axis]) return std::nullopt;
  }
  if (constant.type == DType::kFloat32) return constant.floats;
  return std::vector<float>(constant.integers.begin(), constant.integers.end());
}

namespace few_valued {

std::vector<float> Collapse(std::vector<float> values) {
  const bool equal = std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
  if (equal && values.size() > 1) values.resize(1);
  return values;
}

void CollapseAll(std::vector<ChannelNumbers>* numbers) {
  std::vector<ChannelNumbers> collapsed;
  for (const ChannelNumbers& of_level : *numbers) {
    collapsed.push_back(Collapse(of_level));
    if (collapsed.back().size() != 1) return;
  }
  *numbers = std::move(collapsed);
}

namespace {

bool IsFinite(const FewValued& value) {
  for (const ChannelNumbers& of_level : value.values) {
    if (!std::all_of(of_level.begin(), of_level.end(), [](float v) { return std::isfinite(v); })) return false;
  }
  return true;
}

// Thresholds that another value already has give the same levels.
void ShareThreshold(Analysis* analysis, const std::string& name, FewValued* value) {
  if (value->source.empty()) return;
  const auto [it, inserted] = analysis->thresholds.try_emplace({value->source, value->thresholds}, name);
  if (inserted) return;
  value->bits = it->second;
  value->source.clear();
  value->thresholds.clear();
}

}  // namespace
}  // namespace few_valued

Result<FewValuedResult> AnalyzeFewValued(const SourceGraph& graph, SignOfZero sign_of_zero) {
  using namespace few_valued;
  BNN_RETURN_IF_ERROR(ValidateSourceGraph(graph));
  Analysis analysis(graph, sign_of_zero);
  for (const SourceNode& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0].empty()) continue;
    std::optional<FewValued> value = MapElementwise(analysis, node);
    if (!value) value = FromThreshold(analysis, node);
    if (!value) value = FromRounding(analysis, node);
    if (!value) value = FromMove(analysis, node);
    if (!value) continue;
    if (!IsFinite(*value)) {
      analysis.Refuse(node, "its " + std::to_string(value->levels()) + " values are not finite");
      continue;
    }
    analysis.result.refusals.erase(node.outputs[0]);
    // All outputs of a move (Split) are alike; each has its own levels.
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      FewValued copy = *value;
      if (copy.bits.empty()) copy.bits = output;
      ShareThreshold(&analysis, output, &copy);
      analysis.result.values.emplace(output, std::move(copy));
    }
  }
  return std::move(analysis.result);
}

}  // namespace bnn::formats
