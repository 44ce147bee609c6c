// Steps that hand rows to one another while they are in a core's cache.
//
//   convolution -> max-pool -> bits       as three steps, each map between them goes through memory twice
//
// A strip of rows is made, pooled and packed by one thread before it begins the next strip. Nothing but a strip of the
// maps between is ever in memory, unless other steps read them too. engine/compile/join_strips.h decides which steps
// become one.
//
// Rows are those of all samples laid end to end: row r is row r % h of sample r / h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/plan.h"

namespace bnn::engine {

// Bytes rounded up to cache lines, so that threads share none.
inline int64_t WholeLines(int64_t bytes) {
  constexpr auto kLine = static_cast<int64_t>(kAlignment);
  return (bytes + kLine - 1) / kLine * kLine;
}

// Takes the rows [begin, end) of the step's one input, which lie dense at `rows`.
class RowReader {
 public:
  virtual ~RowReader() = default;
  virtual void ReadRows(const RunContext& context, int64_t begin, int64_t end, const float* rows) const = 0;
};

// Makes the rows [begin, end) of the step's one output, dense at `rows`. A row does not depend on which others are made
// with it.
class RowMaker {
 public:
  virtual ~RowMaker() = default;
  virtual void MakeRows(const RunContext& context, int64_t begin, int64_t end, float* rows) const = 0;
};

// A step that makes its output, a dense float map, strip by strip, and may pass each on to readers.
class StripStep : public Step {
 public:
  StripStep* strips() override { return this; }

  // The map, whether or not it is among the outputs.
  int map() const { return map_; }
  virtual bool passes_rows_on() const = 0;

  // `reader` becomes part of this step. `keeps_map`: other steps read the map as well.
  void TakeReader(StepContext* context, StepPtr reader, bool keeps_map);

  // Whether rows of the input may come from a maker instead of memory.
  virtual bool TakesMaker(const StepContext&) const { return false; }
  // `maker`, which makes inputs[0], becomes part of this step.
  virtual void TakeMaker(StepContext*, StepPtr) {}

 protected:
  explicit StripStep(int map) : map_(map) {}

  // Gives `scratch` its size, after each change of what must be there.
  virtual void PlaceScratch(StepContext* context) = 0;

  bool has_readers() const { return !readers_.empty(); }
  bool keeps_map() const { return keeps_map_; }
  void PassOn(const RunContext& context, int64_t begin, int64_t end, const float* rows) const {
    for (const StepPtr& reader : readers_) reader->row_reader()->ReadRows(context, begin, end, rows);
  }

 private:
  const int map_;
  bool keeps_map_ = true;
  std::vector<StepPtr> readers_;
};

}  // namespace bnn::engine
