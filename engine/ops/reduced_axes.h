// The axes of a reduction in the form of loops: kept and reduced ones apart, neighbours of one kind merged.
//
// Where the last axis is kept, as in a mean over the pixels of an NHWC map, elements that are neighbours in memory
// belong to different results: a reduction then adds whole rows of `lanes` neighbours, which is vector code. Where the
// last axis is reduced, each result adds runs of neighbours (`lanes` is 1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "formats/model_def.h"

namespace bnn::engine {

class ReducedAxes {
 public:
  // `dims` of one sample; `axes` of it, increasing.
  ReducedAxes(int64_t batch, const std::vector<int64_t>& dims, const std::vector<int64_t>& axes) {
    int64_t stride = formats::ElementCount(dims);
    Append(&kept_, batch, stride);
    for (size_t i = 0; i < dims.size(); ++i) {
      stride /= dims[i];
      const bool is_reduced = std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i));
      Append(is_reduced ? &reduced_ : &kept_, dims[i], stride);
    }
    if (kept_.back().stride == 1) {
      lanes_ = kept_.back().size;
      kept_.pop_back();
    }
    for (const Axis& axis : kept_) rows_ *= axis.size;
    for (const Axis& axis : reduced_) terms_ *= axis.size;
  }

  int64_t lanes() const { return lanes_; }  // results that lie side by side
  int64_t rows() const { return rows_; }    // of `lanes` results each
  int64_t terms() const { return terms_; }  // of one result

  // Where the first terms of row `row` begin.
  int64_t First(int64_t row) const {
    int64_t offset = 0;
    for (size_t i = kept_.size(); i-- > 0;) {
      offset += row % kept_[i].size * kept_[i].stride;
      row /= kept_[i].size;
    }
    return offset;
  }

  // Calls visit(offset) for each term, relative to the first.
  template <typename Visit>
  void ForEachTerm(const Visit& visit) const {
    std::array<int64_t, formats::kMaxRank + 1> index{};
    int64_t offset = 0;
    for (int64_t term = 0; term < terms_; ++term) {
      visit(offset);
      for (size_t i = reduced_.size(); i-- > 0;) {
        offset += reduced_[i].stride;
        if (++index[i] < reduced_[i].size) break;
        offset -= reduced_[i].stride * reduced_[i].size;
        index[i] = 0;
      }
    }
  }

 private:
  struct Axis {
    int64_t size, stride;
  };

  static void Append(std::vector<Axis>* axes, int64_t size, int64_t stride) {
    if (size == 1 && !axes->empty()) return;
    if (!axes->empty() && axes->back().stride == stride * size) {
      axes->back() = {axes->back().size * size, stride};
    } else {
      axes->push_back({size, stride});
    }
  }

  std::vector<Axis> kept_, reduced_;
  int64_t lanes_ = 1, rows_ = 1, terms_ = 1;
};

}  // namespace bnn::engine
