// The source graph of a GraphDef file under construction: which values the outputs of its nodes become.
//
// Feature maps
//   The layers of a file have an attribute data_format: NHWC, TensorFlow's own order, or NCHW. In a file of NHWC layers
//   a tensor of four dims becomes a value with its axes renamed (map_axes.h), in the order of the source graph, the
//   "map order"; nodes that need the file's own order (reshapes, outputs) read it behind a Transpose. In a file of NCHW
//   layers both orders are one. A layer of the other kind stands between Transposes.
// Constants
//   Nodes that depend on no input (quantizers of weights) keep the file's order: the passes fold them, and a filter
//   [H, W, I, O] is no map.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/importers/graph_builder.h"
#include "formats/importers/graphdef_flatten.h"
#include "formats/importers/graphdef_node.h"
#include "formats/importers/importer.h"
#include "formats/importers/map_axes.h"
#include "formats/source_graph.h"

namespace bnn::formats {

enum class DataFormat : uint8_t { kNhwc, kNchw };

// Attribute data_format.
Result<DataFormat> GraphdefDataFormat(const GraphdefNode& node);

class GraphdefGraph {
 public:
  // In which order of axes a value or node stands. Only values of four dims of files with NHWC layers have two.
  enum class Order : uint8_t { kMap, kFile };

  // `producer`: the version of the TensorFlow that wrote the file.
  GraphdefGraph(const FlatGraphdef& flat, int producer, SourceGraph* graph);

  // Adds the inputs of the network: before any other node.
  Status AddInputs(const ImportOptions& options);
  // Adds the outputs of the network: after all nodes.
  Status AddOutputs();

  // ---- What a node reads
  static Status CheckCount(const GraphdefNode& node, size_t least, size_t most);
  Result<std::string> Input(const GraphdefNode& node, size_t input, Order order);
  // An input that must be a map, as [N, C, H, W].
  Result<std::string> MapInput(const GraphdefNode& node, size_t input, DataFormat format);
  // The inputs from `first` on, of one rank so that they broadcast as in the file, in the order OrderOf(node).
  Result<std::vector<std::string>> BroadcastInputs(const GraphdefNode& node, size_t first = 0);
  // The order in which a node of any operator that takes both is best written.
  Order OrderOf(const GraphdefNode& node) const { return node.is_constant ? Order::kFile : Order::kMap; }
  // The order in which an input is there already.
  Order OrderOfInput(const GraphdefNode& node, size_t input) const {
    return Find(node.inputs[input])->file.empty() ? Order::kMap : Order::kFile;
  }
  // The axis of a value of this rank for an axis of the file.
  int64_t AxisIn(Order order, size_t rank, int64_t file_axis) const;
  // The dims of a value for those of the file.
  Dims DimsIn(Order order, const Dims& file_dims) const {
    return order == Order::kMap && renames_ ? MapDimsOf(file_dims) : file_dims;
  }
  // In the file's order. The input must be there (CheckCount).
  Dims DimsOfInput(const GraphdefNode& node, size_t input) const;
  Dims DimsOf(const std::string& value) const { return builder_.DimsOf(value); }
  // The elements, in the file's order, of an input that is known before the network runs; nullptr where it is not, and
  // for large tensors that are computed.
  Result<const Tensor*> FindKnown(const GraphdefNode& node, size_t input);
  Result<std::vector<int64_t>> IntegersInput(const GraphdefNode& node, size_t input);
  // The floats of an input of one or a few known numbers.
  Result<std::vector<float>> FloatsInput(const GraphdefNode& node, size_t input);

  // ---- What a node makes
  std::string NewConstant(const GraphdefNode& node, const std::string& suffix, Tensor tensor);
  std::string NewIntegers(const GraphdefNode& node, const std::string& suffix, std::vector<int64_t> values);
  std::string NewScalar(const GraphdefNode& node, const std::string& suffix, float value);
  // A source node (without name and outputs) whose output is only read within the node.
  Result<std::string> Emit(const GraphdefNode& node, SourceNode source, const std::string& suffix);
  // A source node that makes an output, in the given order.
  Status Output(const GraphdefNode& node, SourceNode source, Order order, int64_t port = 0);
  // A source node that makes output 0, a map, as [N, C, H, W].
  Status MapOutput(const GraphdefNode& node, SourceNode source, DataFormat format);
  // Output 0 is this constant in the file's order.
  void OutputConstant(const GraphdefNode& node, Tensor tensor);
  // Fills in the window's pads and appends the node.
  Status WindowOutput(const GraphdefNode& node, SourceNode source, DataFormat format);

  // Elements of constants that the file does not store one by one, up to now.
  int64_t repeated_elements = 0;

 private:
  struct Value {  // "": not made yet. The same name where both orders are one.
    std::string map, file;
  };

  Value* Find(const GraphdefRef& ref) { return &values_[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.port)]; }
  const Value* Find(const GraphdefRef& ref) const {
    return &values_[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.port)];
  }
  bool HasTwoOrders(const std::string& value) const { return renames_ && builder_.DimsOf(value).size() == 4; }
  Result<std::string> ValueOf(const GraphdefRef& ref, Order order);
  // FindKnown(), with an error where it is not of this type.
  Result<const Tensor*> KnownInput(const GraphdefNode& node, size_t input, DType type);
  Status AddInput(const GraphdefNode& node, const ImportOptions& options, bool* batch_is_open);

  const FlatGraphdef& flat_;
  const int producer_;
  SourceGraph* graph_;
  SourceGraphBuilder builder_;
  std::vector<std::vector<Value>> values_;  // of each node, of each port that is used
  std::vector<std::string> output_names_;
  bool renames_ = true;
};

}  // namespace bnn::formats
