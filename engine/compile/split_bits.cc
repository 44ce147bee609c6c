#include "engine/compile/split_bits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <variant>
#include <vector>

#include "kernels/bits.h"

namespace bnn::engine {
namespace {

using formats::kNone;

class Splitter {
 public:
  Splitter(const formats::ModelDef& model, const Readers& readers, Fusion* fusion)
      : model_(model), readers_(readers), fusion_(*fusion) {}

  void Run() {
    for (size_t n = 0; n < model_.nodes.size(); ++n) {
      const auto* concat = std::get_if<formats::Concat>(&model_.nodes[n].op);
      if (concat != nullptr && concat->axis + 1 == std::ssize(Dims(model_.nodes[n].output))) Split(n);
    }
  }

 private:
  const std::vector<int64_t>& Dims(int tensor) const { return model_.tensors[static_cast<size_t>(tensor)].dims; }
  Group& At(size_t group) { return fusion_.groups[group]; }

  void Split(size_t concat) {
    const formats::NodeDef& node = model_.nodes[concat];
    const std::optional<size_t> packing = PackingOf(node.output);
    if (!packing) return;
    std::vector<size_t> makers;
    int64_t channel = 0;
    for (const int operand : node.inputs) {
      const std::optional<size_t> maker = MakerOf(operand);
      if (!maker || channel % kernels::kBitsPerWord != 0) return;
      makers.push_back(*maker);
      channel += Dims(operand).back();
    }
    const bool floats_wanted = !readers_.has_one(node.output);
    channel = 0;
    for (size_t i = 0; i < makers.size(); ++i) {
      const int64_t count = Dims(node.inputs[i]).back();
      GiveBits(At(*packing), channel, count, &At(makers[i]));
      if (!floats_wanted) At(makers[i]).float_output = kNone;
      channel += count;
    }
    // Nodes of a group run at its position only, so these are done.
    if (!floats_wanted) fusion_.group_of[concat] = static_cast<int>(makers[0]);
    for (const int n : At(*packing).branch) fusion_.group_of[static_cast<size_t>(n)] = static_cast<int>(makers[0]);
    Remove(*packing);
  }

  // The group that does nothing but pack the tensor.
  std::optional<size_t> PackingOf(int tensor) const {
    for (const int reader : readers_.of(tensor)) {
      const int group = fusion_.group_of[static_cast<size_t>(reader)];
      if (group == kNone) continue;
      const Group& found = fusion_.groups[static_cast<size_t>(group)];
      if (found.source_node == kNone && found.chain.empty() && found.input == tensor) return static_cast<size_t>(group);
    }
    return std::nullopt;
  }

  // The group with an epilogue (kernels/epilogue.h) that makes the tensor for the concatenation alone, and no bits.
  std::optional<size_t> MakerOf(int tensor) const {
    if (!readers_.has_one(tensor)) return std::nullopt;
    const auto found = std::find_if(fusion_.groups.begin(), fusion_.groups.end(),
                                    [&](const Group& group) { return group.float_output == tensor; });
    if (found == fusion_.groups.end() || found->bits_output != kNone) return std::nullopt;
    if (found->source_node != kNone) {
      const formats::Op& source = model_.nodes[static_cast<size_t>(found->source_node)].op;
      const auto* conv = std::get_if<formats::BConv2d>(&source);
      if (conv == nullptr ? !std::holds_alternative<formats::BDense>(source) : conv->groups != 1) return std::nullopt;
    }
    return static_cast<size_t>(found - fusion_.groups.begin());
  }

  static void GiveBits(const Group& packing, int64_t channel, int64_t count, Group* maker) {
    const auto part = [&](const std::vector<float>& values) {
      if (values.size() <= 1) return values;
      return std::vector<float>(values.begin() + channel, values.begin() + channel + count);
    };
    maker->branch = packing.branch;
    maker->thresholds.clear();
    for (const std::vector<float>& level : packing.thresholds) maker->thresholds.push_back(part(level));
    maker->signs = part(packing.signs);
    maker->bits_output = packing.bits_output;
    maker->bits_channel = channel;
  }

  void Remove(size_t group) {
    fusion_.groups.erase(fusion_.groups.begin() + static_cast<std::ptrdiff_t>(group));
    for (int& index : fusion_.group_of) index -= index > static_cast<int>(group) ? 1 : 0;
  }

  const formats::ModelDef& model_;
  const Readers& readers_;
  Fusion& fusion_;
};

}  // namespace

void SplitBitsOfConcat(const formats::ModelDef& model, const Readers& readers, Fusion* fusion) {
  Splitter(model, readers, fusion).Run();
}

}  // namespace bnn::engine
