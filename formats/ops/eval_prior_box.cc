// PriorBox and PriorBoxClustered: the same few boxes around the center of each cell of a map, as parts of the image, in
// float32 as OpenVINO computes them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/ops/evaluator.h"
#include "formats/ops/prior_box.h"

namespace bnn::formats {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 24;  // a float32 counts them
constexpr int64_t kMaxBoxesPerCell = 1 << 16;
constexpr size_t kMaxNumbers = 1024;  // of an attribute: what they give multiplied stays small

struct Size {
  int64_t height = 0, width = 0;
};

// A box of each cell, in pixels: its center from the cell's, half of its size.
struct CellBox {
  float x = 0, y = 0;
  float half_width = 0, half_height = 0;
  bool inside = false;  // cut at the border of the image
};

Result<Size> ReadSize(const SourceNode& node, const char* what, const Tensor& tensor) {
  if (tensor.type != DType::kInt64 || tensor.size() != 2) {
    return NodeError(node, std::string(what) + " has dims " + DimsToString(tensor.dims) + ", expected two integers");
  }
  const Size size{tensor.integers[0], tensor.integers[1]};
  if (size.height < 1 || size.width < 1 || size.height > kMaxPixels || size.width > kMaxPixels) {
    return NodeError(node, std::string(what) + " is " + DimsToString(tensor.integers) + ", expected each from 1 to " +
                               std::to_string(kMaxPixels));
  }
  return size;
}

// The numbers of an attribute, each in [low, high].
Result<std::vector<float>> NumbersBetween(const SourceNode& node, const char* key, float low, float high) {
  std::vector<float> values = node.Floats(key, {});
  if (values.size() > kMaxNumbers) return NodeError(node, std::string("attribute '") + key + "' has too many numbers");
  for (const float value : values) {
    if (value >= low && value <= high) continue;
    return NodeError(node, std::string("attribute '") + key + "' has " + std::to_string(value) + ", expected " +
                               std::to_string(low) + " to " + std::to_string(high));
  }
  return values;
}

constexpr float kLargest = 1e9F;
constexpr float kSmallest = 1e-6F;

Status CheckStep(const SourceNode& node, const char* key, float least) {
  const float step = node.Float(key, 0);
  if (step >= least && step <= kLargest) return OkStatus();
  return NodeError(node, std::string("attribute '") + key + "' is " + std::to_string(step));
}

// The aspect ratios besides 1, each once, followed by its inverse with `flip`.
Result<std::vector<float>> OtherRatios(const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::vector<float> given, NumbersBetween(node, "aspect_ratio", kSmallest, kLargest));
  std::vector<float> ratios;
  const bool flip = node.Int("flip", 0) != 0;
  const auto is_known = [&](float ratio) {
    return std::fabs(ratio - 1) < 1e-6F ||
           std::any_of(ratios.begin(), ratios.end(), [&](float known) { return std::fabs(ratio - known) < 1e-6F; });
  };
  for (const float ratio : given) {
    if (is_known(ratio)) continue;
    ratios.push_back(ratio);
    if (flip) ratios.push_back(1 / ratio);
  }
  return ratios;
}

struct BoxSizes {
  std::vector<float> min, max, fixed, fixed_ratios, densities, ratios;
  bool scale_all = true;
};

Result<BoxSizes> ReadSizes(const SourceNode& node) {
  BoxSizes sizes;
  BNN_ASSIGN_OR_RETURN(sizes.min, NumbersBetween(node, "min_size", 0, kLargest));
  BNN_ASSIGN_OR_RETURN(sizes.max, NumbersBetween(node, "max_size", 0, kLargest));
  BNN_ASSIGN_OR_RETURN(sizes.fixed, NumbersBetween(node, "fixed_size", 1, kLargest));
  BNN_ASSIGN_OR_RETURN(sizes.fixed_ratios, NumbersBetween(node, "fixed_ratio", kSmallest, kLargest));
  BNN_ASSIGN_OR_RETURN(sizes.densities, NumbersBetween(node, "density", 1, 256));
  BNN_ASSIGN_OR_RETURN(sizes.ratios, OtherRatios(node));
  sizes.scale_all = node.Int("scale_all_sizes", 1) != 0;
  if (!sizes.fixed.empty() && sizes.densities.size() != sizes.fixed.size()) {
    return NodeUnsupported(node, "has " + std::to_string(sizes.fixed.size()) + " fixed sizes and " +
                                     std::to_string(sizes.densities.size()) + " densities");
  }
  return sizes;
}

// How many boxes OpenVINO makes space for. For some sets of attributes it is another number than it fills.
int64_t StatedBoxes(const BoxSizes& sizes) {
  const auto ratios = static_cast<int64_t>(sizes.ratios.size()) + 1;
  const auto min_sizes = static_cast<int64_t>(sizes.min.size());
  int64_t count =
      sizes.scale_all ? ratios * min_sizes + static_cast<int64_t>(sizes.max.size()) : ratios + min_sizes - 1;
  if (!sizes.fixed.empty()) count = ratios * static_cast<int64_t>(sizes.fixed.size());
  for (const float density : sizes.densities) {
    const int64_t more = static_cast<int64_t>(density) * static_cast<int64_t>(density) - 1;
    count += more * (sizes.fixed_ratios.empty() ? ratios : static_cast<int64_t>(sizes.fixed_ratios.size()));
  }
  return count;
}

// density x density boxes of a size, spread over a square of that size.
void AddSpread(float size, int64_t density, float ratio, std::vector<CellBox>* boxes) {
  const auto whole = static_cast<int64_t>(size);
  const auto shift = static_cast<float>(whole / density);
  const float first = static_cast<float>(-(whole / 2)) + shift / 2;
  const float root = std::sqrt(ratio);
  for (int64_t r = 0; r < density; ++r) {
    for (int64_t c = 0; c < density; ++c) {
      boxes->push_back({first + static_cast<float>(c) * shift, first + static_cast<float>(r) * shift,
                        size * 0.5F * root, size * 0.5F / root, true});
    }
  }
}

// `scale` is what minimal sizes are multiplied with.
std::vector<CellBox> BoxesOfCell(const SourceNode& node, const BoxSizes& sizes, float scale) {
  std::vector<CellBox> boxes;
  for (size_t i = 0; i < sizes.fixed.size(); ++i) {
    const auto density = static_cast<int64_t>(sizes.densities[i]);
    // Squares have a size of whole pixels.
    if (sizes.fixed_ratios.empty()) AddSpread(std::floor(sizes.fixed[i]), density, 1, &boxes);
    for (const float ratio : sizes.fixed_ratios.empty() ? sizes.ratios : sizes.fixed_ratios) {
      AddSpread(sizes.fixed[i], density, ratio, &boxes);
    }
  }
  const bool max_first = node.Int("min_max_aspect_ratios_order", 1) != 0;
  for (size_t i = 0; i < sizes.min.size(); ++i) {
    const float size = sizes.min[i] * scale;
    const auto add_max = [&] {
      if (i >= sizes.max.size()) return;
      const float half = std::sqrt(size * sizes.max[i]) * 0.5F;
      boxes.push_back({0, 0, half, half});
    };
    boxes.push_back({0, 0, size * 0.5F, size * 0.5F});
    if (max_first) add_max();
    if (sizes.scale_all || i + 1 == sizes.min.size()) {
      const float half = (sizes.scale_all ? size : sizes.min[0] * scale) * 0.5F;
      for (const float ratio : sizes.ratios) {
        boxes.push_back({0, 0, half * std::sqrt(ratio), half / std::sqrt(ratio)});
      }
    }
    if (!max_first) add_max();
  }
  return boxes;
}

Result<std::vector<CellBox>> CellBoxes(const SourceNode& node, const Size& image) {
  BNN_ASSIGN_OR_RETURN(const BoxSizes sizes, ReadSizes(node));
  const int64_t stated = StatedBoxes(sizes);
  if (stated < 1 || stated > kMaxBoxesPerCell) {
    return NodeError(
        node, "makes " + std::to_string(stated) + " boxes a cell, expected 1 to " + std::to_string(kMaxBoxesPerCell));
  }
  std::vector<CellBox> boxes = BoxesOfCell(node, sizes, sizes.scale_all ? 1.0F : static_cast<float>(image.height));
  if (static_cast<int64_t>(boxes.size()) == stated) return boxes;
  return NodeUnsupported(node, "its attributes ask for " + std::to_string(boxes.size()) +
                                   " boxes a cell, for which OpenVINO has space for " + std::to_string(stated));
}

Result<std::vector<CellBox>> ClusteredBoxes(const SourceNode& node) {
  BNN_ASSIGN_OR_RETURN(const std::vector<float> widths, NumbersBetween(node, "width", 0, kLargest));
  BNN_ASSIGN_OR_RETURN(const std::vector<float> heights, NumbersBetween(node, "height", 0, kLargest));
  if (widths.empty() || widths.size() != heights.size()) {
    return NodeError(
        node, "has " + std::to_string(widths.size()) + " widths and " + std::to_string(heights.size()) + " heights");
  }
  std::vector<CellBox> boxes;
  for (size_t i = 0; i < widths.size(); ++i) boxes.push_back({0, 0, widths[i] / 2, heights[i] / 2});
  return boxes;
}

Result<Dims> DimsOfBoxes(const SourceNode& node, const Size& map, size_t boxes) {
  const auto per_cell = static_cast<int64_t>(boxes) * 4;  // below 2^19; map dims below 2^25
  const int64_t cells = map.height * map.width;
  if (cells > kMaxEvaluatedElements / 2 / per_cell) {
    return NodeError(node, "makes more than " + std::to_string(kMaxEvaluatedElements) + " numbers");
  }
  return Dims{2, cells * per_cell};
}

// Centers lie at (cell + offset) * step.
struct Grid {
  float step_x = 0, step_y = 0, offset = 0;
};

Grid PriorBoxGrid(const SourceNode& node, const Size& map, const Size& image) {
  float step = node.Float("step", 0);
  const auto height = static_cast<float>(image.height);
  if (node.Int("scale_all_sizes", 1) == 0) step = step == -1 ? height / static_cast<float>(map.height) : step * height;
  if (step != 0) return {step, step, node.Float("offset", 0)};
  return {static_cast<float>(image.width) / static_cast<float>(map.width), height / static_cast<float>(map.height),
          0.5F};
}

Grid ClusteredGrid(const SourceNode& node, const Size& map, const Size& image) {
  Grid grid{node.Float("step_w", 0), node.Float("step_h", 0), node.Float("offset", 0)};
  if (grid.step_x == 0 && grid.step_y == 0) {
    grid.step_x = static_cast<float>(image.width) / static_cast<float>(map.width);
    grid.step_y = static_cast<float>(image.height) / static_cast<float>(map.height);
  }
  return grid;
}

Result<OutputTensors> FillBoxes(const SourceNode& node, const Size& map, const Size& image,
                                const std::vector<CellBox>& boxes, const Grid& grid) {
  BNN_ASSIGN_OR_RETURN(Dims dims, DimsOfBoxes(node, map, boxes.size()));
  BNN_ASSIGN_OR_RETURN(std::vector<float> variances, NumbersBetween(node, "variance", 0, kLargest));
  if (variances.empty()) variances = {0.1F};
  if (variances.size() != 1 && variances.size() != 4) {
    return NodeError(node, "has " + std::to_string(variances.size()) + " variances, expected 1 or 4");
  }
  BNN_ASSIGN_OR_RETURN(Tensor out, AllocateOutput(node, DType::kFloat32, std::move(dims)));
  const bool clip = node.Int("clip", 0) != 0;
  const float x_scale = 1 / static_cast<float>(image.width), y_scale = 1 / static_cast<float>(image.height);
  size_t at = 0;
  for (int64_t row = 0; row < map.height; ++row) {
    for (int64_t column = 0; column < map.width; ++column) {
      for (const CellBox& box : boxes) {
        const float x = (static_cast<float>(column) + grid.offset) * grid.step_x + box.x;
        const float y = (static_cast<float>(row) + grid.offset) * grid.step_y + box.y;
        float corners[] = {(x - box.half_width) * x_scale, (y - box.half_height) * y_scale,
                           (x + box.half_width) * x_scale, (y + box.half_height) * y_scale};
        if (box.inside) {
          for (int i = 0; i < 2; ++i) corners[i] = std::max(corners[i], 0.0F);
          for (int i = 2; i < 4; ++i) corners[i] = std::min(corners[i], 1.0F);
        }
        for (const float corner : corners) out.floats[at++] = clip ? std::clamp(corner, 0.0F, 1.0F) : corner;
      }
    }
  }
  const size_t values = at;
  for (size_t i = 0; i < values; ++i) out.floats[at++] = variances[variances.size() == 1 ? 0 : i % 4];
  return OutputTensors{std::move(out)};
}

struct Sizes {
  Size map, image;
};

// Checks what PriorBoxDims() promises of the inputs and steps.
Result<Sizes> ReadInputs(const SourceNode& node, const Tensor& map, const Tensor& image) {
  Sizes sizes;
  BNN_ASSIGN_OR_RETURN(sizes.map, ReadSize(node, "the map's size", map));
  BNN_ASSIGN_OR_RETURN(sizes.image, ReadSize(node, "the image's size", image));
  BNN_RETURN_IF_ERROR(CheckStep(node, "step", -1));
  BNN_RETURN_IF_ERROR(CheckStep(node, "step_w", 0));
  BNN_RETURN_IF_ERROR(CheckStep(node, "step_h", 0));
  BNN_RETURN_IF_ERROR(CheckStep(node, "offset", -kLargest));
  return sizes;
}

Result<std::vector<CellBox>> AnyBoxes(const SourceNode& node, const Size& image) {
  return node.op == "PriorBox" ? CellBoxes(node, image) : ClusteredBoxes(node);
}

}  // namespace

Result<Dims> PriorBoxDims(const SourceNode& node, const Tensor& map, const Tensor& image) {
  BNN_ASSIGN_OR_RETURN(const Sizes sizes, ReadInputs(node, map, image));
  BNN_ASSIGN_OR_RETURN(const std::vector<CellBox> boxes, AnyBoxes(node, sizes.image));
  return DimsOfBoxes(node, sizes.map, boxes.size());
}

Result<OutputTensors> EvaluatePriorBox(const SourceNode& node, const InputTensors& inputs) {
  BNN_ASSIGN_OR_RETURN(const Sizes sizes, ReadInputs(node, *inputs[0], *inputs[1]));
  BNN_ASSIGN_OR_RETURN(const std::vector<CellBox> boxes, AnyBoxes(node, sizes.image));
  return FillBoxes(node, sizes.map, sizes.image, boxes, PriorBoxGrid(node, sizes.map, sizes.image));
}

Result<OutputTensors> EvaluatePriorBoxClustered(const SourceNode& node, const InputTensors& inputs) {
  BNN_ASSIGN_OR_RETURN(const Sizes sizes, ReadInputs(node, *inputs[0], *inputs[1]));
  BNN_ASSIGN_OR_RETURN(const std::vector<CellBox> boxes, AnyBoxes(node, sizes.image));
  return FillBoxes(node, sizes.map, sizes.image, boxes, ClusteredGrid(node, sizes.map, sizes.image));
}

}  // namespace bnn::formats
