#include "engine/ops/transpose_matrix.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace bnn::engine {
namespace {

TEST_CASE("every part of every small matrix lands where it belongs, and nothing else is written") {
  for (int64_t rows = 1; rows <= 37; ++rows) {
    for (const int64_t cols : {1, 2, 3, 4, 5, 15, 16, 17, 33}) {
      std::vector<float> in(static_cast<size_t>(rows * cols));
      for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
      for (const int64_t begin : {int64_t{0}, cols / 3}) {
        for (const int64_t end : {cols - cols / 4, cols}) {
          std::vector<float> out(in.size(), -1.0f), expected(in.size(), -1.0f);
          for (int64_t c = begin; c < end; ++c) {
            for (int64_t r = 0; r < rows; ++r) {
              expected[static_cast<size_t>(c * rows + r)] = in[static_cast<size_t>(r * cols + c)];
            }
          }
          TransposeMatrix(in.data(), rows, cols, begin, end, out.data());
          REQUIRE_MESSAGE(out == expected, rows << " x " << cols << ", columns " << begin << " to " << end);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bnn::engine
