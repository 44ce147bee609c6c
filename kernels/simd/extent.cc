#include "kernels/simd/extent.h"

namespace bnn::kernels {
namespace {

// True when `follows` holds for the strides of the input and of every tensor that the epilogue touches.
template <class Predicate>
bool AllTensors(const Strides& in, const Epilogue& epilogue, Predicate follows) {
  if (!follows(in)) return false;
  if (epilogue.out != nullptr && !follows(epilogue.out_strides)) return false;
  if (epilogue.bits != nullptr && !follows(epilogue.bits_strides)) return false;
  for (int s = 0; s < epilogue.num_steps; ++s) {
    if (epilogue.steps[s].kind == StepKind::kAdd && !follows(epilogue.steps[s].strides)) return false;
  }
  return true;
}

}  // namespace

Extent MergeRows(const Extent& extent, int64_t rows, int64_t cols, const Strides& in, const Epilogue& epilogue) {
  const auto rows_follow = [cols](const Strides& s) { return s.row == cols * s.pixel; };
  const auto images_follow = [rows](const Strides& s) { return s.image == rows * s.row; };

  if (extent.row_begin >= extent.row_end || !AllTensors(in, epilogue, rows_follow)) return extent;
  Extent merged = extent;
  merged.row_begin = 0;
  merged.row_end = 1;
  merged.col_begin = extent.row_begin * cols;
  merged.col_end = extent.row_end * cols;

  const bool whole_images = extent.row_begin == 0 && extent.row_end == rows;
  if (!whole_images || extent.image_begin >= extent.image_end || !AllTensors(in, epilogue, images_follow)) {
    return merged;
  }
  merged.image_begin = 0;
  merged.image_end = 1;
  merged.col_begin = extent.image_begin * rows * cols;
  merged.col_end = extent.image_end * rows * cols;
  return merged;
}

}  // namespace bnn::kernels
