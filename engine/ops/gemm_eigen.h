// The matrix product behind float layers that are built without oneDNN. *_eigen.cc are the only users of Eigen.
#pragma once

#include <cstdint>

namespace bnn::engine {

// out[r][c] += sum over d of a[r][d] * w[c][d]. Steps are floats from one row to the next. Allocates nothing.
void AddProduct(const float* a, int64_t a_step, int64_t rows, const float* w, int64_t w_step, int64_t cols,
                int64_t depth, float* out, int64_t out_step);

}  // namespace bnn::engine
