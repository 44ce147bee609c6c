// The epilogues that nearly every layer of a network has, each as straight code without a switch. ISA files only.
//
// The general epilogue (FinishAny, kernels/simd/epilogue_tile.h) interprets the list of steps for a tile as a whole:
// between two steps the tile's 14 vectors wait in memory, and nothing of a step overlaps with the next. Here the list
// is a template argument, and a pixel passes through all of it at once:
//
//   PixelFinish<V, F>(epilogue, at)   for the pixels of a row from `at` on
//   Advance(step)                     for those from a step further on, which costs less than a new one: 3x3
//                                     112x112x32, one block a tile, 137 cycles instead of 144
//   Prefetch<kPixels>(channel)        asks for what so many pixels of a block of 32 channels wait for: the residual,
//                                     or the place of the output
//   PrefetchAhead<kPixels>()          asks, into L2, for the residual so many pixels behind the next one
//   Start(channel, lanes)             the parameters of a block of 32 channels; the next pixel is the first one
//   Finish(half)                      steps and outputs of the half accumulators of the next pixel
//
// where F is ThresholdBits or a Chain. Half accumulators cost nothing: the factor 2 goes into what comes first.
//
// Pixels come in order so that one pointer a tensor is enough. Compilers like to compute the places of all pixels in
// advance: three tensors of 7 pixels are more than the registers, so each place came from memory, 100 instructions a
// tile. Step() keeps them from that: 3x3 56x56x64 with a residual rose from 79 to 84 % of the limit on Zen 5 (gcc).
//
// What it costs at least, on Zen 5. Counting alone fills the four vector pipes, so each operation takes a fourth of a
// cycle from it, and is seen to take more: a loop written in assembly, all data in L1, that counts 18 words for 14
// vectors (3x3 over 64 channels) takes 191 cycles a tile, 201 when each vector is converted, multiplied and stored, 206
// with a residual, 217 with a PReLU (compare, multiply under its mask; a multiplication and a maximum take as long).
// That is 95 and 88 % of the limit; a window of 36 words would lose 4 points to residual and PReLU, one of 8 words 12.
// Stores are nearly free, the order of the operations does not matter. The kernel takes 212 and 230.
//
// On Zen 4 each operation takes half a cycle, and one of three sources (a fused multiplication and addition, or the
// selection of a PReLU) holds up its neighbours by a fourth more. So 3x3 over 64 channels takes at least 396 cycles
// with floats, 420 with residual and PReLU, and the kernel 400 and 424; 1x1 over 256 channels 186 and 210, the kernel
// 188 and 212. There the order matters: each step takes all vectors of the pixel before the next one does, and stores
// stand behind them. Vector by vector it was 427 and 215.
#pragma once

#include "kernels/simd/epilogue_tile.h"

namespace bnn::kernels {
namespace {

// Even base, bits of one plane leave by integer thresholds.
struct ThresholdBits {};

// Even base, these steps, floats leave and with kBits also bits of one plane by float thresholds without signs; all 32
// channels exist. A kAffine stands first or behind a kClamp.
template <bool kBits, StepKind... kSteps>
struct Chain {};

// Anything else, by FinishAny.
struct AnyFinish {};

template <class Finish>
inline constexpr bool kAddsResidual = false;
template <bool kBits, StepKind... kSteps>
inline constexpr bool kAddsResidual<Chain<kBits, kSteps...>> = ((kSteps == StepKind::kAdd) || ...);

template <class... Chains>
struct ChainList {};

// The chains of the networks in models/, shortest first: batch-norm; behind it a residual (ResNets, Bi-Real Net) and a
// PReLU, in ReActNet between two shifts; QuickNet's ReLU on the sums, and another one in a section's last layer.
inline constexpr StepKind kA = StepKind::kAffine, kR = StepKind::kAdd, kP = StepKind::kPRelu, kC = StepKind::kClamp;
using DenseChains = ChainList<Chain<false, kA>>;
using ConvChains = ChainList<Chain<false, kA>, Chain<false, kA, kR>, Chain<true, kA, kR>, Chain<false, kA, kR, kP>,
                             Chain<false, kA, kR, kA, kP, kA>, Chain<true, kA, kR, kA, kP, kA>, Chain<true, kC, kA, kR>,
                             Chain<false, kC, kA, kR, kC>>;

// The limits of a kClamp step can be given to half accumulators (they have exact halves), and Min and Max in the order
// of instructions give what the step specifies.
BNN_INLINE bool IsPlainClamp(const EpilogueStep& step) {
  return step.lo <= step.hi && step.lo * 0.5f * 2.0f == step.lo && step.hi * 0.5f * 2.0f == step.hi;
}

template <bool kBits, StepKind... kSteps>
BNN_INLINE bool Matches(const Epilogue& epilogue, Chain<kBits, kSteps...>) {
  constexpr int kNumSteps = sizeof...(kSteps);
  constexpr StepKind kKinds[] = {kSteps...};
  if (epilogue.num_steps != kNumSteps || epilogue.out == nullptr || (epilogue.bits != nullptr) != kBits) return false;
  if (kBits && (epilogue.signs != nullptr || epilogue.planes > 1)) return false;
  for (int s = 0; s < kNumSteps; ++s) {
    if (epilogue.steps[s].kind != kKinds[s]) return false;
    if (kKinds[s] == StepKind::kClamp && !IsPlainClamp(epilogue.steps[s])) return false;
  }
  return true;
}

// Calls run(F{}) with the first chain that the epilogue is, else AnyFinish.
template <class Run, class... Chains>
BNN_INLINE void WithChain(const Epilogue& epilogue, const Run& run, ChainList<Chains...>) {
  if (!((Matches(epilogue, Chains{}) && (run(Chains{}), true)) || ...)) run(AnyFinish{});
}

// The same for all finishes. `lanes`: of the last block.
template <class Chains, class Run>
BNN_INLINE void WithFinish(const Epilogue& epilogue, bool even_base, uint32_t lanes, const Run& run) {
  const bool is_threshold = epilogue.bits != nullptr && epilogue.int_thresholds != nullptr;
  if (is_threshold && epilogue.planes > 1) return run(AnyFinish{});
  if (is_threshold && even_base) return run(ThresholdBits{});
  if (!even_base || lanes != kAllLanes) return run(AnyFinish{});
  WithChain(epilogue, run, Chains{});
}

// Asks for the floats of a channel block. kLocality: 3 into L1, 2 into L2.
template <int kLocality = 3>
BNN_INLINE void PrefetchBlock(const float* place) {
  constexpr int64_t kLineFloats = 64 / sizeof(float);
  BNN_UNROLL for (int64_t i = 0; i < kChannelBlock; i += kLineFloats) __builtin_prefetch(place + i, 0, kLocality);
}

// Pointer to the same place of the next pixel.
template <class T>
BNN_INLINE void Step(T*& place, int64_t step) {
  place += step;
  __asm__("" : "+r"(place));
}

// The place of a channel block in a tensor, pixel by pixel.
template <class T>
class PixelWalk {
 public:
  PixelWalk() = default;  // of a tensor that is not there
  // From the pixel `at` on.
  BNN_INLINE PixelWalk(T* tensor, const Strides& strides, const TilePlace& at)
      : row_(tensor + TileOffset(strides, at)), step_(strides.pixel), row_step_(strides.row) {}

  BNN_INLINE void Advance(const TileStep& step) { row_ += step.pixels * step_ + step.rows * row_step_; }
  // Next() then passes so many pixels. "Rows" are those in between: Advance({0, 1}) is one pixel.
  BNN_INLINE void TakeEvery(int64_t pixels) {
    row_step_ = step_;
    step_ *= pixels;
  }
  // To the first pixel, `offset` elements behind its first channel.
  BNN_INLINE void Start(int64_t offset) { here_ = row_ + offset; }
  BNN_INLINE void Next() { Step(here_, step_); }
  BNN_INLINE T* Here() const { return here_; }
  BNN_INLINE T* Ahead(int64_t pixels) const { return here_ + pixels * step_; }

 private:
  T* row_;
  int64_t step_;
  int64_t row_step_;
  T* here_;
};

// Asks for the floats of a channel block of the next kPixels pixels.
template <int kPixels, class T>
BNN_INLINE void PrefetchPixels(PixelWalk<T> walk, int64_t channel) {
  walk.Start(channel);
  BNN_UNROLL for (int p = 0; p < kPixels; ++p) {
    PrefetchBlock(walk.Here());
    walk.Next();
  }
}

// One step of a chain. kHalf: it receives half of the value that it should; a kClamp then returns half of its result.
template <class V, StepKind kKind, bool kHalf>
class ChainStep;

template <class V, bool kHalf>
class ChainStep<V, StepKind::kAffine, kHalf> {
 public:
  BNN_INLINE ChainStep(const EpilogueStep& step, const TilePlace&) : scales_(step.a), biases_(step.b) {}

  BNN_INLINE void Start(int64_t channel) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      scale_[v] = V::Load(scales_ + channel + v * V::kLanes);
      if constexpr (kHalf) scale_[v] = V::Add(scale_[v], scale_[v]);
      bias_[v] = V::Load(biases_ + channel + v * V::kLanes);
    }
  }

  static constexpr int kParameters = 2;  // vectors of a vector of channels
  BNN_INLINE float* Save(float* to) const {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      V::Store(to + v * V::kLanes, scale_[v]);
      V::Store(to + (V::kVectors + v) * V::kLanes, bias_[v]);
    }
    return to + kParameters * V::kVectors * V::kLanes;
  }
  BNN_INLINE const float* Restore(const float* from) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      scale_[v] = V::Load(from + v * V::kLanes);
      bias_[v] = V::Load(from + (V::kVectors + v) * V::kLanes);
    }
    return from + kParameters * V::kVectors * V::kLanes;
  }

  BNN_INLINE typename V::Float Apply(int v, typename V::Float y) const { return V::Fma(y, scale_[v], bias_[v]); }
  BNN_INLINE void Next() {}

 private:
  const float* scales_;
  const float* biases_;
  typename V::Float scale_[V::kVectors], bias_[V::kVectors];
};

template <class V>
class ChainStep<V, StepKind::kPRelu, false> {
 public:
  BNN_INLINE ChainStep(const EpilogueStep& step, const TilePlace&) : slopes_(step.a) {}

  BNN_INLINE void Start(int64_t channel) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) slope_[v] = V::Load(slopes_ + channel + v * V::kLanes);
  }

  static constexpr int kParameters = 1;
  BNN_INLINE float* Save(float* to) const {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) V::Store(to + v * V::kLanes, slope_[v]);
    return to + V::kVectors * V::kLanes;
  }
  BNN_INLINE const float* Restore(const float* from) {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) slope_[v] = V::Load(from + v * V::kLanes);
    return from + V::kVectors * V::kLanes;
  }

  BNN_INLINE typename V::Float Apply(int v, typename V::Float y) const { return V::PRelu(y, slope_[v]); }
  BNN_INLINE void Next() {}

 private:
  const float* slopes_;
  typename V::Float slope_[V::kVectors];
};

template <class V, bool kHalf>
class ChainStep<V, StepKind::kClamp, kHalf> {
 public:
  BNN_INLINE ChainStep(const EpilogueStep& step, const TilePlace&)
      : lo_(V::Splat(kHalf ? step.lo * 0.5f : step.lo)), hi_(V::Splat(kHalf ? step.hi * 0.5f : step.hi)) {}

  BNN_INLINE void Start(int64_t) {}

  BNN_INLINE typename V::Float Apply(int, typename V::Float y) const { return V::Max(lo_, V::Min(hi_, y)); }
  BNN_INLINE void Next() {}

 private:
  typename V::Float lo_, hi_;
};

template <class V>
class ChainStep<V, StepKind::kAdd, false> {
 public:
  BNN_INLINE ChainStep(const EpilogueStep& step, const TilePlace& at) : residual_(step.a, step.strides, at) {}

  BNN_INLINE const PixelWalk<const float>& Residual() const { return residual_; }
  BNN_INLINE void Advance(const TileStep& step) { residual_.Advance(step); }
  BNN_INLINE void TakeEvery(int64_t pixels) { residual_.TakeEvery(pixels); }
  BNN_INLINE void Start(int64_t channel) { residual_.Start(channel); }
  static constexpr int kParameters = 0;
  BNN_INLINE float* Save(float* to) const { return to; }
  BNN_INLINE const float* Restore(const float* from) { return from; }

  BNN_INLINE typename V::Float Apply(int v, typename V::Float y) const {
    return V::Add(y, V::Load(residual_.Here() + v * V::kLanes));
  }
  BNN_INLINE void Next() { residual_.Next(); }

 private:
  PixelWalk<const float> residual_;
};

// A pixel's channels of a block.
template <class V>
using PixelFloats = typename V::Float[V::kVectors];

// Steps one after the other.
template <class V, bool kHalf, StepKind... kSteps>
class ChainSteps {
 public:
  BNN_INLINE ChainSteps(const EpilogueStep*, const TilePlace&) {}
  template <class Function>
  BNN_INLINE void ForEachResidual(const Function&) const {}
  BNN_INLINE void Advance(const TileStep&) {}
  BNN_INLINE void TakeEvery(int64_t) {}
  BNN_INLINE void Start(int64_t) {}
  static constexpr int kParameters = 0;
  BNN_INLINE void Save(float*) const {}
  BNN_INLINE void Restart(int64_t, const float*) {}
  BNN_INLINE void Apply(PixelFloats<V>&) const {}
  BNN_INLINE void Next() {}
};

template <class V, bool kHalf, StepKind kFirst, StepKind... kRest>
class ChainSteps<V, kHalf, kFirst, kRest...> {
 public:
  BNN_INLINE ChainSteps(const EpilogueStep* steps, const TilePlace& at) : first_(*steps, at), rest_(steps + 1, at) {}

  template <class Function>
  BNN_INLINE void ForEachResidual(const Function& function) const {
    if constexpr (kFirst == StepKind::kAdd) function(first_.Residual());
    rest_.ForEachResidual(function);
  }
  BNN_INLINE void Advance(const TileStep& step) {
    if constexpr (kFirst == StepKind::kAdd) first_.Advance(step);
    rest_.Advance(step);
  }

  BNN_INLINE void TakeEvery(int64_t pixels) {
    if constexpr (kFirst == StepKind::kAdd) first_.TakeEvery(pixels);
    rest_.TakeEvery(pixels);
  }

  BNN_INLINE void Start(int64_t channel) {
    first_.Start(channel);
    rest_.Start(channel);
  }

  using First = ChainStep<V, kFirst, kHalf>;
  using Rest = ChainSteps<V, (kHalf && kFirst == StepKind::kClamp), kRest...>;
  static constexpr int kParameters = First::kParameters + Rest::kParameters;
  BNN_INLINE void Save(float* to) const { rest_.Save(first_.Save(to)); }
  BNN_INLINE void Restart(int64_t channel, const float* from) {
    if constexpr (kFirst == StepKind::kAdd) first_.Start(channel);
    rest_.Restart(channel, first_.Restore(from));
  }

  // Step by step, see above.
  BNN_INLINE void Apply(PixelFloats<V>& y) const {
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[v] = first_.Apply(v, y[v]);
    rest_.Apply(y);
  }

  BNN_INLINE void Next() {
    first_.Next();
    rest_.Next();
  }

 private:
  First first_;
  Rest rest_;
};

template <class V, class F>
class PixelFinish;

template <class V, bool kBits, StepKind... kSteps>
class PixelFinish<V, Chain<kBits, kSteps...>> {
 public:
  BNN_INLINE PixelFinish(const Epilogue& epilogue, const TilePlace& at)
      : steps_(epilogue.steps, at), out_(epilogue.out, epilogue.out_strides, at) {
    if constexpr (kBits) {
      thresholds_ = epilogue.thresholds;
      bits_ = {epilogue.bits, epilogue.bits_strides, at};
    }
  }

  template <int kPixels>
  BNN_INLINE void PrefetchAhead() const {
    steps_.ForEachResidual([](const auto& residual) BNN_INLINE_LAMBDA { PrefetchBlock<2>(residual.Ahead(kPixels)); });
  }
  template <int kPixels>
  BNN_INLINE void Prefetch(int64_t channel) const {
    if constexpr (kAddsResidual<Chain<kBits, kSteps...>>) {
      steps_.ForEachResidual([&](const auto& residual)
                                 BNN_INLINE_LAMBDA { PrefetchPixels<kPixels>(residual, channel); });
    } else {
      PrefetchPixels<kPixels>(out_, channel);
    }
  }
  BNN_INLINE void Advance(const TileStep& step) {
    steps_.Advance(step);
    out_.Advance(step);
    if constexpr (kBits) bits_.Advance(step);
  }
  BNN_INLINE void TakeEvery(int64_t pixels) {
    steps_.TakeEvery(pixels);
    out_.TakeEvery(pixels);
  }

  BNN_INLINE void Start(int64_t channel, uint32_t) {
    steps_.Start(channel);
    out_.Start(channel);
    if constexpr (kBits) {
      bits_.Start(channel / kChannelBlock);
      BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) threshold_[v] = V::Load(thresholds_ + channel + v * V::kLanes);
    }
  }

  // What Start() has loaded of one block, kParameters vectors for each of V, to memory, and the start of another pixel
  // with it. Floats alone leave.
  static constexpr int kParameters = ChainSteps<V, true, kSteps...>::kParameters;
  BNN_INLINE void Save(float* to) const { steps_.Save(to); }
  BNN_INLINE void Restart(int64_t channel, const float* from) {
    static_assert(!kBits);
    steps_.Restart(channel, from);
    out_.Start(channel);
  }

  BNN_INLINE void Finish(const typename V::Int (&half)[V::kVectors]) {
    PixelFloats<V> y;
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) y[v] = V::ToFloat(half[v]);
    Finish(y);
  }
  // Of half accumulators that are floats already.
  BNN_INLINE void Finish(PixelFloats<V>& y) {
    steps_.Apply(y);
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) V::Store(out_.Here() + v * V::kLanes, y[v]);
    steps_.Next();
    out_.Next();
    if constexpr (kBits) {
      *bits_.Here() = V::AtLeast(y, threshold_);
      bits_.Next();
    }
  }

 private:
  ChainSteps<V, true, kSteps...> steps_;
  PixelWalk<float> out_;
  const float* thresholds_;
  PixelWalk<uint32_t> bits_;
  typename V::Float threshold_[V::kVectors];
};

template <class V>
class PixelFinish<V, ThresholdBits> {
 public:
  BNN_INLINE PixelFinish(const Epilogue& epilogue, const TilePlace& at)
      : int_thresholds_(epilogue.int_thresholds),
        flips_(epilogue.flip),
        out_(epilogue.bits, epilogue.bits_strides, at) {}

  template <int kPixels>
  BNN_INLINE void Prefetch(int64_t) const {}
  BNN_INLINE void Advance(const TileStep& step) { out_.Advance(step); }

  BNN_INLINE void Start(int64_t channel, uint32_t lanes) {
    lanes_ = lanes;
    out_.Start(channel / kChannelBlock);
    flip_ = flips_[channel / kChannelBlock];
    BNN_UNROLL for (int v = 0; v < V::kVectors; ++v) {
      thresholds_[v] = V::HalfUp(V::LoadInt(int_thresholds_ + channel + v * V::kLanes));
    }
  }

  BNN_INLINE void Finish(const typename V::Int (&half)[V::kVectors]) {
    *out_.Here() = (V::AtLeast(half, thresholds_) ^ flip_) & lanes_;
    out_.Next();
  }

 private:
  const int32_t* int_thresholds_;
  const uint32_t* flips_;
  uint32_t lanes_;
  PixelWalk<uint32_t> out_;
  uint32_t flip_;
  typename V::Int thresholds_[V::kVectors];
};

}  // namespace
}  // namespace bnn::kernels
