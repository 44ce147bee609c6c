#include "formats/lower/fold_affine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "formats/lower/model_edit.h"

namespace bnn::formats {
namespace {

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

class Folder {
 public:
  explicit Folder(ModelDef* model) : edit_(model) {}

  void Run() {
    for (size_t n = 0; n < edit_.num_nodes(); ++n) {
      if (OnlyBitsFollow(edit_.node(n).output)) continue;
      Op& op = edit_.node(n).op;
      if (auto* conv = std::get_if<Conv2d>(&op)) FoldInto(n, &conv->weights, &conv->bias);
      if (auto* dense = std::get_if<Dense>(&op)) FoldInto(n, &dense->weights, &dense->bias);
    }
    for (size_t n = 0; n < edit_.num_nodes(); ++n) {
      auto* affine = std::get_if<Affine>(&edit_.node(n).op);
      if (affine != nullptr && !edit_.IsDropped(n) && !OnlyBitsFollow(edit_.node(n).output)) {
        FoldInto(n, &affine->scale, &affine->bias);
      }
    }
    edit_.Finish();
  }

 private:
  // Takes affines into the layer until something else follows.
  void FoldInto(size_t layer, int* weights, int* bias) {
    while (const std::optional<size_t> next = OnlyAffineReader(edit_.node(layer).output)) {
      if (!Fold(std::get<Affine>(edit_.node(*next).op), weights, bias)) return;
      edit_.node(layer).output = edit_.node(*next).output;
      edit_.Drop(*next);
    }
  }

  std::optional<size_t> OnlyAffineReader(int tensor) {
    const std::optional<size_t> reader = edit_.OnlyReader(tensor);
    if (!reader || !std::holds_alternative<Affine>(edit_.node(*reader).op)) return std::nullopt;
    return reader;
  }

  // Whether elementwise nodes that nobody else reads lead from the tensor to a Binarize.
  bool OnlyBitsFollow(int tensor) {
    while (const std::optional<size_t> reader = edit_.OnlyReader(tensor)) {
      const NodeDef& node = edit_.node(*reader);
      if (std::holds_alternative<Binarize>(node.op)) return true;
      if (!std::holds_alternative<Affine>(node.op) && !std::holds_alternative<PRelu>(node.op) &&
          !std::holds_alternative<Clamp>(node.op)) {
        return false;
      }
      tensor = node.output;
    }
    return false;
  }

  // False, and nothing has changed, where a product is not finite. `weights`: [out][...] of a layer, or the scale of
  // an Affine, which may be one value for all channels.
  bool Fold(const Affine& affine, int* weights, int* bias) {
    const std::vector<int64_t> dims = edit_.BlobDims(*weights);
    const std::vector<float> scale = edit_.Floats(affine.scale), shift = edit_.Floats(affine.bias);
    const bool is_scale = dims.size() == 1;
    const size_t channels =
        is_scale ? std::max({edit_.CountFloats(*weights), edit_.CountFloats(*bias), scale.size(), shift.size()})
                 : static_cast<size_t>(dims[0]);
    const auto at = [](const std::vector<float>& values, size_t c) {
      return static_cast<double>(values[values.size() == 1 ? 0 : c]);
    };
    std::vector<float> new_weights = edit_.Floats(*weights);
    std::vector<float> new_bias(channels, 0.0f);
    if (*bias != kNone) new_bias = edit_.Floats(*bias);
    if (new_weights.size() == 1) new_weights.resize(channels, new_weights[0]);
    if (new_bias.size() == 1) new_bias.resize(channels, new_bias[0]);
    const size_t terms = new_weights.size() / channels;
    for (size_t c = 0; c < channels; ++c) {
      for (size_t i = c * terms; i < (c + 1) * terms; ++i) {
        new_weights[i] = static_cast<float>(static_cast<double>(new_weights[i]) * at(scale, c));
      }
      new_bias[c] = static_cast<float>(static_cast<double>(new_bias[c]) * at(scale, c) + at(shift, c));
    }
    if (!AllFinite(new_weights) || !AllFinite(new_bias)) return false;
    const auto count = static_cast<int64_t>(channels);
    *weights = edit_.AddFloats(is_scale ? std::vector<int64_t>{count} : dims, new_weights);
    *bias = edit_.AddFloats({count}, new_bias);
    return true;
  }

  ModelEdit edit_;
};

}  // namespace

void FoldAffineIntoLayers(ModelDef* model) { Folder(model).Run(); }

}  // namespace bnn::formats
