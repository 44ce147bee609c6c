// Quantizers: TensorFlow's FakeQuant operators, and Blueoil's functions where a file calls them without their bodies
// (REFERENCE.md of the project, "Blueoil quantizers"). Bodies in the file go before what is written here.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "formats/importers/graphdef_graph.h"
#include "formats/importers/graphdef_operators.h"

namespace bnn::formats {
namespace {

using Order = GraphdefGraph::Order;

// A range whose zero is one of its levels, as TensorFlow moves it.
struct Nudged {
  float low, high;
};

Nudged Nudge(float low, float high, float levels_low, float levels_high) {
  const float scale = (high - low) / (levels_high - levels_low);
  const float zero = levels_low - low / scale;
  const float nudged = zero < levels_low ? levels_low : zero > levels_high ? levels_high : std::round(zero);
  return {(levels_low - nudged) * scale, (levels_high - nudged) * scale};
}

// The ranges: attributes of FakeQuantWithMinMaxArgs, known inputs of the others.
Status ReadRanges(const GraphdefNode& node, GraphdefGraph* graph, std::vector<float>* low, std::vector<float>* high) {
  if (node.op() == "FakeQuantWithMinMaxArgs") {
    BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
    low->resize(1);
    high->resize(1);
    BNN_ASSIGN_OR_RETURN((*low)[0], GraphdefFloat(node, "min", -6.0F));
    BNN_ASSIGN_OR_RETURN((*high)[0], GraphdefFloat(node, "max", 6.0F));
    return OkStatus();
  }
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 3, 3));
  BNN_ASSIGN_OR_RETURN(*low, graph->FloatsInput(node, 1));
  BNN_ASSIGN_OR_RETURN(*high, graph->FloatsInput(node, 2));
  const Dims dims = graph->DimsOfInput(node, 0);
  const bool per_channel = node.op() == "FakeQuantWithMinMaxVarsPerChannel";
  if (per_channel && dims.empty()) return GraphdefError(node, "its input is a scalar");
  const auto expected = static_cast<size_t>(per_channel ? dims.back() : 1);
  if (low->size() == expected && high->size() == expected) return OkStatus();
  return GraphdefError(node, "has " + std::to_string(low->size()) + " and " + std::to_string(high->size()) +
                                 " limits, expected " + std::to_string(expected));
}

}  // namespace

// 2^num_bits levels from min to max, one fewer with narrow_range. TensorFlow rounds halves up, FakeQuantize to even
// levels: results differ by one step where x lies exactly between two levels.
Status ImportGraphdefFakeQuant(const GraphdefNode& node, GraphdefGraph* graph) {
  std::vector<float> low, high;
  BNN_RETURN_IF_ERROR(ReadRanges(node, graph, &low, &high));
  BNN_ASSIGN_OR_RETURN(const int64_t bits, GraphdefInt(node, "num_bits", 8));
  BNN_ASSIGN_OR_RETURN(const bool narrow, GraphdefBool(node, "narrow_range", false));
  if (bits < 2 || bits > 16) {
    return GraphdefError(node, "attribute 'num_bits' is " + std::to_string(bits) + ", expected 2 to 16");
  }
  const int64_t first = narrow ? 1 : 0, last = (int64_t{1} << bits) - 1;
  for (size_t c = 0; c < low.size(); ++c) {
    if (!(low[c] < high[c]) || !std::isfinite(low[c]) || !std::isfinite(high[c])) {
      return GraphdefError(node, "its limits are " + std::to_string(low[c]) + " and " + std::to_string(high[c]));
    }
    const Nudged nudged = Nudge(low[c], high[c], static_cast<float>(first), static_cast<float>(last));
    low[c] = nudged.low;
    high[c] = nudged.high;
  }
  const Order order = graph->OrderOf(node);
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, order));
  Dims limits;  // one for all, or one a channel, the last axis of the file
  if (node.op() == "FakeQuantWithMinMaxVarsPerChannel") {
    limits.assign(graph->DimsOfInput(node, 0).size(), 1);
    limits.back() = static_cast<int64_t>(low.size());
    limits = graph->DimsIn(order, limits);
  }
  const std::string least = graph->NewConstant(node, "/low", FloatTensor(limits, std::move(low)));
  const std::string most = graph->NewConstant(node, "/high", FloatTensor(limits, std::move(high)));
  SourceNode source = MakeNode("FakeQuantize", {x, least, most, least, most});
  source.attributes["levels"] = last - first + 1;
  return graph->Output(node, std::move(source), order);
}

// (x >= 0 ? 1 : -1) * mean |x|: over the whole tensor, or over each output channel of a filter [H, W, I, O].
Status ImportBlueoilMeanScaling(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 1, 1));
  const bool per_channel = std::string(EntryOf(node).renamed) == "channels";
  const Dims dims = graph->DimsOfInput(node, 0);
  if (per_channel && dims.size() != 4) {
    return GraphdefError(node, "its input is " + DimsToString(dims) + ", expected a filter of four dims");
  }
  BNN_ASSIGN_OR_RETURN(const std::string x, graph->Input(node, 0, Order::kFile));
  BNN_ASSIGN_OR_RETURN(std::string mean, graph->Emit(node, MakeNode("Abs", {x}), "/abs"));
  SourceNode reduce = MakeNode("ReduceMean", {mean});
  if (per_channel) reduce.inputs.push_back(graph->NewIntegers(node, "/axes", {0, 1, 2}));
  reduce.attributes["keepdims"] = int64_t{0};
  BNN_ASSIGN_OR_RETURN(mean, graph->Emit(node, std::move(reduce), "/mean"));
  SourceNode compare = MakeNode("GreaterOrEqual", {x, graph->NewScalar(node, "/zero", 0)});
  BNN_ASSIGN_OR_RETURN(std::string sign, graph->Emit(node, std::move(compare), "/is_positive"));
  SourceNode where = MakeNode("Where", {sign, graph->NewScalar(node, "/one", 1), graph->NewScalar(node, "/minus", -1)});
  BNN_ASSIGN_OR_RETURN(sign, graph->Emit(node, std::move(where), "/sign"));
  return graph->Output(node, MakeNode("Mul", {sign, mean}), Order::kFile);
}

// (x, bits, max): floor(clip(x, 0, max) / max * n + 0.5) / n * max, n = 2^bits - 1, each step rounded as written.
Status ImportBlueoilMidTreadHalf(const GraphdefNode& node, GraphdefGraph* graph) {
  BNN_RETURN_IF_ERROR(GraphdefGraph::CheckCount(node, 3, 3));
  BNN_ASSIGN_OR_RETURN(const std::vector<int64_t> bits, graph->IntegersInput(node, 1));
  BNN_ASSIGN_OR_RETURN(const std::vector<float> max, graph->FloatsInput(node, 2));
  constexpr int64_t kMaxBits = 16;
  if (bits.size() != 1 || bits[0] < 1 || bits[0] > kMaxBits) {
    return GraphdefError(node,
                         "its number of bits is " + DimsToString(bits) + ", expected 1 to " + std::to_string(kMaxBits));
  }
  if (max.size() != 1 || !(max[0] > 0) || !std::isfinite(max[0])) {
    return GraphdefError(node,
                         "its largest value (input 2) is " +
                             (max.size() == 1 ? std::to_string(max[0]) : std::to_string(max.size()) + " numbers") +
                             ", expected one positive number");
  }
  const std::string range = graph->NewScalar(node, "/max", max[0]);
  const std::string steps = graph->NewScalar(node, "/steps", static_cast<float>((int64_t{1} << bits[0]) - 1));
  const std::string half = graph->NewScalar(node, "/half", 0.5F);
  BNN_ASSIGN_OR_RETURN(std::string x, graph->Input(node, 0, graph->OrderOf(node)));
  SourceNode clip = MakeNode("Clip", {x, graph->NewScalar(node, "/zero", 0), range});
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, std::move(clip), "/clip"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Div", {x, range}), "/shifted"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Mul", {x, steps}), "/scaled"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Add", {x, half}), "/half_up"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Floor", {x}), "/floor"));
  BNN_ASSIGN_OR_RETURN(x, graph->Emit(node, MakeNode("Div", {x, steps}), "/quantized"));
  return graph->Output(node, MakeNode("Mul", {x, range}), graph->OrderOf(node));
}

}  // namespace bnn::formats
