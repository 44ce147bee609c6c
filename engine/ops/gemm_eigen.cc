// Threads are the engine's; Eigen brings none of its own. It packs blocks of both factors into temporary memory, on the
// stack up to 128 KB each and on the heap beyond: so the product is cut into pieces whose blocks have at most 64 KB.
#define EIGEN_DONT_PARALLELIZE
#include "engine/ops/gemm_eigen.h"

#include <Eigen/Core>
#include <algorithm>

namespace bnn::engine {
namespace {

constexpr int64_t kRows = 64, kCols = 64, kDepth = 256;

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using In = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using Out = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

Eigen::Index Index(int64_t i) { return static_cast<Eigen::Index>(i); }
Eigen::OuterStride<> Step(int64_t step) { return Eigen::OuterStride<>(Index(step)); }

}  // namespace

void AddProduct(const float* a, int64_t a_step, int64_t rows, const float* w, int64_t w_step, int64_t cols,
                int64_t depth, float* out, int64_t out_step) {
  for (int64_t d = 0; d < depth; d += kDepth) {
    const int64_t d_count = std::min(kDepth, depth - d);
    for (int64_t c = 0; c < cols; c += kCols) {
      const int64_t c_count = std::min(kCols, cols - c);
      const In w_block(w + c * w_step + d, Index(c_count), Index(d_count), Step(w_step));
      for (int64_t r = 0; r < rows; r += kRows) {
        const int64_t r_count = std::min(kRows, rows - r);
        const In a_block(a + r * a_step + d, Index(r_count), Index(d_count), Step(a_step));
        Out out_block(out + r * out_step + c, Index(r_count), Index(c_count), Step(out_step));
        out_block.noalias() += a_block * w_block.transpose();
      }
    }
  }
}

}  // namespace bnn::engine
