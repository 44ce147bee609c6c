#include "engine/compile/compile.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "engine/compile/arena.h"
#include "engine/compile/bits_layouts.h"
#include "engine/compile/concat_in_place.h"
#include "engine/compile/fuse.h"
#include "engine/compile/join_strips.h"
#include "engine/ops/binary_ops.h"
#include "engine/ops/int8_layer.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

using formats::ElementType;
using formats::ModelDef;
using formats::NodeDef;

template <class... Fns>
struct Overloaded : Fns... {
  using Fns::operator()...;
};
template <class... Fns>
Overloaded(Fns...) -> Overloaded<Fns...>;  // clang 14 does not deduce it for aggregates

class Compiler {
 public:
  Compiler(const ModelDef& model, WeightStore& weights, const CompileOptions& options)
      : model_(model), context_{model, plan_, weights} {
    plan_.batch = options.batch;
    plan_.threads = options.threads;
    plan_.max_isa = options.max_isa;
  }

  Result<Plan> Run() {
    fusion_ = FuseNodes(model_);
    MakeTensors();
    ChooseBitsLayouts(model_, fusion_, &plan_);
    PlaceInputsAndOutputs();
    for (size_t n = 0; n < model_.nodes.size(); ++n) BNN_RETURN_IF_ERROR(AddStepsOfNode(static_cast<int>(n)));
    BNN_RETURN_IF_ERROR(CopyRepeatedOutputs());
    JoinStrips(&context_);
    for (PlanTensor& tensor : plan_.tensors) BNN_RETURN_IF_ERROR(SetBytes(&tensor));
    JoinChannelsInPlace(&plan_);
    ShareInPlace(&plan_);
    BNN_RETURN_IF_ERROR(PlaceTensors(&plan_));
    return std::move(plan_);
  }

 private:
  static size_t Index(int i) { return static_cast<size_t>(i); }

  // Plan tensors 0.. are the model's, with the same numbers; copies and scratch follow.
  void MakeTensors() {
    for (const formats::TensorDef& from : model_.tensors) {
      PlanTensor to;
      to.name = from.name;
      to.type = from.type;
      to.dims = from.dims;
      plan_.tensors.push_back(std::move(to));
    }
  }

  // Inputs are read from, and outputs written to, the caller's memory. A tensor that is an input as well as an output,
  // or an output twice, has one home: CopyRepeatedOutputs makes the rest.
  void PlaceInputsAndOutputs() {
    for (const formats::InputDef& input : model_.inputs) {
      PlanTensor& tensor = plan_.tensors[Index(input.tensor)];
      tensor.place = Place::kInput;
      tensor.external_index = static_cast<int64_t>(plan_.inputs.size());
      plan_.inputs.push_back(input.tensor);
    }
    for (const int output : model_.outputs) {
      PlanTensor& tensor = plan_.tensors[Index(output)];
      if (tensor.place == Place::kArena) {
        tensor.place = Place::kOutput;
        tensor.external_index = static_cast<int64_t>(plan_.outputs.size());
      }
      plan_.outputs.push_back(output);
    }
  }

  Status CopyRepeatedOutputs() {
    for (size_t i = 0; i < plan_.outputs.size(); ++i) {
      const int from = plan_.outputs[i];
      const PlanTensor& tensor = plan_.tensors[Index(from)];
      if (tensor.place == Place::kOutput && tensor.external_index == static_cast<int64_t>(i)) continue;
      PlanTensor copy = tensor;
      copy.place = Place::kOutput;
      copy.external_index = static_cast<int64_t>(i);
      copy.alias_of = -1;
      plan_.tensors.push_back(std::move(copy));
      plan_.outputs[i] = static_cast<int>(plan_.tensors.size()) - 1;
      BNN_RETURN_IF_ERROR(AddStep(MakeCopy(context_, {plan_.tensors[Index(from)].name, {from}, plan_.outputs[i]})));
    }
    return OkStatus();
  }

  Status AddStepsOfNode(int n) {
    const int group_index = fusion_.group_of[Index(n)];
    if (group_index == formats::kNone) return AddSingle(model_.nodes[Index(n)]);
    const Group& group = fusion_.groups[Index(group_index)];
    if (group.position != n) return OkStatus();
    if (group.source_node == formats::kNone) return AddStep(MakeEltwise(context_, group));
    const NodeDef& source = model_.nodes[Index(group.source_node)];
    if (const auto* conv = std::get_if<formats::BConv2d>(&source.op)) {
      const BitsLayout wanted = LayoutForReader(model_.tensors[Index(group.input)], *conv);
      return AddStep(MakeBConv2d(context_, group, InLayout(group.input, wanted, source.name)));
    }
    if (std::holds_alternative<formats::BDense>(source.op)) return AddStep(MakeBDense(context_, group, group.input));
    if (const auto* conv = std::get_if<formats::Conv2d>(&source.op)) {
      return AddStep(MakeConv2d(context_, {source.name, source.inputs, group.float_output}, *conv,
                                &model_.nodes[Index(group.chain[0])].op));
    }
    return AddStep(MakeInt8Layer(context_, group));
  }

  // The tensor itself where its layout serves, else a copy in the wanted layout (made once).
  int InLayout(int tensor, const BitsLayout& wanted, const std::string& reader) {
    if (Serves(plan_.tensors[Index(tensor)].bits, wanted)) return tensor;
    for (const auto& [from, to] : copies_) {
      if (from == tensor && Serves(plan_.tensors[Index(to)].bits, wanted)) return to;
    }
    PlanTensor copy = plan_.tensors[Index(tensor)];
    copy.alias_of = -1;  // a reshaped tensor shares memory; its copy, of another size, must not
    copy.bits = wanted;
    plan_.tensors.push_back(std::move(copy));
    const int to = static_cast<int>(plan_.tensors.size()) - 1;
    copies_.emplace_back(tensor, to);
    plan_.steps.push_back(MakeRelayout(context_, reader, tensor, to,
                                       wanted.groups != plan_.tensors[Index(tensor)].bits.groups
                                           ? "its reader wants each group of channels at a word of its own"
                                           : "its readers pad with different bits"));
    return to;
  }

  // Nodes that run alone. The chain nodes are always in groups.
  Status AddSingle(const NodeDef& node) {
    const FloatNode f{node.name, node.inputs, node.output};
    return std::visit(
        Overloaded{
            [&](const formats::BMaxPool&) { return AddStep(MakeBMaxPool(context_, node)); },
            [&](const formats::Unpack&) { return AddStep(MakeUnpack(context_, node)); },
            [&](const formats::Conv2d& op) { return AddStep(MakeConv2d(context_, f, op)); },
            [&](const formats::Dense& op) { return AddStep(MakeDense(context_, f, op)); },
            [&](const formats::Unary& op) { return AddStep(MakeUnary(context_, f, op)); },
            [&](const formats::Binary& op) { return AddStep(MakeBinary(context_, f, op)); },
            [&](const formats::MaxPool& op) { return AddStep(MakeMaxPool(context_, f, op)); },
            [&](const formats::AvgPool& op) { return AddStep(MakeAvgPool(context_, f, op)); },
            [&](const formats::Concat& op) { return AddStep(MakeConcat(context_, f, op)); },
            [&](const formats::Slice& op) { return AddStep(MakeSlice(context_, f, op)); },
            [&](const formats::Pad& op) { return AddStep(MakePad(context_, f, op)); },
            [&](const formats::Transpose& op) { return AddStep(MakeTranspose(context_, f, op)); },
            [&](const formats::Softmax& op) { return AddStep(MakeSoftmax(context_, f, op)); },
            [&](const formats::FakeQuantize& op) { return AddStep(MakeFakeQuantize(context_, f, op)); },
            [&](const formats::ConvTranspose2d& op) { return AddStep(MakeConvTranspose2d(context_, f, op)); },
            [&](const formats::Resize2d& op) { return AddStep(MakeResize2d(context_, f, op)); },
            [&](const formats::Reduce& op) { return AddStep(MakeReduce(context_, f, op)); },
            [&](const formats::Lrn& op) { return AddStep(MakeLrn(context_, f, op)); },
            [&](const formats::NormalizeL2& op) { return AddStep(MakeNormalizeL2(context_, f, op)); },
            [&](const formats::DetectionOutput& op) { return AddStep(MakeDetectionOutput(context_, f, op)); },
            [&](const formats::Quantize&) { return AddStep(MakeQuantize(context_, node)); },
            [&](const formats::Dequantize&) { return AddStep(MakeDequantize(context_, node)); },
            [&](const formats::Reshape&) { return AddReshape(node); },
            [&](const auto&) { return InternalError("node '" + node.name + "': left out by the fuser"); },
        },
        node.op);
  }

  // A reshape is the same memory under another name, where the memory may be shared.
  Status AddReshape(const NodeDef& node) {
    int root = node.inputs[0];
    while (plan_.tensors[Index(root)].alias_of >= 0) root = plan_.tensors[Index(root)].alias_of;
    PlanTensor& from = plan_.tensors[Index(root)];
    PlanTensor& to = plan_.tensors[Index(node.output)];
    if (formats::BitsOf(to.type) > 0) {
      const bool same_words = !from.bits.has_halo() && !to.bits.has_halo() && from.bits.groups == to.bits.groups;
      if (!same_words) {
        plan_.steps.push_back(MakeRelayout(context_, node.name, node.inputs[0], node.output, "reshape of padded bits"));
        return OkStatus();
      }
      to.alias_of = root;
      return OkStatus();
    }
    if (to.place == Place::kArena) {
      to.alias_of = root;
      return OkStatus();
    }
    // `to` is an output: what produces `from` can write there directly, unless `from` has another home.
    if (from.place != Place::kArena) return AddStep(MakeCopy(context_, {node.name, node.inputs, node.output}));
    from.place = Place::kOutput;
    from.external_index = to.external_index;
    to.alias_of = root;
    return OkStatus();
  }

  Status AddStep(Result<StepPtr> step) {
    if (!step.ok()) return step.status();
    plan_.steps.push_back(*std::move(step));
    return OkStatus();
  }

  Status SetBytes(PlanTensor* tensor) const {
    if (tensor->bytes != 0) return OkStatus();  // scratch knows its own
    const bool is_bits = formats::BitsOf(tensor->type) > 0;
    const bool is_byte = tensor->type == ElementType::kInt8 || tensor->type == ElementType::kUInt8;
    const int64_t per_sample = is_bits ? tensor->bits.image_words() : formats::ElementCount(tensor->dims);
    if (__builtin_mul_overflow(per_sample, plan_.batch * int64_t{is_byte ? 1 : 4}, &tensor->bytes) ||
        tensor->bytes > (int64_t{1} << 46)) {
      return OutOfMemory("tensor '" + tensor->name + "': " + DimsText(tensor->dims) + " times a batch of " +
                         std::to_string(plan_.batch) + " exceeds memory");
    }
    return OkStatus();
  }

  const ModelDef& model_;
  Plan plan_;
  StepContext context_;
  Fusion fusion_;
  std::vector<std::pair<int, int>> copies_;  // tensor, its copy in another layout
};

}  // namespace

Result<Plan> Compile(const formats::ModelDef& model, WeightStore& weights, const CompileOptions& options) {
  return Compiler(model, weights, options).Run();
}

}  // namespace bnn::engine
