#include "formats/lower/fold_affine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace bnn::formats {
namespace {

std::vector<float> Values(const Blob& blob) {
  std::vector<float> values(blob.data.size() / sizeof(float));
  std::memcpy(values.data(), blob.data.data(), blob.data.size());
  return values;
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

class Folder {
 public:
  explicit Folder(ModelDef* model) : model_(*model), readers_(model->tensors.size()), kept_(model->nodes.size(), true) {
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      for (const int t : model_.nodes[n].inputs) readers_[static_cast<size_t>(t)].push_back(n);
    }
  }

  void Run() {
    for (NodeDef& node : model_.nodes) {
      if (auto* conv = std::get_if<Conv2d>(&node.op)) FoldInto(&node, &conv->weights, &conv->bias);
      if (auto* dense = std::get_if<Dense>(&node.op)) FoldInto(&node, &dense->weights, &dense->bias);
    }
    for (size_t n = 0; n < kept_.size(); ++n) {
      auto* affine = std::get_if<Affine>(&model_.nodes[n].op);
      if (affine != nullptr && kept_[n] && !OnlyBitsFollow(model_.nodes[n].output)) {
        FoldInto(&model_.nodes[n], &affine->scale, &affine->bias);
      }
    }
    std::vector<NodeDef> nodes;
    for (size_t n = 0; n < kept_.size(); ++n) {
      if (kept_[n]) nodes.push_back(std::move(model_.nodes[n]));
    }
    model_.nodes = std::move(nodes);
  }

 private:
  // Takes affines into the layer until something else follows.
  void FoldInto(NodeDef* layer, int* weights, int* bias) {
    while (const std::optional<size_t> next = OnlyAffineReader(layer->output)) {
      const NodeDef& node = model_.nodes[*next];
      if (!Fold(std::get<Affine>(node.op), weights, bias)) return;
      layer->output = node.output;
      kept_[*next] = false;
    }
  }

  std::optional<size_t> OnlyAffineReader(int tensor) const {
    const std::vector<size_t>& readers = readers_[static_cast<size_t>(tensor)];
    const bool is_output = std::find(model_.outputs.begin(), model_.outputs.end(), tensor) != model_.outputs.end();
    if (is_output || readers.size() != 1) return std::nullopt;
    const NodeDef& node = model_.nodes[readers[0]];
    const auto same_dims = [&] {  // of a vector: a dense layer's channels are the affine's
      return model_.tensors[static_cast<size_t>(tensor)].dims == model_.tensors[static_cast<size_t>(node.output)].dims;
    };
    if (!std::holds_alternative<Affine>(node.op) || !same_dims()) return std::nullopt;
    return readers[0];
  }

  // Whether elementwise nodes that nobody else reads lead from the tensor to a Binarize.
  bool OnlyBitsFollow(int tensor) const {
    while (readers_[static_cast<size_t>(tensor)].size() == 1) {
      const NodeDef& node = model_.nodes[readers_[static_cast<size_t>(tensor)][0]];
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
    const Blob& old = model_.blobs[static_cast<size_t>(*weights)];
    const std::vector<float> scale = Values(model_.blobs[static_cast<size_t>(affine.scale)]);
    const std::vector<float> shift = Values(model_.blobs[static_cast<size_t>(affine.bias)]);
    const bool is_scale = old.dims.size() == 1;
    const size_t channels = is_scale ? std::max({Count(*weights), Count(*bias), scale.size(), shift.size()})
                                     : static_cast<size_t>(old.dims[0]);
    const auto at = [](const std::vector<float>& values, size_t c) {
      return static_cast<double>(values[values.size() == 1 ? 0 : c]);
    };
    std::vector<float> new_weights = Values(old);
    std::vector<float> new_bias(channels, 0.0f);
    if (*bias != kNone) new_bias = Values(model_.blobs[static_cast<size_t>(*bias)]);
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
    const std::vector<int64_t> dims = old.dims;
    *weights = Add(is_scale ? std::vector<int64_t>{static_cast<int64_t>(channels)} : dims, new_weights);
    *bias = Add({static_cast<int64_t>(channels)}, new_bias);
    return true;
  }

  size_t Count(int blob) const { return model_.blobs[static_cast<size_t>(blob)].data.size() / sizeof(float); }

  int Add(const std::vector<int64_t>& dims, const std::vector<float>& values) {
    Blob blob;
    blob.type = ElementType::kFloat32;
    blob.dims = dims;
    blob.data.resize(values.size() * sizeof(float));
    std::memcpy(blob.data.data(), values.data(), blob.data.size());
    model_.blobs.push_back(std::move(blob));
    return static_cast<int>(model_.blobs.size()) - 1;
  }

  ModelDef& model_;
  std::vector<std::vector<size_t>> readers_;  // nodes, by tensor
  std::vector<bool> kept_;
};

}  // namespace

void FoldAffineIntoLayers(ModelDef* model) { Folder(model).Run(); }

}  // namespace bnn::formats
