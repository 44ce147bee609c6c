#include "formats/lower/channel_add.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "formats/lower/model_edit.h"

namespace bnn::formats {
namespace {

class Rewriter {
 public:
  explicit Rewriter(ModelDef* model) : edit_(model) {}

  void Run() {
    for (size_t n = 0; n < edit_.num_nodes(); ++n) {
      const auto* binary = std::get_if<Binary>(&edit_.node(n).op);
      if (binary == nullptr || binary->kind != BinaryKind::kAdd || binary->constant != kNone) continue;
      const std::vector<int> operands = edit_.node(n).inputs;
      if (!Rewrite(n, operands[0], operands[1])) Rewrite(n, operands[1], operands[0]);
    }
    edit_.Finish();
  }

 private:
  bool Rewrite(size_t add, int wide, int padded) {
    const std::optional<size_t> pad = edit_.Producer(padded);
    if (!pad || !edit_.OnlyReader(padded) || !PadsChannelsWithZeros(edit_.node(*pad)) || !EndsWith(wide, add) ||
        edit_.tensor(wide).dims != edit_.tensor(padded).dims) {
      return false;
    }
    const NodeDef sum = edit_.node(add);
    const int narrow = edit_.node(*pad).inputs[0];
    const int64_t first = std::get<Pad>(edit_.node(*pad).op).before.back();
    const int64_t last = first + edit_.tensor(narrow).dims.back();
    const int64_t channels = edit_.tensor(wide).dims.back();
    std::vector<int> parts;
    if (first > 0) parts.push_back(AddSlice(add, wide, 0, first));
    const int there = AddSlice(add, wide, first, last);
    const int changed =
        edit_.AddTensor(edit_.tensor(sum.output).name + "/changed", ElementType::kFloat32, edit_.tensor(narrow).dims);
    edit_.InsertBefore(add, {sum.name, Binary{BinaryKind::kAdd}, {narrow, there}, changed});
    parts.push_back(changed);
    if (last < channels) parts.push_back(AddSlice(add, wide, last, channels));
    edit_.InsertBefore(add, {sum.name, Concat{std::ssize(edit_.tensor(wide).dims) - 1}, parts, sum.output});
    edit_.Drop(add);
    edit_.Drop(*pad);
    return true;
  }

  // With less than all channels; a map as wide is an ordinary operand.
  static bool PadsChannelsWithZeros(const NodeDef& node) {
    const auto* pad = std::get_if<Pad>(&node.op);
    if (pad == nullptr || pad->mode != PadMode::kConstant || pad->value != 0 || pad->before.empty()) return false;
    const auto is_zero = [](int64_t count) { return count == 0; };
    return std::all_of(pad->before.begin(), pad->before.end() - 1, is_zero) &&
           std::all_of(pad->after.begin(), pad->after.end() - 1, is_zero) && pad->before.back() + pad->after.back() > 0;
  }

  // Whether node `n` is the last that needs the tensor, which is none of the caller's.
  bool EndsWith(int tensor, size_t n) const {
    const std::vector<size_t> readers = edit_.Readers(tensor);
    return edit_.Producer(tensor) && std::count(readers.begin(), readers.end(), n) == 1 &&
           std::all_of(readers.begin(), readers.end(), [n](size_t reader) { return reader <= n; });
  }

  int AddSlice(size_t before, int wide, int64_t first, int64_t last) {
    std::vector<int64_t> dims = edit_.tensor(wide).dims;
    Slice slice{std::vector<int64_t>(dims.size(), 0), dims, std::vector<int64_t>(dims.size(), 1)};
    slice.begin.back() = first;
    slice.end.back() = last;
    dims.back() = last - first;
    const std::string name = edit_.tensor(wide).name + "/" + std::to_string(first);
    const int part = edit_.AddTensor(name, ElementType::kFloat32, std::move(dims));
    edit_.InsertBefore(before, {name, std::move(slice), {wide}, part});
    return part;
  }

  ModelEdit edit_;
};

}  // namespace

void AddInPlaceOfPadding(ModelDef* model) { Rewriter(model).Run(); }

}  // namespace bnn::formats
