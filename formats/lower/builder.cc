#include "formats/lower/builder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "formats/validate.h"

namespace bnn::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "blobs are copied as little-endian");

constexpr int64_t kWordBits = 32;

// New indices for the used elements of a list: kNone for the others.
std::vector<int> Renumber(const std::vector<bool>& used) {
  std::vector<int> renumbered(used.size(), kNone);
  int next = 0;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) renumbered[i] = next++;
  }
  return renumbered;
}

template <typename T>
void KeepUsed(std::vector<T>* list, const std::vector<bool>& used) {
  std::vector<T> kept;
  for (size_t i = 0; i < list->size(); ++i) {
    if (used[i]) kept.push_back(std::move((*list)[i]));
  }
  *list = std::move(kept);
}

}  // namespace

std::string UniqueName(const std::string& name, std::set<std::string>* used) {
  const std::string base = name.substr(0, static_cast<size_t>(kMaxNameBytes) - 16);
  std::string unique = base;
  for (int i = 2; !used->insert(unique).second; ++i) unique = base + "#" + std::to_string(i);
  return unique;
}

std::vector<int*> BlobsOf(Op* op) {
  return std::visit(
      [](auto& o) -> std::vector<int*> {
        using T = std::decay_t<decltype(o)>;
        if constexpr (std::is_same_v<T, BConv2d> || std::is_same_v<T, BDense>) {
          return {&o.weights};
        } else if constexpr (std::is_same_v<T, Binarize>) {
          return {&o.thresholds};
        } else if constexpr (std::is_same_v<T, Unpack>) {
          return {&o.low, &o.high, &o.values};
        } else if constexpr (std::is_same_v<T, Conv2d> || std::is_same_v<T, Dense> ||
                             std::is_same_v<T, ConvTranspose2d>) {
          return {&o.weights, &o.bias};
        } else if constexpr (std::is_same_v<T, Affine>) {
          return {&o.scale, &o.bias};
        } else if constexpr (std::is_same_v<T, PRelu>) {
          return {&o.slope};
        } else if constexpr (std::is_same_v<T, Binary>) {
          return {&o.constant};
        } else if constexpr (std::is_same_v<T, QConv2d> || std::is_same_v<T, QDense>) {
          return {&o.weights, &o.weight_scales, &o.bias};
        } else if constexpr (std::is_same_v<T, FakeQuantize>) {
          return {&o.input_low, &o.input_high, &o.output_low, &o.output_high};
        } else if constexpr (std::is_same_v<T, DetectionOutput>) {
          return {&o.priors};
        } else {
          return {};
        }
      },
      *op);
}

int ModelBuilder::AddInput(const std::string& name, std::vector<int64_t> dims, ImageLayout layout) {
  const int index = static_cast<int>(model_.tensors.size());
  model_.tensors.push_back({name, ElementType::kFloat32, std::move(dims)});
  InputDef input;
  input.tensor = index;
  input.layout = layout;
  model_.inputs.push_back(input);
  return index;
}

Result<int> ModelBuilder::AddNode(const std::string& node, Op op, const std::vector<int>& inputs,
                                  const std::string& value) {
  std::vector<std::vector<int64_t>> dims;
  std::vector<ElementType> types;
  for (const int input : inputs) {
    dims.push_back(tensor(input).dims);
    types.push_back(tensor(input).type);
  }
  Result<std::vector<int64_t>> out = OutputDims(op, dims, model_.blobs);
  const Result<ElementType> type = OutputType(op, types);
  for (const Status& status : {out.status(), type.status()}) {
    if (!status.ok()) return Status(status.code(), "node '" + node + "': " + status.message());
  }
  return Append(node, std::move(op), inputs, {UniqueName(value, &used_names_), *type, std::move(*out)});
}

int ModelBuilder::AddReshape(const std::string& node, int input, std::vector<int64_t> dims, const std::string& value) {
  return Append(node, Reshape{}, {input}, {UniqueName(value, &used_names_), tensor(input).type, std::move(dims)});
}

int ModelBuilder::Append(const std::string& node, Op op, const std::vector<int>& inputs, TensorDef output) {
  const int index = static_cast<int>(model_.tensors.size());
  model_.tensors.push_back(std::move(output));
  model_.nodes.push_back({node, std::move(op), inputs, index});
  return index;
}

int ModelBuilder::AddFloats(std::vector<int64_t> dims, const std::vector<float>& values) {
  return AddBlob(&model_, ElementType::kFloat32, std::move(dims), values);
}

int ModelBuilder::AddInt8(std::vector<int64_t> dims, const std::vector<int8_t>& values) {
  return AddBlob(&model_, ElementType::kInt8, std::move(dims), values);
}

int ModelBuilder::AddBits(std::vector<int64_t> dims, const std::vector<bool>& bits) {
  const int64_t rows = dims[0];
  const int64_t columns = static_cast<int64_t>(bits.size()) / rows;
  const int64_t row_words = (columns + kWordBits - 1) / kWordBits;
  std::vector<uint32_t> words(static_cast<size_t>(rows * row_words), 0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      if (!bits[static_cast<size_t>(r * columns + c)]) continue;
      words[static_cast<size_t>(r * row_words + c / kWordBits)] |= uint32_t{1} << (c % kWordBits);
    }
  }
  return AddBlob(&model_, ElementType::kBits, std::move(dims), words);
}

void ModelBuilder::AddOutput(int tensor, const std::string& name) {
  model_.tensors[static_cast<size_t>(tensor)].name = name;
  model_.outputs.push_back(tensor);
}

bool ModelBuilder::IsInputOrOutput(int tensor) const {
  const auto is_tensor = [&](const InputDef& input) { return input.tensor == tensor; };
  return std::any_of(model_.inputs.begin(), model_.inputs.end(), is_tensor) ||
         std::find(model_.outputs.begin(), model_.outputs.end(), tensor) != model_.outputs.end();
}

ModelDef ModelBuilder::Take() {
  used_names_.clear();
  return std::exchange(model_, {});
}

void RemoveUnused(ModelDef* model) {
  std::vector<bool> tensors(model->tensors.size(), false);
  std::vector<bool> nodes(model->nodes.size(), false);
  std::vector<bool> blobs(model->blobs.size(), false);
  for (const InputDef& input : model->inputs) tensors[static_cast<size_t>(input.tensor)] = true;
  for (const int output : model->outputs) tensors[static_cast<size_t>(output)] = true;
  for (size_t i = model->nodes.size(); i-- > 0;) {
    NodeDef& node = model->nodes[i];
    nodes[i] = tensors[static_cast<size_t>(node.output)];
    if (!nodes[i]) continue;
    for (const int input : node.inputs) tensors[static_cast<size_t>(input)] = true;
    for (const int* blob : BlobsOf(&node.op)) {
      if (*blob != kNone) blobs[static_cast<size_t>(*blob)] = true;
    }
  }
  const std::vector<int> new_tensor = Renumber(tensors);
  const std::vector<int> new_blob = Renumber(blobs);
  KeepUsed(&model->nodes, nodes);
  KeepUsed(&model->tensors, tensors);
  KeepUsed(&model->blobs, blobs);
  for (NodeDef& node : model->nodes) {
    for (int& input : node.inputs) input = new_tensor[static_cast<size_t>(input)];
    node.output = new_tensor[static_cast<size_t>(node.output)];
    for (int* blob : BlobsOf(&node.op)) {
      if (*blob != kNone) *blob = new_blob[static_cast<size_t>(*blob)];
    }
  }
  for (InputDef& input : model->inputs) input.tensor = new_tensor[static_cast<size_t>(input.tensor)];
  for (int& output : model->outputs) output = new_tensor[static_cast<size_t>(output)];
}

}  // namespace bnn::formats
