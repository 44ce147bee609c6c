#include "engine/ops/make_step.h"

#include <algorithm>
#include <bit>

namespace bnn::engine {

// Blobs are little-endian on disk and are used where they lie.
static_assert(std::endian::native == std::endian::little, "bnn needs a little-endian CPU");

const float* StepContext::BlobFloats(int blob) const {
  return reinterpret_cast<const float*>(model.blobs[static_cast<size_t>(blob)].data.data());
}

std::shared_ptr<const float> StepContext::SharedFloats(int blob) const {
  if (weights.Holds(blob)) {
    const std::shared_ptr<const WeightStore::Source> source = weights.SourceOf(blob);
    return {source, reinterpret_cast<const float*>(source->data())};
  }
  const auto copy = std::make_shared<const WeightStore::Source>(model.blobs[static_cast<size_t>(blob)].data);
  return {copy, reinterpret_cast<const float*>(copy->data())};
}

AlignedBuffer<float> StepContext::PerChannel(int blob, int64_t channels, int64_t groups) const {
  const int64_t count = formats::ElementCount(model.blobs[static_cast<size_t>(blob)].dims);
  return PaddedPerChannel(BlobFloats(blob), count, channels, groups);
}

AlignedBuffer<float> StepContext::BiasOrZeros(int blob, int64_t channels) const {
  AlignedBuffer<float> bias(static_cast<size_t>(channels));
  if (blob != formats::kNone) std::copy_n(BlobFloats(blob), channels, bias.data());
  return bias;
}

AlignedBuffer<float> PaddedPerChannel(const float* values, int64_t count, int64_t channels, int64_t groups) {
  const int64_t group_channels = channels / groups;
  const int64_t padded = kernels::PaddedChannels(group_channels);
  AlignedBuffer<float> result(static_cast<size_t>(groups * padded));
  for (int64_t c = 0; c < channels; ++c) {
    result[static_cast<size_t>(c / group_channels * padded + c % group_channels)] = values[count == 1 ? 0 : c];
  }
  return result;
}

AlignedBuffer<float> PaddedTable(const std::vector<std::vector<float>>& rows, int64_t channels, int64_t groups) {
  AlignedBuffer<float> result(rows.size() * static_cast<size_t>(groups * kernels::PaddedChannels(channels / groups)));
  float* next = result.data();
  for (const std::vector<float>& row : rows) {
    const AlignedBuffer<float> padded = PaddedPerChannel(row.data(), std::ssize(row), channels, groups);
    next = std::copy_n(padded.data(), padded.size(), next);
  }
  return result;
}

int StepContext::AddScratch(int64_t bytes) {
  PlanTensor scratch;
  scratch.name = "scratch";
  scratch.bytes = bytes;
  plan.tensors.push_back(scratch);
  return static_cast<int>(plan.tensors.size()) - 1;
}

std::string WindowText(const formats::Window2d& window) {
  const auto pair = [](int64_t a, int64_t b) {
    return a == b ? std::to_string(a) : std::to_string(a) + "," + std::to_string(b);
  };
  std::string text = std::to_string(window.kernel_h) + "x" + std::to_string(window.kernel_w);
  text += " s" + pair(window.stride_h, window.stride_w);
  if (window.pad_top == window.pad_bottom && window.pad_left == window.pad_right) {
    if (window.pad_top + window.pad_left > 0) text += " p" + pair(window.pad_top, window.pad_left);
  } else {
    text += " p" + std::to_string(window.pad_top) + "," + std::to_string(window.pad_left) + "," +
            std::to_string(window.pad_bottom) + "," + std::to_string(window.pad_right);
  }
  if (window.dilation_h != 1 || window.dilation_w != 1) text += " d" + pair(window.dilation_h, window.dilation_w);
  return text;
}

}  // namespace bnn::engine
