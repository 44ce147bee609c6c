// Epilogues with parameters, residuals and outputs in guarded buffers, for the tests of every kernel that runs one.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/bits.h"
#include "kernels/epilogue.h"
#include "tests/kernels/guarded_buffer.h"

namespace bnn::test {

using kernels::Epilogue;
using kernels::EpilogueStep;
using kernels::StepKind;
using kernels::Strides;

// A tensor's size, and unused elements after each pixel (another group's channels), row, image and plane.
struct TensorGeometry {
  int64_t batch = 1, height = 1, width = 1, channels = 1;
  int64_t gap = 0;

  Strides strides(int64_t elements_per_pixel) const {
    const int64_t pixel = elements_per_pixel + gap;
    const int64_t row = pixel * width + gap;
    const int64_t image = row * height + gap;
    return {.image = image, .row = row, .pixel = pixel, .plane = image * batch + gap};
  }
  // One past the last element of the last pixel: a buffer of that size ends where reading must end.
  int64_t elements(int64_t elements_per_pixel, int planes = 1) const {
    const Strides s = strides(elements_per_pixel);
    return (planes - 1) * s.plane + (batch - 1) * s.image + (height - 1) * s.row + (width - 1) * s.pixel +
           elements_per_pixel;
  }
};

enum class BitsOutput { kNone, kFloatThresholds, kSignedThresholds, kIntThresholds };

struct EpilogueCase {
  std::vector<StepKind> steps;
  bool floats = true;
  BitsOutput bits = BitsOutput::kNone;
  bool special_values = false;  // NaN, infinities and signed zeros among the parameters
  int planes = 1;               // of the bits

  std::string Name() const {
    std::string name;
    for (StepKind kind : steps) name += "APCR"[static_cast<int>(kind)];  // affine, prelu, clamp, residual
    return name + (floats ? " floats" : "") + (bits == BitsOutput::kNone ? "" : " bits") +
           (bits == BitsOutput::kSignedThresholds ? " signed" : "") +
           (bits == BitsOutput::kIntThresholds ? " int" : "") +
           (planes == 1 ? "" : " of " + std::to_string(planes) + " planes");
  }
};

struct EpilogueOutputs {
  EpilogueOutputs(const TensorGeometry& geometry, Guard guard, int planes = 1)
      : floats(geometry.elements(geometry.channels), guard),
        bits(geometry.elements(kernels::WordsFor(geometry.channels), planes), guard) {
    for (float& x : floats.span()) x = kUntouchedFloat;
    for (uint32_t& x : bits.span()) x = kUntouchedBits;
  }

  static constexpr float kUntouchedFloat = -12345.75f;
  static constexpr uint32_t kUntouchedBits = 0xDEADBEEF;
  GuardedBuffer<float> floats;
  GuardedBuffer<uint32_t> bits;
};

// Equal bit by bit, including everything that was not written; any NaN equals any NaN (its payload is not specified).
inline bool SameOutputs(const EpilogueOutputs& a, const EpilogueOutputs& b) {
  if (!a.floats.SlackIntact() || !a.bits.SlackIntact() || !b.floats.SlackIntact() || !b.bits.SlackIntact())
    return false;
  for (int64_t i = 0; i < a.floats.size(); ++i) {
    if (std::isnan(a.floats[i]) && std::isnan(b.floats[i])) continue;
    if (std::bit_cast<uint32_t>(a.floats[i]) != std::bit_cast<uint32_t>(b.floats[i])) return false;
  }
  return a.bits.ToVector() == b.bits.ToVector();
}

// The parameters of one case. `magnitude` is the size of the accumulators, so that thresholds and limits cut them.
class EpilogueFixture {
 public:
  EpilogueFixture(const EpilogueCase& c, const TensorGeometry& geometry, float magnitude, Guard guard,
                  std::mt19937& random)
      : case_(c), geometry_(geometry), magnitude_(magnitude), guard_(guard) {
    for (StepKind kind : c.steps) steps_.push_back(MakeStep(kind, random));
    const int64_t padded = kernels::PaddedChannels(geometry.channels);
    const int levels = kernels::HighestLevel(c.planes);
    threshold_stride_ = padded + geometry.gap;
    const int64_t num_thresholds = (levels - 1) * threshold_stride_ + padded;
    thresholds_ = std::make_unique<GuardedBuffer<float>>(num_thresholds, guard);
    signs_ = std::make_unique<GuardedBuffer<float>>(padded, guard);
    for (float& sign : signs_->span()) sign = random() % 2 == 0 ? 1.0f : -1.0f;
    int_thresholds_ = std::make_unique<GuardedBuffer<int32_t>>(num_thresholds, guard);
    flip_ = std::make_unique<GuardedBuffer<uint32_t>>(padded / kernels::kChannelBlock, guard);
    for (int64_t i = 0; i < geometry.channels; ++i) {
      SetThresholds(i, levels, random);
      kernels::SetBit(flip_->data(), i, random() & 1);
    }
  }

  Epilogue Make(EpilogueOutputs* outputs) const {
    Epilogue epilogue;
    epilogue.steps = steps_.data();
    epilogue.num_steps = static_cast<int>(steps_.size());
    epilogue.out = case_.floats ? outputs->floats.data() : nullptr;
    epilogue.out_strides = geometry_.strides(geometry_.channels);
    if (case_.bits != BitsOutput::kNone) epilogue.bits = outputs->bits.data();
    epilogue.bits_strides = geometry_.strides(kernels::WordsFor(geometry_.channels));
    epilogue.planes = case_.planes;
    epilogue.threshold_stride = threshold_stride_;
    const bool has_signs = case_.bits == BitsOutput::kSignedThresholds;
    if (has_signs || case_.bits == BitsOutput::kFloatThresholds) epilogue.thresholds = thresholds_->data();
    if (has_signs) epilogue.signs = signs_->data();
    if (case_.bits == BitsOutput::kIntThresholds) {
      epilogue.int_thresholds = int_thresholds_->data();
      epilogue.flip = flip_->data();
    }
    return epilogue;
  }

  // The same with the output in the place of the last residual, which it copies there with its gaps. `steps` receives
  // the steps.
  Epilogue MakeInPlace(EpilogueOutputs* outputs, std::vector<EpilogueStep>* steps) const {
    *steps = steps_;
    const auto last =
        std::find_if(steps->rbegin(), steps->rend(), [](const auto& step) { return step.kind == StepKind::kAdd; });
    std::copy_n(last->a, outputs->floats.size(), outputs->floats.data());
    last->a = outputs->floats.data();
    Epilogue epilogue = Make(outputs);
    epilogue.steps = steps->data();
    return epilogue;
  }

 private:
  using Floats = std::unique_ptr<GuardedBuffer<float>>;

  float Value(float lo, float hi, std::mt19937& random) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kSpecial[] = {0.0f, -0.0f, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
    if (case_.special_values && random() % 4 == 0) return kSpecial[random() % 5];
    // Half of them integers: accumulators are integers too, and meeting a threshold exactly must be seen.
    const float x = std::uniform_real_distribution<float>(lo, hi)(random);
    return random() % 2 == 0 ? std::round(x) : x;
  }

  // The thresholds of a channel, float and integer ones, in ascending order. Some are never reached, some always.
  void SetThresholds(int64_t channel, int levels, std::mt19937& random) {
    std::vector<float> floats;
    std::vector<int32_t> ints;
    const int32_t reach = static_cast<int32_t>(magnitude_) / 2 + 1;
    for (int j = 0; j < levels; ++j) {
      floats.push_back(Value(-magnitude_ / 2, magnitude_ / 2, random));
      int32_t threshold = std::uniform_int_distribution<int32_t>(-reach, reach)(random);
      if (random() % 8 == 0) threshold = std::numeric_limits<int32_t>::min();
      if (random() % 8 == 0) threshold = std::numeric_limits<int32_t>::max();
      ints.push_back(threshold);
    }
    std::sort(floats.begin(), std::partition(floats.begin(), floats.end(), [](float t) { return !std::isnan(t); }));
    std::sort(ints.begin(), ints.end());
    for (int j = 0; j < levels; ++j) {
      (*thresholds_)[j * threshold_stride_ + channel] = floats[static_cast<size_t>(j)];
      (*int_thresholds_)[j * threshold_stride_ + channel] = ints[static_cast<size_t>(j)];
    }
  }

  // One value a channel, the padding 0.
  Floats Parameters(float lo, float hi, std::mt19937& random) const {
    auto buffer = std::make_unique<GuardedBuffer<float>>(kernels::PaddedChannels(geometry_.channels), guard_);
    for (int64_t i = 0; i < geometry_.channels; ++i) (*buffer)[i] = Value(lo, hi, random);
    return buffer;
  }

  EpilogueStep MakeStep(StepKind kind, std::mt19937& random) {
    EpilogueStep step;
    step.kind = kind;
    switch (kind) {
      case StepKind::kAffine:
        step.a = Keep(Parameters(-2, 2, random));
        step.b = Keep(Parameters(-magnitude_, magnitude_, random));
        break;
      case StepKind::kPRelu:
        step.a = Keep(Parameters(-1, 1, random));
        break;
      case StepKind::kClamp:
        step.lo = Value(-magnitude_, 0, random);
        step.hi = Value(0, magnitude_, random);
        break;
      case StepKind::kAdd: {
        auto residual = std::make_unique<GuardedBuffer<float>>(geometry_.elements(geometry_.channels), guard_);
        // They repeat after a prime number, so that neither pixels nor channels do: drawing them takes time.
        constexpr int64_t kPeriod = 997;
        for (int64_t i = 0; i < residual->size(); ++i) {
          (*residual)[i] = i < kPeriod ? Value(-magnitude_, magnitude_, random) : (*residual)[i - kPeriod];
        }
        step.strides = geometry_.strides(geometry_.channels);
        step.a = Keep(std::move(residual));
        break;
      }
    }
    return step;
  }

  const float* Keep(Floats buffer) {
    kept_.push_back(std::move(buffer));
    return kept_.back()->data();
  }

  EpilogueCase case_;
  TensorGeometry geometry_;
  float magnitude_;
  Guard guard_;
  std::vector<Floats> kept_;
  std::vector<EpilogueStep> steps_;
  Floats thresholds_, signs_;
  int64_t threshold_stride_;
  std::unique_ptr<GuardedBuffer<int32_t>> int_thresholds_;
  std::unique_ptr<GuardedBuffer<uint32_t>> flip_;
};

// Every kind of step alone and after every other kind, the chains of Larq, batch-normed ResNets, ReActNet and QuickNet,
// with each combination of outputs; then integer thresholds, which stand alone; then bits of several planes.
inline std::vector<EpilogueCase> AllEpilogueCases(bool with_int_thresholds) {
  constexpr StepKind A = StepKind::kAffine, P = StepKind::kPRelu, C = StepKind::kClamp, R = StepKind::kAdd;
  std::vector<std::vector<StepKind>> chains = {
      {}, {P, A}, {A, P, A, C}, {A, R, P}, {A, R, A, P, A}, {R, R, C, P, A, C, R, A}, {C, A, R}, {C, A, R, C}};
  for (StepKind first : {A, P, C, R}) {
    chains.push_back({first});
    for (StepKind second : {A, P, C, R}) chains.push_back({first, second});
  }
  chains.push_back(std::vector<StepKind>(kernels::kMaxEpilogueSteps, A));
  std::vector<EpilogueCase> cases;
  for (const auto& steps : chains) {
    for (bool special : {false, true}) {
      cases.push_back({steps, true, BitsOutput::kNone, special});
      cases.push_back({steps, false, BitsOutput::kFloatThresholds, special});
      cases.push_back({steps, true, BitsOutput::kFloatThresholds, special});
      cases.push_back({steps, special, BitsOutput::kSignedThresholds, special});
    }
  }
  if (with_int_thresholds) cases.push_back({{}, false, BitsOutput::kIntThresholds, false});
  for (int planes = 2; planes <= kernels::kMaxPlanes; ++planes) {
    if (with_int_thresholds) cases.push_back({{}, false, BitsOutput::kIntThresholds, false, planes});
    for (bool special : {false, true}) {
      cases.push_back({{}, false, BitsOutput::kSignedThresholds, special, planes});
      cases.push_back({{A}, false, BitsOutput::kFloatThresholds, special, planes});
      cases.push_back({{A, R}, true, BitsOutput::kFloatThresholds, special, planes});
      cases.push_back({{A, R, A, P, A}, true, BitsOutput::kSignedThresholds, special, planes});
    }
  }
  return cases;
}

}  // namespace bnn::test
