#include "engine/compile/bits_layouts.h"

#include <algorithm>
#include <variant>

#include "engine/compile/geometry.h"

namespace bnn::engine {
namespace {

// A layout with one group is the same as one with many when every group fills whole words.
int64_t EffectiveGroups(int64_t channels, int64_t groups) {
  return (channels / groups) % kernels::kBitsPerWord == 0 ? 1 : groups;
}

BitsLayout PlainLayout(const formats::TensorDef& tensor) {
  const Geometry geometry = GeometryOf(tensor.dims);
  BitsLayout layout;
  layout.planes = formats::BitsOf(tensor.type);
  layout.h = geometry.h;
  layout.w = geometry.w;
  layout.channels = geometry.c;
  return layout;
}

}  // namespace

BitsLayout LayoutForReader(const formats::TensorDef& tensor, const formats::BConv2d& op) {
  BitsLayout layout = PlainLayout(tensor);
  layout.groups = EffectiveGroups(layout.channels, op.groups);
  layout.top = op.window.pad_top;
  layout.left = op.window.pad_left;
  layout.bottom = op.window.pad_bottom;
  layout.right = op.window.pad_right;
  layout.halo_one = layout.has_halo() && op.pad_value == formats::PadValue::kOne;
  return layout;
}

bool Serves(const BitsLayout& have, const BitsLayout& wanted) {
  return have.groups == wanted.groups && (!wanted.has_halo() || have.halo_one == wanted.halo_one) &&
         have.top >= wanted.top && have.left >= wanted.left && have.bottom >= wanted.bottom &&
         have.right >= wanted.right;
}

void ChooseBitsLayouts(const formats::ModelDef& model, const Fusion& fusion, Plan* plan) {
  for (size_t t = 0; t < model.tensors.size(); ++t) {
    if (formats::BitsOf(model.tensors[t].type) > 0) plan->tensors[t].bits = PlainLayout(model.tensors[t]);
  }
  // A grouped convolution writes each group of output channels from a word of its own.
  for (const Group& group : fusion.groups) {
    if (group.source_node == formats::kNone || group.bits_output == formats::kNone) continue;
    const auto* conv = std::get_if<formats::BConv2d>(&model.nodes[static_cast<size_t>(group.source_node)].op);
    if (conv == nullptr) continue;
    BitsLayout& layout = plan->tensors[static_cast<size_t>(group.bits_output)].bits;
    layout.groups = EffectiveGroups(layout.channels, conv->groups);
  }
  for (const formats::NodeDef& node : model.nodes) {
    if (std::holds_alternative<formats::BMaxPool>(node.op)) {  // pools words, so it keeps the grouping
      plan->tensors[static_cast<size_t>(node.output)].bits.groups =
          plan->tensors[static_cast<size_t>(node.inputs[0])].bits.groups;
    }
  }
  for (const formats::NodeDef& node : model.nodes) {
    const auto* conv = std::get_if<formats::BConv2d>(&node.op);
    if (conv == nullptr) continue;
    const auto input = static_cast<size_t>(node.inputs[0]);
    BitsLayout& layout = plan->tensors[input].bits;
    const BitsLayout wanted = LayoutForReader(model.tensors[input], *conv);
    if (!wanted.has_halo() || wanted.groups != layout.groups) continue;
    if (layout.has_halo() && layout.halo_one != wanted.halo_one) continue;  // the first reader's bit wins
    layout.halo_one = wanted.halo_one;
    layout.top = std::max(layout.top, wanted.top);
    layout.left = std::max(layout.left, wanted.left);
    layout.bottom = std::max(layout.bottom, wanted.bottom);
    layout.right = std::max(layout.right, wanted.right);
  }
}

}  // namespace bnn::engine
