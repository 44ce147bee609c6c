#include "formats/importers/map_axes.h"

#include "formats/importers/graph_builder.h"

namespace bnn::formats {
namespace {

bool IsMap(const Dims& dims) { return dims.size() == 4; }

}  // namespace

SourceNode TransposeToMap(const std::string& file_value) {
  SourceNode node = MakeNode("Transpose", {file_value});
  node.attributes["perm"] = std::vector<int64_t>{0, 3, 1, 2};
  return node;
}

SourceNode TransposeToFile(const std::string& map_value) {
  SourceNode node = MakeNode("Transpose", {map_value});
  node.attributes["perm"] = std::vector<int64_t>{0, 2, 3, 1};
  return node;
}

Dims MapDimsOf(const Dims& file_dims) {
  if (!IsMap(file_dims)) return file_dims;
  return {file_dims[0], file_dims[3], file_dims[1], file_dims[2]};
}

Dims FileDimsOf(const Dims& map_dims) {
  if (!IsMap(map_dims)) return map_dims;
  return {map_dims[0], map_dims[2], map_dims[3], map_dims[1]};
}

int64_t MapAxis(size_t rank, int64_t file_axis) {
  constexpr int64_t kPositions[] = {0, 2, 3, 1};
  return rank == 4 ? kPositions[file_axis] : file_axis;
}

Tensor ToMapOrder(Tensor tensor) {
  if (!IsMap(tensor.dims)) return tensor;
  Tensor out = tensor;
  out.dims = MapDimsOf(tensor.dims);
  const int64_t pixels = tensor.dims[1] * tensor.dims[2], channels = tensor.dims[3];
  size_t next = 0;
  for (int64_t n = 0; n < tensor.dims[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p, ++next) {
        const auto from = static_cast<size_t>((n * pixels + p) * channels + c);
        if (tensor.type == DType::kFloat32) {
          out.floats[next] = tensor.floats[from];
        } else {
          out.integers[next] = tensor.integers[from];
        }
      }
    }
  }
  return out;
}

bool SameInBothOrders(const Dims& file_dims) {
  return !IsMap(file_dims) || file_dims[3] == 1 || file_dims[1] * file_dims[2] == 1;
}

}  // namespace bnn::formats
