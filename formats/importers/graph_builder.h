// A source graph under construction: what importers of all formats share.
//
// Importers append nodes in topological order, and the builder infers each one's outputs as it comes, so that whatever
// depends on shapes (auto_pad, the equal parts of Split) is resolved at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "formats/shape_inference.h"
#include "formats/source_graph.h"

namespace bnn::formats {

class SourceGraphBuilder {
 public:
  // `taken`: the names of values that the file uses, which no value of ours may have.
  SourceGraphBuilder(SourceGraph* graph, std::set<std::string> taken)
      : graph_(graph), shapes_(&graph->constants), values_{std::move(taken), {}} {}

  ShapeInference& shapes() { return shapes_; }
  bool batch_is_symbolic() const { return graph_->batch_is_symbolic; }

  // Says that the batch is open, when all inputs are defined. From then on what is known must not depend on it: shapes
  // are inferred for two batches, and only what both agree about counts.
  void OpenBatch();

  // Type and dims of a value that exists.
  ValueInfo InfoOf(const std::string& value) const;
  Dims DimsOf(const std::string& value) const { return InfoOf(value).dims; }
  // The elements of a small value that depends on constants and shapes only, but not on an open batch; else nullptr.
  const Tensor* FindKnown(const std::string& value) const;
  // The same of integers; an error that names node and input where they are not known.
  Result<std::vector<int64_t>> KnownIntegers(const SourceNode& node, size_t input) const;

  // The integers of a value that may depend on an open batch: 0 in place of those that do. Empty where they are not
  // known.
  std::vector<int64_t> KnownApartFromBatch(const std::string& value) const;

  // A name that no other value has, from a hint.
  std::string NewValueName(const std::string& hint);
  // Adds a constant under a new name and returns that.
  std::string AddConstant(const std::string& hint, Tensor tensor);
  // Adds a constant under the name that the file gives it.
  void DefineConstant(const std::string& name, Tensor tensor);
  // Adds an input of the graph.
  void DefineInput(const std::string& name, ValueInfo info);
  // Appends a normalized node: makes its name unique and infers its outputs.
  Status Emit(SourceNode node);

 private:
  // Names that are in use, and where to go on counting for a name that was asked for before: a file with thousands of
  // equal names must not take quadratic time.
  struct Names {
    std::set<std::string> taken;
    std::map<std::string, int64_t> next;
    std::string MakeUnique(const std::string& hint);
  };

  SourceGraph* graph_;
  ShapeInference shapes_;
  std::optional<ShapeInference> doubled_;  // with a batch of 2, where the batch is open
  Names values_;
  Names nodes_;
};

// Conv, MaxPool and AveragePool: writes out all of the window (kernel_shape, strides, dilations, pads), with explicit
// pads where auto_pad was.
Status WriteOutWindow(SourceNode* node, const SourceGraphBuilder& builder);

// A node of a source graph without name and outputs.
SourceNode MakeNode(const char* op, std::vector<std::string> inputs);

// [n] of int64: what shapes, pads and axes are given as.
Tensor IntList(std::vector<int64_t> values);

}  // namespace bnn::formats
