#include "formats/binarize/binarize_layers.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "formats/interpreter.h"
#include "formats/passes/graph_edit.h"

namespace bnn::formats {
namespace {

constexpr double kTopShare = 0.001;
constexpr float kThreshold = 0.5f;  // sigmoid(0), where NNCF's training begins

class Binarizer {
 public:
  Binarizer(SourceGraph* graph, NncfMode mode, const std::vector<CalibrationBatch>& batches)
      : graph_(*graph), mode_(mode), batches_(batches) {
    for (const CalibrationBatch& batch : batches_) runs_.emplace_back(graph_, batch.inputs);
  }

  Result<std::vector<BinarizedLayer>> Run(const std::set<std::string>& layers) {
    std::vector<SourceNode> nodes = std::exchange(graph_.nodes, {});
    FindLastUses(nodes);
    size_t left = layers.size();
    for (size_t i = 0; i < nodes.size(); ++i) {
      SourceNode& node = nodes[i];
      std::vector<std::string> touched = node.inputs;
      touched.insert(touched.end(), node.outputs.begin(), node.outputs.end());
      if (layers.count(node.name) > 0) {
        BNN_RETURN_IF_ERROR(Binarize(&node));
        --left;
      }
      if (left > 0) BNN_RETURN_IF_ERROR(Evaluate(node));  // behind the last layer nothing is measured
      graph_.nodes.push_back(std::move(node));
      for (const std::string& value : touched) {
        if (last_use_[value] == i) Forget(value);
      }
    }
    return std::move(done_);
  }

 private:
  void FindLastUses(const std::vector<SourceNode>& nodes) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (const std::string& output : nodes[i].outputs) last_use_[output] = i;
      for (const std::string& input : nodes[i].inputs) last_use_[input] = i;
    }
  }

  // And its binarized form, which has no other readers.
  void Forget(const std::string& value) {
    const auto known = binarized_.find(value);
    for (Environment& run : runs_) {
      run.Forget(value);
      if (known != binarized_.end()) run.Forget(known->second.value);
    }
  }

  Status Evaluate(const SourceNode& node) {
    for (Environment& run : runs_) {
      const Status status = run.Run(node);
      if (!status.ok()) return {status.code(), graph_.file + ": " + status.message()};
    }
    return OkStatus();
  }

  // The scale of a value over all samples.
  Result<float> MeasureScale(const SourceNode& node, const std::string& value) const {
    std::vector<float> all;
    for (size_t batch = 0; batch < batches_.size(); ++batch) {
      const Tensor* tensor = runs_[batch].Find(value);
      if (tensor == nullptr || tensor->type != DType::kFloat32 || tensor->dims.empty() || tensor->dims[0] < 1) {
        return InvalidArgument(graph_.file + ": node '" + node.name + "': the samples give no floats for '" + value +
                               "'");
      }
      const int64_t size = tensor->size() / tensor->dims[0];
      const auto used = size * std::min(batches_[batch].samples, tensor->dims[0]);
      all.insert(all.end(), tensor->floats.begin(), tensor->floats.begin() + used);
    }
    const bool finite = std::all_of(all.begin(), all.end(), [](float x) { return std::isfinite(x); });
    const float scale = all.empty() || !finite ? 0 : ActivationScale(&all);
    if (scale > 0) return scale;
    return InvalidArgument(graph_.file + ": node '" + node.name +
                           "' cannot be binarized: the largest values of its input '" + value + "' are not positive" +
                           (finite ? "" : " numbers") + " on the calibration data");
  }

  Status Binarize(SourceNode* node) {
    const std::string data = node->inputs[0], weights = node->inputs[1];
    const auto [known, is_new] = binarized_.try_emplace(data);
    if (is_new) {
      BNN_ASSIGN_OR_RETURN(const float scale, MeasureScale(*node, data));
      const std::string limit = AddConstant(&graph_, data + "/threshold", FloatTensor({}, {kThreshold * scale}));
      const std::string low = AddConstant(&graph_, data + "/low", FloatTensor({}, {0.0f}));
      const std::string high = AddConstant(&graph_, data + "/scale", FloatTensor({}, {scale}));
      BNN_ASSIGN_OR_RETURN(known->second.value, AddFakeQuantize({data, limit, limit, low, high}));
      known->second.scale = scale;
    }
    const Tensor& latent = *graph_.FindConstant(weights);
    Tensor scale = WeightScale(latent, mode_), negative = scale;
    for (float& value : negative.floats) value = -value;
    const std::string zero = AddConstant(&graph_, weights + "/zero", FloatTensor({}, {0.0f}));
    const std::string low = AddConstant(&graph_, weights + "/low", std::move(negative));
    const std::string high = AddConstant(&graph_, weights + "/high", std::move(scale));
    BNN_ASSIGN_OR_RETURN(node->inputs[1], AddFakeQuantize({weights, zero, zero, low, high}));
    node->inputs[0] = known->second.value;
    done_.push_back({node->name, known->second.scale});
    return OkStatus();
  }

  // Its output's name. It is evaluated at once.
  Result<std::string> AddFakeQuantize(std::vector<std::string> inputs) {
    SourceNode node;
    const std::string output = NewValueName(graph_, inputs[0] + "/binarized");
    node.name = output;
    node.op = "FakeQuantize";
    node.outputs = {output};
    node.attributes = {{"levels", int64_t{2}}};
    graph_.values[output] = {DType::kFloat32, graph_.FindValue(inputs[0])->dims};
    node.inputs = std::move(inputs);
    BNN_RETURN_IF_ERROR(Evaluate(node));
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  struct BinarizedValue {
    std::string value;
    float scale = 0;
  };

  SourceGraph& graph_;
  NncfMode mode_;
  const std::vector<CalibrationBatch>& batches_;
  std::vector<Environment> runs_;  // one a batch; values are kept until their last use
  std::map<std::string, size_t> last_use_;
  std::map<std::string, BinarizedValue> binarized_;  // layers that read the same value share its binarized form
  std::vector<BinarizedLayer> done_;
};

}  // namespace

Tensor WeightScale(const Tensor& weights, NncfMode mode) {
  const int64_t groups = mode == NncfMode::kXnor ? weights.dims[0] : 1;
  const int64_t count = groups > 0 ? weights.size() / groups : 0;
  std::vector<float> scales;
  for (int64_t group = 0; group < groups; ++group) {
    double sum = 0;
    for (int64_t i = group * count; i < (group + 1) * count; ++i) {
      sum += std::fabs(weights.floats[static_cast<size_t>(i)]);
    }
    scales.push_back(count > 0 ? static_cast<float>(sum / static_cast<double>(count)) : 0.0f);
  }
  return FloatTensor({groups, 1, 1, 1}, std::move(scales));
}

float ActivationScale(std::vector<float>* values) {
  const double share = std::nearbyint(static_cast<double>(values->size()) * kTopShare);
  const auto top = std::max<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(share));
  std::nth_element(values->begin(), values->begin() + (top - 1), values->end(), std::greater<float>());
  return (*values)[static_cast<size_t>(top - 1)];
}

Result<std::vector<BinarizedLayer>> BinarizeLayers(SourceGraph* graph, NncfMode mode,
                                                   const std::set<std::string>& layers,
                                                   const std::vector<CalibrationBatch>& batches) {
  if (batches.empty()) return InvalidArgument(graph->file + ": binarization needs samples");
  for (const SourceNode& node : graph->nodes) {
    if (layers.count(node.name) == 0) continue;
    const Tensor* weights = node.HasInput(1) ? graph->FindConstant(node.inputs[1]) : nullptr;
    if (node.op != "Conv" || weights == nullptr || weights->type != DType::kFloat32 || weights->dims.size() != 4) {
      return InvalidArgument(graph->file + ": node '" + node.name + "' is no 2-D Conv with constant weights");
    }
  }
  return Binarizer(graph, mode, batches).Run(layers);
}

}  // namespace bnn::formats
