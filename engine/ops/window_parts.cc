#include "engine/ops/window_parts.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace bnn::engine {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

Result<WindowShape> WindowShapeOf(const StepContext& context, const FloatNode& node, const formats::Window2d& window) {
  const std::vector<int64_t>& in = context.Tensor(node.inputs[0]).dims;
  const std::vector<int64_t>& out = context.Tensor(node.output).dims;
  if (in.size() != 3 || out.size() != 3) {
    return InvalidModel(node.name + ": expected feature maps {h, w, c}, got " + DimsText(in) + " -> " + DimsText(out));
  }
  return WindowShape{context.plan.batch, in[0], in[1], in[2], out[0], out[1], out[2], window};
}

std::string ShapeText(const WindowShape& s) {
  return DimsText({s.in_h, s.in_w, s.in_c}) + " -> " + DimsText({s.out_h, s.out_w, s.out_c}) + ", " +
         WindowText(s.window);
}

bool SameShape(const WindowShape& a, const WindowShape& b) {
  // Parts of one operation: their width and channels are equal.
  return a.batch == b.batch && a.in_h == b.in_h && a.out_h == b.out_h && a.window.pad_top == b.window.pad_top &&
         a.window.pad_bottom == b.window.pad_bottom;
}

int64_t WindowWork(const WindowShape& s, int64_t macs, int64_t bytes_per_element) {
  const int64_t elements = s.batch * (s.in_h * s.in_w * s.in_c + s.out_h * s.out_w * s.out_c);
  return macs + 2 * bytes_per_element * elements;
}

// Output rows [r0, r1) read the input rows [r0 * stride - pad_top, (r1 - 1) * stride - pad_top + reach). What of that
// lies outside of the map are the pads of the strip:
//
//        ----------------  row r0 * stride - pad_top
//        :  pad_top'    :
//        ================  row 0 of the map          (first strips)
//        |  in_h' rows  |
//        ----------------  row (r1 - 1) * stride - pad_top + reach      (less than in_h: pad_bottom' = 0)
//
// With pads smaller than the reach every window touches the map, so in_h' >= 1.
std::vector<WindowPart> CutWindow(const WindowShape& shape, int64_t work) {
  const formats::Window2d& w = shape.window;
  const int64_t in_sample = shape.in_h * shape.in_w * shape.in_c;
  const int64_t out_sample = shape.out_h * shape.out_w * shape.out_c;
  const int64_t sample_work = std::max<int64_t>(1, work / shape.batch);
  const int64_t pixels = shape.out_h * shape.out_w;
  std::vector<WindowPart> parts;

  const bool can_cut_rows = w.pad_top < shape.reach_h() && w.pad_bottom < shape.reach_h();
  if (sample_work < 2 * kPartMacs || pixels < 2 * kPartPixels || shape.out_h == 1 || !can_cut_rows) {
    const int64_t group = std::min(shape.batch, CeilDiv(kPartMacs, sample_work));
    for (int64_t n = 0; n < shape.batch; n += group) {
      WindowPart part{shape, n * in_sample, n * out_sample};
      part.shape.batch = std::min(group, shape.batch - n);
      parts.push_back(part);
    }
    return parts;
  }

  const int64_t most = std::min({sample_work / kPartMacs, shape.out_h, kMaxParts, pixels / kPartPixels});
  const auto strips = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(most)));
  const int64_t rows = CeilDiv(shape.out_h, strips);
  for (int64_t n = 0; n < shape.batch; ++n) {
    for (int64_t r0 = 0; r0 < shape.out_h; r0 += rows) {
      const int64_t r1 = std::min(r0 + rows, shape.out_h);
      const int64_t top = r0 * w.stride_h - w.pad_top;
      const int64_t bottom = (r1 - 1) * w.stride_h - w.pad_top + shape.reach_h();
      const int64_t first = std::max<int64_t>(top, 0);
      WindowPart part{shape, n * in_sample + first * shape.in_w * shape.in_c,
                      n * out_sample + r0 * shape.out_w * shape.out_c};
      part.shape.batch = 1;
      part.shape.in_h = std::min(bottom, shape.in_h) - first;
      part.shape.out_h = r1 - r0;
      part.shape.window.pad_top = first - top;
      part.shape.window.pad_bottom = std::max<int64_t>(bottom - shape.in_h, 0);
      parts.push_back(part);
    }
  }
  return parts;
}

}  // namespace bnn::engine
