#include "formats/resize.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "formats/text.h"
#include "formats/validate.h"

namespace bnn::formats {
namespace {

using Shape = std::vector<int64_t>;

// Rows or columns: what a window sees before and after.
Status CheckAxis(const char* what, int64_t before, int64_t after, int64_t stride) {
  if ((after - before) % stride == 0) return OkStatus();
  return InvalidArgument(std::string("found an input of ") + std::to_string(after) + " " + what + ", expected " +
                         std::to_string(before) + " plus or minus a multiple of the stride, " + std::to_string(stride) +
                         ": at other sizes the source network may pad differently");
}

Status CheckWindow(const Window2d& window, const Shape& before, const Shape& after) {
  BNN_RETURN_IF_ERROR(CheckAxis("rows", before[0], after[0], window.stride_h));
  return CheckAxis("columns", before[1], after[1], window.stride_w);
}

// The dims of what was reshaped from `from` to `to`, when `from` becomes `now`; nullopt where they are open.
//
// Both lists of dims are cut at the places where the products of all dims before are equal, which gives pairs of runs
// with the same number of elements: {7,7,512} -> {49,512} is (7,7 -> 49) and (512 -> 512). Where a run's dims stay, so
// does what it becomes; where they change, it has to become a single dim, which is then their product. Dims of 1 are
// runs of their own.
std::optional<Shape> Reshaped(const Shape& from, const Shape& to, const Shape& now) {
  Shape result = to;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    if (i < from.size() && from[i] == 1) {
      if (now[i] != 1) return std::nullopt;
      ++i;
      continue;
    }
    if (j < to.size() && to[j] == 1) {
      ++j;
      continue;
    }
    const size_t first_from = i, first_to = j;
    int64_t elements_from = from[i++], elements_to = to[j++];  // both lists have equal products: neither ends first
    while (elements_from != elements_to) {
      if (elements_from < elements_to) {
        elements_from *= from[i++];
      } else {
        elements_to *= to[j++];
      }
    }
    int64_t elements = 1;
    for (size_t k = first_from; k < i; ++k) elements *= now[k];
    if (std::equal(from.begin() + static_cast<ptrdiff_t>(first_from), from.begin() + static_cast<ptrdiff_t>(i),
                   now.begin() + static_cast<ptrdiff_t>(first_from))) {
      continue;
    }
    if (j - first_to != 1) return std::nullopt;
    result[first_to] = elements;
  }
  return result;
}

// Adapts the parameters of an operator to the new dims of its inputs. One overload for each that has any to adapt or to
// check.
struct Adapt {
  const Shape& before;
  const Shape& after;

  Status operator()(BConv2d& op) const { return CheckWindow(op.window, before, after); }
  Status operator()(Conv2d& op) const { return CheckWindow(op.window, before, after); }
  Status operator()(QConv2d& op) const { return CheckWindow(op.window, before, after); }
  Status operator()(BMaxPool& op) const { return Pool(&op.window); }
  Status operator()(MaxPool& op) const { return Pool(&op.window); }
  Status operator()(AvgPool& op) const { return Pool(&op.window); }
  Status operator()(Slice& op) const {
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == after[i]) continue;
      if (op.begin[i] != 0 || op.end[i] != before[i] || op.step[i] != 1) {
        return InvalidArgument("axis " + std::to_string(i) + ": found " + std::to_string(after[i]) +
                               " elements, expected " + std::to_string(before[i]) + ": it is cut at fixed places");
      }
      op.end[i] = after[i];
    }
    return OkStatus();
  }
  Status operator()(const Resize2d& op) const {
    BNN_RETURN_IF_ERROR(FixedSize("rows", op.height, before[0], after[0]));
    return FixedSize("columns", op.width, before[1], after[1]);
  }
  template <typename Other>
  Status operator()(Other&) const {
    return OkStatus();
  }

  // The source may have computed the size from its input's.
  static Status FixedSize(const char* what, int64_t size, int64_t before, int64_t after) {
    if (size == 0 || before == after) return OkStatus();
    return InvalidArgument("found an input of " + std::to_string(after) + " " + what + ", expected " +
                           std::to_string(before) + ": it makes a map of fixed size");
  }

  Status Pool(Window2d* window) const {
    if (!window->whole_map) return CheckWindow(*window, before, after);
    window->kernel_h = after[0];
    window->kernel_w = after[1];
    return OkStatus();
  }
};

class Resizer {
 public:
  Resizer(const ModelDef& old, ModelDef* model) : old_(old), model_(*model) {}

  Status Run(const std::vector<Shape>& input_dims) {
    BNN_RETURN_IF_ERROR(SetInputs(input_dims));
    for (NodeDef& node : model_.nodes) {
      const Status status = ResizeNode(&node);
      if (status.ok()) continue;
      return InvalidArgument("node '" + node.name + "' (" + OpName(node.op) +
                             ") cannot be resized: " + status.message());
    }
    return OkStatus();
  }

 private:
  const Shape& Before(int tensor) const { return old_.tensors[static_cast<size_t>(tensor)].dims; }
  Shape& After(int tensor) { return model_.tensors[static_cast<size_t>(tensor)].dims; }

  Status SetInputs(const std::vector<Shape>& input_dims) {
    if (input_dims.size() != model_.inputs.size()) {
      return InvalidArgument("inputs: found dims of " + std::to_string(input_dims.size()) + ", expected those of " +
                             std::to_string(model_.inputs.size()));
    }
    for (size_t i = 0; i < input_dims.size(); ++i) {
      const InputDef& input = model_.inputs[i];
      const Shape& before = Before(input.tensor);
      const Shape& after = input_dims[i];
      const std::string found = "input '" + model_.tensors[static_cast<size_t>(input.tensor)].name + "': found " +
                                ShapeText(after) + ", expected ";
      if (after.size() != before.size()) return InvalidArgument(found + "as many axes as " + ShapeText(before));
      int64_t elements = 1;
      for (const int64_t dim : after) {
        if (dim < 1 || dim > kMaxDim || dim > kMaxElements / elements) {
          return InvalidArgument(found + "dims of at least 1 and at most " + std::to_string(kMaxElements) +
                                 " elements");
        }
        elements *= dim;
      }
      // Preprocessing has a value for each channel.
      if (input.layout == ImageLayout::kNchw && before.size() == 3 && after[0] != before[0]) {
        return InvalidArgument(found + std::to_string(before[0]) + " channels");
      }
      if (input.layout == ImageLayout::kNhwc && before.size() == 3 && after[2] != before[2]) {
        return InvalidArgument(found + std::to_string(before[2]) + " channels");
      }
      After(input.tensor) = after;
    }
    return OkStatus();
  }

  Status ResizeNode(NodeDef* node) {
    const Shape& before = Before(node->inputs[0]);
    const Shape& after = After(node->inputs[0]);
    if (std::holds_alternative<Reshape>(node->op)) {
      const std::optional<Shape> dims = Reshaped(before, Before(node->output), after);
      if (!dims) {
        return InvalidArgument("found " + ShapeText(after) + ", expected " + ShapeText(before) +
                               ": it does not only merge the axes that change");
      }
      After(node->output) = *dims;
      return OkStatus();
    }
    BNN_RETURN_IF_ERROR(std::visit(Adapt{before, after}, node->op));
    std::vector<Shape> inputs;
    for (const int input : node->inputs) inputs.push_back(After(input));
    BNN_ASSIGN_OR_RETURN(After(node->output), OutputDims(node->op, inputs, model_.blobs));
    return OkStatus();
  }

  const ModelDef& old_;
  ModelDef& model_;
};

}  // namespace

Result<ModelDef> Resize(const ModelDef& model, const std::vector<Shape>& input_dims) {
  ModelDef resized = model;
  BNN_RETURN_IF_ERROR(Resizer(model, &resized).Run(input_dims));
  return resized;
}

}  // namespace bnn::formats
