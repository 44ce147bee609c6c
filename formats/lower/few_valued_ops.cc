// Nodes whose outputs are few-valued: thresholds become Binarize, moves become moves of bits where those exist.
#include <utility>

#include "formats/lower/operators.h"

namespace bnn::formats {
namespace {

// max(x over a window) >= t exactly where some x >= t, so a threshold behind a pool can go in front of it: then the
// pool runs on bits. Returns the pool, where nobody else reads its output.
const SourceNode* PoolBefore(const Lowering& lowering, const std::string& value) {
  const SourceNode* pool = lowering.index.Producer(value);
  if (pool == nullptr || pool->op != "MaxPool" || pool->outputs.size() != 1) return nullptr;
  if (lowering.index.IsGraphOutput(value) || lowering.index.Consumers(value).size() != 1) return nullptr;
  return pool;
}

Status LowerThreshold(Lowering& lowering, const std::string& value, const FewValued& few, const SourceNode& node) {
  const SourceNode* pool = PoolBefore(lowering, few.source);
  BNN_ASSIGN_OR_RETURN(const Form x, lowering.Any(pool != nullptr ? pool->inputs[0] : few.source));
  BNN_ASSIGN_OR_RETURN(Form bits, lowering.Binarized(node.name, x, few.thresholds, value + "/bits"));
  if (pool != nullptr) {
    BNN_ASSIGN_OR_RETURN(const Window2d window, PoolWindow(lowering, *pool));
    BNN_ASSIGN_OR_RETURN(bits.tensor, lowering.Emit(*pool, BMaxPool{window}, {bits.tensor}, value + "/bits"));
  }
  lowering.SetBits(value, bits);
  return OkStatus();
}

// The bits of a map or a vector under other dims, where packed pixels stay what they are: form.tensor is kNone where
// they do not.
Form ReshapeBits(Lowering& lowering, const SourceNode& node, const Form& bits, const Dims& from, const Dims& to) {
  if (from == to) return bits;
  const bool from_map = from.size() == 4, to_map = to.size() == 4;
  if (from_map && to.size() == 2) {
    if (from[2] * from[3] != 1) return {bits.tensor, Order::kFlattened, {from[1], from[2], from[3]}};
    return {
        lowering.builder.AddReshape(node.name, bits.tensor, {from[1]}, node.outputs[0] + "/bits"), Order::kSource, {}};
  }
  if (from.size() == 2 && to_map && bits.order == Order::kSource && to[2] * to[3] == 1) {
    return {lowering.builder.AddReshape(node.name, bits.tensor, {1, 1, to[1]}, node.outputs[0] + "/bits"),
            Order::kNhwc,
            {}};
  }
  const bool same_map = to_map && bits.order == Order::kFlattened && bits.map == MapDims{to[1], to[2], to[3]};
  if (same_map && lowering.builder.tensor(bits.tensor).dims.size() == 3) return {bits.tensor, Order::kNhwc, {}};
  return {};
}

Status LowerBitReshape(Lowering& lowering, const SourceNode& node) {
  const std::string& value = node.outputs[0];
  const Dims& from = lowering.DimsOf(node.inputs[0]);
  const Dims& to = lowering.DimsOf(value);
  BNN_ASSIGN_OR_RETURN(const Form bits, lowering.Bits(node.inputs[0]));
  Form reshaped = ReshapeBits(lowering, node, bits, from, to);
  if (reshaped.tensor == kNone) {
    BNN_ASSIGN_OR_RETURN(Form floats, lowering.LevelFloats(node.name, bits, value + "/levels"));
    BNN_ASSIGN_OR_RETURN(floats, lowering.Reshaped(node.name, floats, from, to, value + "/levels"));
    if (to.size() == 4) {
      BNN_ASSIGN_OR_RETURN(floats, lowering.ToOrder(node.name, floats, to, Order::kNhwc, value + "/nhwc"));
    }
    BNN_ASSIGN_OR_RETURN(
        reshaped,
        lowering.LevelBits(node.name, floats, BitsOf(lowering.builder.tensor(bits.tensor).type), value + "/bits"));
  }
  lowering.SetBits(value, reshaped);
  return OkStatus();
}

// The highest level is that of the maximum where the values kept their order (the analysis orders them otherwise).
bool KeepsValues(const Lowering& lowering, const SourceNode& node) {
  return lowering.few_valued.values.at(node.inputs[0]).values == lowering.few_valued.values.at(node.outputs[0]).values;
}

Status LowerBitMaxPool(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Window2d window, PoolWindow(lowering, node));
  BNN_ASSIGN_OR_RETURN(Form bits, lowering.Bits(node.inputs[0]));
  BNN_ASSIGN_OR_RETURN(bits.tensor, lowering.Emit(node, BMaxPool{window}, {bits.tensor}, node.outputs[0] + "/bits"));
  lowering.SetBits(node.outputs[0], bits);
  return OkStatus();
}

}  // namespace

Result<bool> LowerAsBits(Lowering& lowering, const SourceNode& node) {
  const std::string& value = node.outputs[0];
  const FewValued& few = lowering.few_valued.values.at(value);
  if (!few.source.empty()) {
    BNN_RETURN_IF_ERROR(LowerThreshold(lowering, value, few, node));
    return true;
  }
  if (node.op == "Reshape" || node.op == "Flatten" || node.op == "Squeeze" || node.op == "Unsqueeze") {
    BNN_RETURN_IF_ERROR(LowerBitReshape(lowering, node));
    return true;
  }
  const bool is_pool = node.op == "MaxPool" || node.op == "GlobalMaxPool";
  if (!is_pool || !KeepsValues(lowering, node)) return false;
  BNN_RETURN_IF_ERROR(LowerBitMaxPool(lowering, node));
  return true;
}

Status LowerFewValued(Lowering& lowering, const SourceNode& node) {
  if (lowering.few_valued.values.at(node.outputs[0]).bits != node.outputs[0])
    return OkStatus();  // those of another value
  BNN_ASSIGN_OR_RETURN(const bool made, LowerAsBits(lowering, node));
  if (made) return OkStatus();
  // Moved as floats; Lowering::Bits() compares them again where bits are wanted.
  const LowerFunction lower = FindLowerFunction(node.op);
  if (lower == nullptr) return NodeNotLowered(node, "no such operator in a model");
  return lower(lowering, node);
}

}  // namespace bnn::formats
