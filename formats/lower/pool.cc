// Pooling.
#include <algorithm>
#include <utility>

#include "formats/lower/operators.h"
#include "formats/lower/window.h"

namespace bnn::formats {
namespace {

Status EmitPool(Lowering& lowering, const SourceNode& node, Op op) {
  BNN_ASSIGN_OR_RETURN(const int in, lowering.Stored(node.inputs[0]));
  Form out;
  out.order = Order::kNhwc;
  BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, std::move(op), {in}, node.outputs[0]));
  lowering.SetFloats(node.outputs[0], out);
  return OkStatus();
}

Window2d WholeMap(const Dims& dims) {
  Window2d window;
  window.kernel_h = dims[2];
  window.kernel_w = dims[3];
  window.whole_map = true;
  return window;
}

}  // namespace

Result<Window2d> PoolWindow(const Lowering& lowering, const SourceNode& node) {
  const Dims& in = lowering.DimsOf(node.inputs[0]);
  const Dims& out = lowering.DimsOf(node.outputs[0]);
  if (in.size() != 4) return NodeNotLowered(node, "only two-dimensional pooling is supported");
  if (node.op == "GlobalMaxPool" || node.op == "GlobalAveragePool") return WholeMap(in);
  if (node.Int("storage_order", 0) != 0) return NodeNotLowered(node, "storage_order is not 0");
  BNN_ASSIGN_OR_RETURN(Window2d window, ParseWindow(node, 0, 0));
  if (!PadToOutput(&window, in[2], in[3], out[2], out[3])) {
    return NodeNotLowered(node, "no padding of " + DimsToString(in) + " gives " + DimsToString(out));
  }
  return window;
}

Status LowerPool(Lowering& lowering, const SourceNode& node) {
  if (node.outputs.size() != 1) return NodeNotLowered(node, "its second output (indices) is not supported");
  BNN_ASSIGN_OR_RETURN(const Window2d window, PoolWindow(lowering, node));
  if (node.op == "MaxPool") return EmitPool(lowering, node, MaxPool{window});
  AvgPool pool{window, node.Int("count_include_pad", 0) != 0};
  if (pool.count_include_pad) {
    // What ceil_mode adds beyond the padding counts nowhere; padding that we made would.
    BNN_ASSIGN_OR_RETURN(const Window2d written, ParseWindow(node, 0, 0));
    if (written.pad_bottom != window.pad_bottom || written.pad_right != window.pad_right) {
      return NodeNotLowered(node, "count_include_pad with windows that ceil_mode hangs over the padding");
    }
  }
  return EmitPool(lowering, node, pool);
}

Status LowerGlobalPool(Lowering& lowering, const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const Window2d window, PoolWindow(lowering, node));
  if (node.op == "GlobalMaxPool") return EmitPool(lowering, node, MaxPool{window});
  return EmitPool(lowering, node, AvgPool{window, false});
}

}  // namespace bnn::formats
