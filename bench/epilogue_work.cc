#include "bench/epilogue_work.h"

#include <utility>

namespace bnn::bench {

using kernels::PaddedChannels;
using kernels::WordsFor;

const char* NameOf(Output output) {
  switch (output) {
    case Output::kFloats:
      return "floats";
    case Output::kBits:
      return "bits";
    case Output::kResidual:
      return "residual";
    case Output::kInPlace:
      return "in-place";
    case Output::kShortcut:
      return "shortcut";
  }
  return "";
}

EpilogueWork::EpilogueWork(Output output, int64_t rows, int64_t cols, int64_t channels, int64_t groups, int planes,
                           std::shared_ptr<OutputMemory> memory)
    : output_(output),
      planes_(planes),
      group_channels_(channels),
      group_words_(WordsFor(channels)),
      scale_(RandomFloats(PaddedChannels(channels))),
      bias_(RandomFloats(PaddedChannels(channels))),
      slope_(RandomFloats(PaddedChannels(channels))),
      float_thresholds_(RandomFloats(kernels::HighestLevel(planes) * PaddedChannels(channels))),
      thresholds_(kernels::HighestLevel(planes) * PaddedChannels(channels)),
      flip_(group_words_),
      memory_(memory != nullptr ? std::move(memory) : std::make_shared<OutputMemory>()) {
  const int64_t pixels = rows * cols;
  const int64_t floats = groups * channels, words = groups * group_words_;
  float_strides_ = {pixels * floats, cols * floats, floats};
  bits_strides_ = {.image = pixels * words, .row = cols * words, .pixel = words, .plane = pixels * words};
  OutputMemory& to = *memory_;
  const int64_t bits = output == Output::kBits || output == Output::kShortcut ? planes * pixels * words : 0;
  if (to.bits.count() < bits) to.bits = Buffer<uint32_t>(bits);
  if (output != Output::kBits && to.floats.count() < pixels * floats) to.floats = Buffer<float>(pixels * floats);
  if (output == Output::kResidual && to.residual.count() < pixels * floats) to.residual = RandomFloats(pixels * floats);
}

kernels::Epilogue EpilogueWork::Bind(int64_t group, kernels::EpilogueStep* steps) const {
  kernels::Epilogue epilogue;
  if (output_ == Output::kBits || output_ == Output::kShortcut) {
    epilogue.bits = memory_->bits.data() + group * group_words_;
    epilogue.bits_strides = bits_strides_;
    epilogue.planes = planes_;
    epilogue.threshold_stride = PaddedChannels(group_channels_);
  }
  if (output_ == Output::kShortcut) epilogue.thresholds = float_thresholds_.data();
  if (output_ == Output::kBits) {
    epilogue.int_thresholds = thresholds_.data();
    epilogue.flip = flip_.data();
    return epilogue;
  }
  steps[0] = {};
  steps[0].kind = kernels::StepKind::kAffine;
  steps[0].a = scale_.data();
  steps[0].b = bias_.data();
  epilogue.num_steps = 1;
  float* const out = memory_->floats.data() + group * group_channels_;
  if (output_ != Output::kFloats) {
    steps[1] = {};
    steps[1].kind = kernels::StepKind::kAdd;
    steps[1].a = output_ == Output::kResidual ? memory_->residual.data() + group * group_channels_ : out;
    steps[1].strides = float_strides_;
    epilogue.num_steps = 2;
  }
  if (output_ == Output::kResidual || output_ == Output::kInPlace) {
    steps[2] = {};
    steps[2].kind = kernels::StepKind::kPRelu;
    steps[2].a = slope_.data();
    epilogue.num_steps = 3;
  }
  epilogue.steps = steps;
  epilogue.out = out;
  epilogue.out_strides = float_strides_;
  return epilogue;
}

int64_t EpilogueWork::constant_bytes() const {
  switch (output_) {
    case Output::kFloats:
      return scale_.bytes() + bias_.bytes();
    case Output::kBits:
      return thresholds_.bytes() + flip_.bytes();
    case Output::kResidual:
    case Output::kInPlace:
      return scale_.bytes() + bias_.bytes() + slope_.bytes();
    case Output::kShortcut:
      return scale_.bytes() + bias_.bytes() + float_thresholds_.bytes();
  }
  return 0;
}

}  // namespace bnn::bench
