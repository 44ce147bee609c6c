#include "formats/passes/binarize_weights.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "formats/interpreter.h"
#include "formats/ops/broadcast.h"
#include "formats/passes/graph_edit.h"
#include "formats/text.h"

namespace bnn::formats {
namespace {

constexpr size_t kData = 0, kWeights = 1, kBias = 2;                                      // inputs of Conv
constexpr size_t kX = 0, kInputLow = 1, kInputHigh = 2, kOutputLow = 3, kOutputHigh = 4;  // inputs of FakeQuantize

bool IsFakeQuantize(const SourceNode* node) { return node != nullptr && node->op == "FakeQuantize"; }

bool HasTwoLevels(const SourceNode* node) { return IsFakeQuantize(node) && node->Int("levels", 0) == 2; }

// A condition that is not met is kUnsupported; its message is the outcome's text.
Status Decline(const std::string& reason) { return Unsupported(reason); }

// What a FakeQuantize gives, element by element of its output limits broadcast together.
struct OutputLevels {
  Dims dims;
  std::vector<float> low, high;

  bool low_is_zero() const {
    return std::all_of(low.begin(), low.end(), [](float v) { return v == 0; });
  }
  bool opposite() const {
    for (size_t i = 0; i < low.size(); ++i) {
      if (low[i] != -high[i]) return false;
    }
    return true;
  }
  // Where output_high is 0 it says nothing: then output_low, as OpenVINO's documentation has it. Both 0 give 0.
  std::vector<float> Factors() const {
    std::vector<float> factors = high;
    for (size_t i = 0; i < factors.size(); ++i) {
      if (factors[i] == 0) factors[i] = low[i];
    }
    return factors;
  }
};

// All that the pass replaces for one convolution.
struct Plan {
  size_t conv = 0, activations = 0;  // indices of nodes
  float low = 0;                     // of the normalized activations, whose high is 1
  float activations_factor = 1;
  Tensor weights;                     // -1 and +1
  std::vector<float> weight_factors;  // one, or one for each output channel
};

class Binarizer {
 public:
  explicit Binarizer(SourceGraph* graph) : graph_(*graph), index_(*graph) {
    for (const SourceNode& node : graph_.nodes) node_names_.insert(node.name);
  }

  Result<BinarizeWeightsOutcomes> Run() {
    BinarizeWeightsOutcomes outcomes;
    std::vector<Plan> plans;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const SourceNode& node = graph_.nodes[i];
      if (!IsCandidate(node)) continue;
      Result<Plan> plan = MakePlan(node);
      if (!plan.ok() && plan.status().code() != StatusCode::kUnsupported) return plan.status();
      outcomes[node.name] = {plan.ok(), plan.ok() ? Describe(*plan) : plan.status().message()};
      if (!plan.ok()) continue;
      plan->conv = i;
      plans.push_back(*std::move(plan));
    }
    Apply(std::move(plans));
    return outcomes;
  }

 private:
  const SourceNode* Producer(const SourceNode& node, size_t input) const {
    return node.HasInput(input) ? index_.Producer(node.inputs[input]) : nullptr;
  }

  bool IsCandidate(const SourceNode& node) const {
    if (node.op != "Conv" && node.op != "MatMul" && node.op != "Gemm") return false;
    return HasTwoLevels(Producer(node, kData)) || HasTwoLevels(Producer(node, kWeights));
  }

  Result<Plan> MakePlan(const SourceNode& conv) const {
    if (conv.op != "Conv") return Decline("it is a " + conv.op + ", not a Convolution");
    if (conv.Int("group", 1) != 1) {
      return Decline("it is a GroupConvolution of " + std::to_string(conv.Int("group", 1)) + " groups");
    }
    if (graph_.FindValue(conv.outputs[0])->dims.size() != 4) return Decline("it is not two-dimensional");
    BNN_RETURN_IF_ERROR(CheckBias(conv));
    const SourceNode* activations = Producer(conv, kData);
    const SourceNode* weights = Producer(conv, kWeights);
    Plan plan;
    BNN_ASSIGN_OR_RETURN(const OutputLevels a, LevelsOf(conv, kData, "activations"));
    BNN_ASSIGN_OR_RETURN(const OutputLevels w, LevelsOf(conv, kWeights, "weights"));
    if (activations == weights) return Decline("both its inputs are made by the same FakeQuantize");
    BNN_RETURN_IF_ERROR(TakeActivations(a, &plan));
    BNN_RETURN_IF_ERROR(TakeWeights(*weights, w, &plan));
    plan.activations = static_cast<size_t>(activations - graph_.nodes.data());
    return plan;
  }

  Status CheckBias(const SourceNode& conv) const {
    if (!conv.HasInput(kBias)) return OkStatus();
    const Tensor* bias = graph_.FindConstant(conv.inputs[kBias]);
    const bool fits = bias != nullptr && bias->type == DType::kFloat32 &&
                      bias->dims == Dims{graph_.FindValue(conv.outputs[0])->dims[1]};
    return fits ? OkStatus() : Decline("its bias is not a constant of one float for each output channel");
  }

  // The levels of the FakeQuantize in front of an input, once that is one which the pass takes.
  Result<OutputLevels> LevelsOf(const SourceNode& conv, size_t input, const std::string& what) const {
    const SourceNode* node = Producer(conv, input);
    if (!IsFakeQuantize(node)) {
      const bool constant = graph_.FindConstant(conv.inputs[input]) != nullptr;
      return Decline("its " + what + " are not made by a FakeQuantize, but " +
                     (constant          ? "constant"
                      : node == nullptr ? "an input of the network"
                                        : "by " + node->op + " '" + node->name + "'"));
    }
    if (!HasTwoLevels(node))
      return Decline("its " + what + " have " + std::to_string(node->Int("levels", 0)) + " levels");
    const size_t readers = index_.Consumers(node->outputs[0]).size();
    if (readers > 1) return Decline("its " + what + " have " + std::to_string(readers) + " readers");
    if (index_.IsGraphOutput(node->outputs[0])) return Decline("its " + what + " are an output of the network");
    static constexpr const char* kNames[] = {"x", "input_low", "input_high", "output_low", "output_high"};
    for (size_t i = kInputLow; i <= kOutputHigh; ++i) {
      const Tensor* limit = graph_.FindConstant(node->inputs[i]);
      if (limit != nullptr && limit->type == DType::kFloat32) continue;
      return Decline("the " + std::string(kNames[i]) + " of its " + what + " is not a constant of floats");
    }
    if (graph_.FindValue(node->inputs[kX])->dims != graph_.FindValue(node->outputs[0])->dims) {
      return Decline("the limits of its " + what + " enlarge them");
    }
    return Broadcast(*graph_.FindConstant(node->inputs[kOutputLow]), *graph_.FindConstant(node->inputs[kOutputHigh]),
                     what);
  }

  static Result<OutputLevels> Broadcast(const Tensor& low, const Tensor& high, const std::string& what) {
    OutputLevels levels;
    if (!BroadcastDims(low.dims, high.dims, &levels.dims)) {
      return Decline("the output limits of its " + what + " do not broadcast");
    }
    const Dims strides[] = {BroadcastStrides(low.dims, levels.dims), BroadcastStrides(high.dims, levels.dims)};
    levels.low.resize(static_cast<size_t>(CountElements(levels.dims)));
    levels.high.resize(levels.low.size());
    ForEachElement(levels.dims, strides, [&](int64_t i, const int64_t* at) {
      levels.low[static_cast<size_t>(i)] = low.floats[static_cast<size_t>(at[0])];
      levels.high[static_cast<size_t>(i)] = high.floats[static_cast<size_t>(at[1])];
    });
    const auto finite = [](const std::vector<float>& limits) {
      return std::all_of(limits.begin(), limits.end(), [](float v) { return std::isfinite(v); });
    };
    if (!finite(levels.low) || !finite(levels.high))
      return Decline("the output limits of its " + what + " are not finite");
    if (levels.low.empty()) return Decline("the output limits of its " + what + " are empty");
    return levels;
  }

  // A factor that differs by input channel belongs inside of the sum, not behind it.
  static Status TakeActivations(const OutputLevels& levels, Plan* plan) {
    if (!levels.low_is_zero() && !levels.opposite()) {
      return Decline("the output limits of its activations are neither {0, s} nor {-s, s}");
    }
    const std::vector<float> factors = levels.Factors();
    const auto other = std::find_if(factors.begin(), factors.end(), [&](float f) { return f != factors[0]; });
    if (other != factors.end()) {
      return Decline("the factor of its activations differs from channel to channel: " + NumberText(factors[0]) +
                     " and " + NumberText(*other));
    }
    plan->low = levels.low_is_zero() ? 0.0f : -1.0f;
    plan->activations_factor = factors[0];
    return OkStatus();
  }

  Status TakeWeights(const SourceNode& quantizer, const OutputLevels& levels, Plan* plan) const {
    const Tensor* floats = graph_.FindConstant(quantizer.inputs[kX]);
    if (floats == nullptr || floats->type != DType::kFloat32 || floats->dims.size() != 4 || floats->size() == 0) {
      return Decline("the FakeQuantize of its weights does not read a constant of floats");
    }
    if (!levels.opposite()) return Decline("the output limits of its weights are not {-s, s}");
    BNN_ASSIGN_OR_RETURN(plan->weight_factors, FactorsByFilter(levels, floats->dims));
    const Tensor low = FloatTensor({}, {-1.0f}), high = FloatTensor({}, {1.0f});
    BNN_ASSIGN_OR_RETURN(std::vector<Tensor> normalized,
                         EvaluateNode(quantizer, {floats, graph_.FindConstant(quantizer.inputs[kInputLow]),
                                                  graph_.FindConstant(quantizer.inputs[kInputHigh]), &low, &high}));
    plan->weights = std::move(normalized[0]);
    const auto is_sign = [](float w) { return w == -1 || w == 1; };
    if (!std::all_of(plan->weights.floats.begin(), plan->weights.floats.end(), is_sign)) {
      return Decline("its weights hold NaN");
    }
    return OkStatus();
  }

  // One factor, or one for each filter of weights of dims [filters, channels, kernel_h, kernel_w].
  static Result<std::vector<float>> FactorsByFilter(const OutputLevels& levels, const Dims& weights) {
    const std::vector<float> factors = levels.Factors();
    std::vector<float> by_filter;
    bool differs = false;
    const int64_t terms = weights[1] * weights[2] * weights[3];
    const Dims strides[] = {BroadcastStrides(levels.dims, weights)};
    ForEachElement(weights, strides, [&](int64_t i, const int64_t* at) {
      const float factor = factors[static_cast<size_t>(at[0])];
      if (i % terms == 0) by_filter.push_back(factor);
      differs = differs || factor != by_filter.back();
    });
    if (differs) return Decline("the factor of its weights differs within a filter");
    if (levels.low.size() == 1) by_filter.resize(1);
    return by_filter;
  }

  static std::string Describe(const Plan& plan) {
    const auto [least, most] = std::minmax_element(plan.weight_factors.begin(), plan.weight_factors.end());
    std::string text = "factors " + NumberText(plan.activations_factor) + " of activations, ";
    text += NumberText(*least);
    if (*least != *most) text += " to " + NumberText(*most);
    return text + " of weights";
  }

  void Apply(std::vector<Plan> plans) {
    std::vector<SourceNode> nodes = std::move(graph_.nodes);
    for (const Plan& plan : plans) {
      SourceNode& activations = nodes[plan.activations];
      activations.inputs[kOutputLow] =
          AddConstant(&graph_, activations.name + "/output_low", FloatTensor({}, {plan.low}));
      activations.inputs[kOutputHigh] = AddConstant(&graph_, activations.name + "/output_high", FloatTensor({}, {1}));
    }
    graph_.nodes.clear();
    auto plan = plans.begin();
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (plan == plans.end() || plan->conv != i) {
        graph_.nodes.push_back(std::move(nodes[i]));
      } else {
        AppendConv(std::move(nodes[i]), std::move(*plan++));
      }
    }
  }

  // The convolution, its factors, and its bias behind them. The last of these gives what the convolution gave.
  void AppendConv(SourceNode conv, Plan plan) {
    const std::string output = conv.outputs[0];
    const std::string bias = conv.HasInput(kBias) ? conv.inputs[kBias] : "";
    conv.inputs = {conv.inputs[kData], AddConstant(&graph_, conv.name + "/signs", std::move(plan.weights))};
    struct Step {
      const char *op, *name;
      std::vector<float> values;  // one, or one for each output channel
    };
    std::vector<Step> steps = {{"Mul", "activations_factor", {plan.activations_factor}},
                               {"Mul", "weights_factor", std::move(plan.weight_factors)}};
    if (!bias.empty()) steps.push_back({"Add", "bias", graph_.FindConstant(bias)->floats});
    std::string value = NewValueName(graph_, output + "/sums");
    graph_.values[value] = *graph_.FindValue(output);
    conv.outputs[0] = value;
    const std::string name = conv.name;
    graph_.nodes.push_back(std::move(conv));
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto count = static_cast<int64_t>(steps[i].values.size());
      SourceNode node;
      node.op = steps[i].op;
      node.name = NewNodeName(name + "/" + steps[i].name);
      node.inputs = {value, AddConstant(&graph_, name + "/" + steps[i].name,
                                        FloatTensor({count, 1, 1}, std::move(steps[i].values)))};
      const bool last = i + 1 == steps.size();
      value = last ? output : NewValueName(graph_, output + "/scaled");
      graph_.values[value] = *graph_.FindValue(output);
      node.outputs = {value};
      graph_.nodes.push_back(std::move(node));
    }
  }

  std::string NewNodeName(std::string name) {
    while (!node_names_.insert(name).second) name += '_';
    return name;
  }

  SourceGraph& graph_;
  GraphIndex index_;  // of the graph before the pass
  std::set<std::string> node_names_;
};

}  // namespace

Result<BinarizeWeightsOutcomes> BinarizeWeights(SourceGraph* graph) { return Binarizer(graph).Run(); }

}  // namespace bnn::formats
