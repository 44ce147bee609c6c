// The compiled form of a model: steps in order, and the tensors that they read and write. Immutable after compilation,
// shared by all sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "formats/model_def.h"
#include "kernels/bits.h"
#include "kernels/cpu_features.h"
#include "kernels/epilogue.h"

namespace bnn::engine {

// How the bits of a tensor lie in memory: [batch][planes][halo rows + h][halo pixels + w][groups][words of a group].
// Elements of several bits have a plane for each (kernels/bits.h). With several groups each group's channels start at a
// word of their own. The halo carries the padding of the convolution that reads the tensor (kernels/bconv2d/bconv2d.h);
// the session fills it before the producing step runs.
struct BitsLayout {
  int64_t h = 1, w = 1, channels = 1;
  int planes = 1;
  int64_t groups = 1;
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool halo_one = false;

  int64_t group_channels() const { return channels / groups; }
  int64_t group_words() const { return kernels::WordsFor(group_channels()); }
  int64_t pixel_words() const { return groups * group_words(); }
  int64_t row_words() const { return (left + w + right) * pixel_words(); }
  int64_t plane_words() const { return (top + h + bottom) * row_words(); }
  int64_t image_words() const { return planes * plane_words(); }
  // Of the first real pixel within a plane.
  int64_t interior() const { return top * row_words() + left * pixel_words(); }
  kernels::Strides strides() const { return {image_words(), row_words(), pixel_words(), plane_words()}; }
  bool has_halo() const { return top + left + bottom + right > 0; }
};

// Where a tensor lives: in the session's arena, or in the caller's buffer of an input or output.
enum class Place : uint8_t { kArena, kInput, kOutput };

struct PlanTensor {
  std::string name;
  formats::ElementType type = formats::ElementType::kFloat32;
  std::vector<int64_t> dims;  // of one sample; floats lie dense: [batch][dims...]
  BitsLayout bits;            // when the type is one of bits
  Place place = Place::kArena;
  int64_t external_index = 0;  // of the input or output
  int alias_of = -1;           // another tensor whose memory this one is (reshape, in place); -1: its own
  int64_t offset = 0;          // bytes, within the arena
  // Floats that lie within the pixels of a wider map, whose alias the tensor then is (concat_in_place.h): from the
  // beginning of its pixels, and from one of its pixels to the next.
  int64_t first_channel = 0;
  int64_t pixel_stride = 0;  // 0: dense
  int64_t bytes = 0;         // batch included
};

struct Plan;
class ThreadPool;

// Per-session objects of a step (oneDNN memory handles). Steps without any have none.
class StepState {
 public:
  virtual ~StepState() = default;
};

// What a step sees when it runs.
struct RunContext {
  const Plan* plan = nullptr;
  std::byte* arena = nullptr;
  const bnn_buffer* inputs = nullptr;
  const bnn_buffer* outputs = nullptr;
  StepState* state = nullptr;  // of this step
  ThreadPool* pool = nullptr;  // the session's

  std::byte* Bytes(int tensor) const;
  float* Floats(int tensor) const;
  // The first word of the buffer, halo included.
  uint32_t* Words(int tensor) const { return reinterpret_cast<uint32_t*>(Bytes(tensor)); }
};

// What a step tells about itself; becomes bnn_step_info.
struct StepDescription {
  std::string name, op, kernel, shape, reason;
  int64_t macs = 0;
  bool is_binary = false;
  bool is_int8 = false;  // the multiply-adds are of 8-bit integers
  int64_t weight_bytes = 0;
  int64_t input_bytes = -1;  // what is read of inputs[0]; -1: all of it
};

// An output that may take the memory of one of these inputs, where nobody needs that input afterwards.
struct InPlace {
  int output = -1;
  std::vector<int> inputs;  // the preferred one first
};

// The parts that a step may play in a chain of steps that work strip by strip (engine/ops/strips.h).
class RowReader;
class RowMaker;
class StripStep;

class Step {
 public:
  virtual ~Step() = default;

  virtual const RowReader* row_reader() const { return nullptr; }
  virtual const RowMaker* row_maker() const { return nullptr; }
  virtual StripStep* strips() { return nullptr; }

  virtual std::unique_ptr<StepState> MakeState() const { return nullptr; }

  // Reentrant. Allocates nothing of its own.
  virtual Status Run(const RunContext& context) const = 0;

  StepDescription description;
  std::vector<int> inputs;   // plan tensors
  std::vector<int> outputs;  // plan tensors
  std::optional<InPlace> in_place;
  bool takes_strided_floats = false;  // float inputs and outputs may lie within wider maps (PlanTensor::pixel_stride)
  bool joins_channels = false;        // a concatenation: each pixel of the output is the inputs' pixels side by side
  int64_t first_taken_channel = -1;   // a slice: each pixel of the output is the input's from this channel on; else -1
  int scratch = -1;                   // a plan tensor that lives during this step only, or -1

  bool Reads(int tensor) const;
  bool Writes(int tensor) const;
  bool Touches(int tensor) const { return Reads(tensor) || Writes(tensor); }
};

struct Plan {
  int64_t batch = 1;
  int threads = 1;
  kernels::Isa max_isa = kernels::Isa::kReference;
  std::vector<PlanTensor> tensors;
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<int> inputs;   // tensors, in the model's order
  std::vector<int> outputs;  // tensors, in the model's order
  int64_t arena_bytes = 0;
  int64_t live_bytes = 0;  // the most that tensors take at any step: no arena can be smaller
};

// "28x28x128" of a sample's dims.
std::string DimsText(const std::vector<int64_t>& dims);

}  // namespace bnn::engine
