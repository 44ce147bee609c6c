// Slicing and padding are one operation: along every axis, index o of the output is index map[o] of the input or, in
// the padding, none. Trailing axes that are taken whole are one run of floats; along the innermost other axis,
// neighbours in the output that are neighbours in the input too are copied together.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

constexpr int64_t kFill = -1;

using AxisMap = std::vector<int64_t>;  // input index, or kFill, for each output index

AxisMap SliceMap(int64_t begin, int64_t end, int64_t step) {
  AxisMap map;
  for (int64_t i = begin; i < end; i += step) map.push_back(i);
  return map;
}

// Reflection does not repeat the border: ... 2 1 | 0 1 2 ... It bounces between the borders as often as needed, with
// the period 2 * (size - 1).
int64_t Reflected(int64_t index, int64_t size) {
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  const int64_t phase = ((index % period) + period) % period;
  return phase < size ? phase : period - phase;
}

// The same with the border repeated: ... 1 0 | 0 1 2 ...
int64_t ReflectedWithBorder(int64_t index, int64_t size) {
  const int64_t period = 2 * size;
  const int64_t phase = ((index % period) + period) % period;
  return phase < size ? phase : period - 1 - phase;
}

AxisMap PadMap(int64_t size, int64_t before, int64_t after, formats::PadMode mode) {
  AxisMap map;
  for (int64_t i = -before; i < size + after; ++i) {
    switch (mode) {
      case formats::PadMode::kConstant:
        map.push_back(i >= 0 && i < size ? i : kFill);
        break;
      case formats::PadMode::kReflect:
        map.push_back(Reflected(i, size));
        break;
      case formats::PadMode::kSymmetric:
        map.push_back(ReflectedWithBorder(i, size));
        break;
      case formats::PadMode::kEdge:
        map.push_back(std::clamp<int64_t>(i, 0, size - 1));
        break;
    }
  }
  return map;
}

// `count` outputs from consecutive inputs, or filled.
struct Segment {
  int64_t source, count;
};

std::vector<Segment> Segments(const AxisMap& map) {
  std::vector<Segment> segments;
  for (const int64_t source : map) {
    if (!segments.empty()) {
      Segment& last = segments.back();
      const bool joins =
          source == kFill ? last.source == kFill : last.source != kFill && source == last.source + last.count;
      if (joins) {
        ++last.count;
        continue;
      }
    }
    segments.push_back({source, 1});
  }
  return segments;
}

class AxisMapStep final : public Step {
 public:
  AxisMapStep(const StepContext& context, const FloatNode& node, std::vector<AxisMap> maps, float fill) : fill_(fill) {
    std::vector<int64_t> dims = context.Tensor(node.inputs[0]).dims;
    const auto is_whole = [](const AxisMap& map, int64_t size) {
      return static_cast<int64_t>(map.size()) == size && (size == 0 || (map.front() == 0 && Segments(map).size() == 1));
    };
    while (!maps.empty() && is_whole(maps.back(), dims.back())) {
      run_ *= dims.back();
      maps.pop_back();
      dims.pop_back();
    }
    if (!maps.empty()) {
      segments_ = Segments(maps.back());
      row_ = static_cast<int64_t>(maps.back().size()) * run_;
      in_stride_ = dims.back() * run_;
      maps.pop_back();
      dims.pop_back();
    } else {
      segments_ = {{0, 1}};
      row_ = in_stride_ = run_;
    }
    // The batch is one more axis in front, taken whole.
    maps.insert(maps.begin(), SliceMap(0, context.plan.batch, 1));
    dims.insert(dims.begin(), context.plan.batch);
    for (size_t i = 0; i < maps.size(); ++i) rows_ *= static_cast<int64_t>(maps[i].size());
    outer_dims_ = std::move(dims);
    outer_ = std::move(maps);
    inputs = {node.inputs[0]};
    outputs = {node.output};
    description.name = node.name;
    description.kernel = "plain";
    description.shape =
        DimsText(context.Tensor(node.inputs[0]).dims) + " -> " + DimsText(context.Tensor(node.output).dims);
  }

  Status Run(const RunContext& context) const override {
    const float* in = context.Floats(inputs[0]);
    float* out = context.Floats(outputs[0]);
    ParallelItems(*context.pool, rows_, row_, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) WriteRow(in, row, out + row * row_);
    });
    return OkStatus();
  }

 private:
  void WriteRow(const float* in, int64_t row, float* out) const {
    int64_t in_row = 0, scale = 1;
    for (size_t i = outer_.size(); i-- > 0;) {
      const auto size = static_cast<int64_t>(outer_[i].size());
      const int64_t source = outer_[i][static_cast<size_t>(row % size)];
      if (source == kFill) {
        std::fill_n(out, row_, fill_);
        return;
      }
      in_row += source * scale;
      scale *= outer_dims_[i];
      row /= size;
    }
    const float* from = in + in_row * in_stride_;
    for (const Segment& segment : segments_) {
      const int64_t floats = segment.count * run_;
      if (segment.source == kFill) {
        std::fill_n(out, floats, fill_);
      } else {
        std::memcpy(out, from + segment.source * run_, static_cast<size_t>(floats) * sizeof(float));
      }
      out += floats;
    }
  }

  const float fill_;
  int64_t run_ = 1;        // floats of the trailing axes that are taken whole
  int64_t row_ = 0;        // floats of the output along the innermost mapped axis
  int64_t in_stride_ = 0;  // floats of the input along it
  int64_t rows_ = 1;       // of the output, all samples
  std::vector<Segment> segments_;
  std::vector<AxisMap> outer_;       // the axes before, the batch first
  std::vector<int64_t> outer_dims_;  // their sizes in the input
};

}  // namespace

Result<StepPtr> MakeSlice(StepContext& context, const FloatNode& node, const formats::Slice& op) {
  std::vector<AxisMap> maps;
  for (size_t i = 0; i < op.begin.size(); ++i) maps.push_back(SliceMap(op.begin[i], op.end[i], op.step[i]));
  auto step = std::make_unique<AxisMapStep>(context, node, std::move(maps), 0.0f);
  step->description.op = "slice";
  const std::vector<int64_t>& dims = context.Tensor(node.inputs[0]).dims;
  bool takes_channels = !dims.empty() && op.step.back() == 1;
  for (size_t i = 0; i + 1 < dims.size(); ++i) {
    takes_channels = takes_channels && op.begin[i] == 0 && op.end[i] == dims[i] && op.step[i] == 1;
  }
  if (takes_channels) step->first_taken_channel = op.begin.back();
  step->description.input_bytes =
      context.plan.batch * formats::ElementCount(context.Tensor(node.output).dims) * int64_t{sizeof(float)};
  return StepPtr(std::move(step));
}

Result<StepPtr> MakePad(StepContext& context, const FloatNode& node, const formats::Pad& op) {
  const std::vector<int64_t>& dims = context.Tensor(node.inputs[0]).dims;
  std::vector<AxisMap> maps;
  for (size_t i = 0; i < dims.size(); ++i) maps.push_back(PadMap(dims[i], op.before[i], op.after[i], op.mode));
  auto step = std::make_unique<AxisMapStep>(context, node, std::move(maps), op.value);
  step->description.op = "pad";
  return StepPtr(std::move(step));
}

}  // namespace bnn::engine
