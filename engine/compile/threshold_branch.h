// A Binarize behind monotonic elementwise nodes is a Binarize of the value before them, with other thresholds.
//
//   x -> Affine -> PRelu -> Binarize(t)     is     x -> Binarize(t'),   t'[c] = the least x with chain(x) >= t[c]
//
// and where the chain falls (a negative scale), -x >= t'[c], t'[c] = the least -x. ReActNet's RSign (a shift, then the
// sign) and batch-norm before a sign are of this kind. Their input mostly has other readers too (a residual), so
// without this it would be stored, read again and mapped by a step of its own.
//
// A Binarize of several levels has several thresholds, each of which moves like that.
//
// t' is found by bisection over the floats with the kernels' own arithmetic, so no bit differs from the separate nodes,
// infinities and NaN included.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/model_def.h"

namespace bnn::engine {

struct ThresholdBranch {
  std::vector<int> nodes;  // in order; the Binarize is the last one
  // By level (of bits, one), [1] or [channels] each; NaN where the level is never reached.
  std::vector<std::vector<float>> thresholds;
  std::vector<float> signs;  // as many, 1 or -1: x * sign >= threshold; empty: all 1
};

// Who reads a model's tensors.
class Readers {
 public:
  explicit Readers(const formats::ModelDef& model);

  const std::vector<int>& of(int tensor) const { return readers_[static_cast<size_t>(tensor)]; }
  bool is_output(int tensor) const { return is_output_[static_cast<size_t>(tensor)]; }
  // Nobody but one node needs the tensor.
  bool has_one(int tensor) const { return !is_output(tensor) && of(tensor).size() == 1; }

 private:
  std::vector<std::vector<int>> readers_;  // nodes, by tensor
  std::vector<bool> is_output_;
};

// The branch that begins at node `first`: a Binarize, or Affine, PRelu and Clamp nodes that nobody else reads and that
// are monotonic in every channel, up to a Binarize. nullopt where there is none.
std::optional<ThresholdBranch> FindThresholdBranch(const formats::ModelDef& model, const Readers& readers, int first);

}  // namespace bnn::engine
