// The transposition of a float matrix, by parts.
#pragma once

#include <cstdint>

namespace bnn::engine {

// out[c][r] = in[r][c] for the output rows [begin, end): `in` is a whole matrix [rows][cols], `out` one [cols][rows].
void TransposeMatrix(const float* in, int64_t rows, int64_t cols, int64_t begin, int64_t end, float* out);

}  // namespace bnn::engine
