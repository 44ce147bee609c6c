#include "formats/lower/concat_steps.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "formats/lower/model_edit.h"

namespace bnn::formats {
namespace {

class Mover {
 public:
  explicit Mover(ModelDef* model) : edit_(model) {}

  void Run() {
    for (size_t n = 0; n < edit_.num_nodes(); ++n) {
      if (!IsCandidate(n)) continue;
      while (const std::optional<size_t> next = OnlyStepReader(edit_.node(n).output)) Move(n, *next);
    }
    edit_.Finish();
  }

 private:
  static bool IsStep(const Op& op) {
    return std::holds_alternative<Affine>(op) || std::holds_alternative<PRelu>(op) || std::holds_alternative<Clamp>(op);
  }

  static bool IsBinaryLayer(const Op& op) {
    return std::holds_alternative<BConv2d>(op) || std::holds_alternative<BDense>(op);
  }

  bool IsCandidate(size_t n) {
    const NodeDef& node = edit_.node(n);
    const auto* concat = std::get_if<Concat>(&node.op);
    return concat != nullptr && concat->axis + 1 == std::ssize(edit_.tensor(node.output).dims) &&
           std::all_of(node.inputs.begin(), node.inputs.end(),
                       [this](int operand) { return edit_.OnlyReader(operand) && EndsBinaryLayer(operand); });
  }

  // Whether the tensor leaves a binary layer through steps and residual additions.
  bool EndsBinaryLayer(int tensor) {
    while (const std::optional<size_t> producer = edit_.Producer(tensor)) {
      const NodeDef& node = edit_.node(*producer);
      if (IsBinaryLayer(node.op)) return true;
      const auto* binary = std::get_if<Binary>(&node.op);
      const bool adds = binary != nullptr && binary->kind == BinaryKind::kAdd && binary->constant == kNone;
      if (!adds && !IsStep(node.op)) return false;
      tensor = node.inputs[0];
    }
    return false;
  }

  std::optional<size_t> OnlyStepReader(int tensor) {
    const std::optional<size_t> reader = edit_.OnlyReader(tensor);
    return reader && IsStep(edit_.node(*reader).op) ? reader : std::nullopt;
  }

  // Values [first, first + count) of a blob of one value a channel; a blob of one value serves all.
  int Part(int blob, int64_t first, int64_t count) {
    const std::vector<float> values = edit_.Floats(blob);
    if (values.size() == 1) return blob;
    return edit_.AddFloats({count}, std::vector<float>(values.begin() + first, values.begin() + first + count));
  }

  Op PartOf(const Op& op, int64_t first, int64_t count) {
    if (const auto* affine = std::get_if<Affine>(&op)) {
      return Affine{Part(affine->scale, first, count), Part(affine->bias, first, count)};
    }
    if (const auto* prelu = std::get_if<PRelu>(&op)) return PRelu{Part(prelu->slope, first, count)};
    return op;
  }

  void Move(size_t concat, size_t step) {
    int64_t channel = 0;
    for (int& operand : edit_.node(concat).inputs) {
      const std::vector<int64_t> dims = edit_.tensor(operand).dims;
      const NodeDef& node = edit_.node(step);
      const int output = edit_.AddTensor(edit_.tensor(operand).name + "/" + node.name, ElementType::kFloat32, dims);
      edit_.InsertBefore(concat, {node.name, PartOf(node.op, channel, dims.back()), {operand}, output});
      operand = output;
      channel += dims.back();
    }
    edit_.node(concat).output = edit_.node(step).output;
    edit_.Drop(step);
  }

  ModelEdit edit_;
};

}  // namespace

void MoveStepsBeforeConcat(ModelDef* model) { Mover(model).Run(); }

}  // namespace bnn::formats
