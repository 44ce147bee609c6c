// Decides which nodes of a model run as one step.
//
// A group is a source (a binary layer, or a float tensor) followed by a chain of elementwise nodes that the kernels'
// epilogue can do on the way to memory (kernels/epilogue.h), and possibly a Binarize at its end:
//
//   BConv2d -> Affine -> PRelu -> Add(residual) -> Binarize        one step, writes bits
//                                              \-> MaxPool         the same step, writes floats as well
//   Conv2d -> Clamp                                                one step of oneDNN
//   QConv2d -> Affine -> Clamp -> Quantize                         one step, writes int8 (engine/ops/int8_layer.h)
//
// A chain goes on while its value has exactly one reader, so no value that somebody else needs disappears. Monotonic
// nodes between the chain's end and the bits become thresholds (threshold_branch.h), whoever else reads the floats.
// Fusing never changes a result: the epilogue performs the same roundings as the separate steps.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/model_def.h"

namespace bnn::engine {

struct Group {
  int source_node =
      formats::kNone;          // BConv2d, BDense, Conv2d, QConv2d, QDense; kNone: the chain works on floats `input`
  int input = formats::kNone;  // tensor that the source node, or the first node of the chain, reads
  std::vector<int> chain;      // Affine, PRelu, Clamp and Add nodes, in order
  std::vector<int> branch;     // nodes that `thresholds` stand for; a Binarize is the last. Empty: no bits
  // By level (of bits, one), [1] or [channels] each, of the chain's value; NaN: the level is never reached.
  std::vector<std::vector<float>> thresholds;
  std::vector<float> signs;           // as many, 1 or -1: value * sign >= threshold; empty: all 1
  int float_output = formats::kNone;  // tensor, when somebody reads the chain's floats
  int bits_output = formats::kNone;   // tensor, when there is a branch
  int64_t bits_channel = 0;           // the first one of the tensor's that this group makes (split_bits.h)
  int quantize = formats::kNone;      // the node at the end of an int8 layer's chain that writes int8
  int int8_output = formats::kNone;   // its tensor
  int position = 0;  // the node in whose place the step runs: the last of the chain, where all residuals are there
};

struct Fusion {
  std::vector<Group> groups;
  std::vector<int> group_of;  // for each node: its group, or kNone: it runs alone
};

Fusion FuseNodes(const formats::ModelDef& model);

// The residual of an Add node of a chain: the operand that is not the chain's value.
int ResidualOf(const formats::NodeDef& add, int chain_value);

}  // namespace bnn::engine
