// Runs one step of the engine alone: a plan of a few tensors, the step from its factory, and buffers for them that are
// aligned to a float and no more, as those of a caller may be.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/ops/make_step.h"
#include "engine/thread_pool.h"

namespace bnn::test {

// Floats at an address that is a multiple of 4, but not of 8.
class UnalignedFloats {
 public:
  explicit UnalignedFloats(size_t count) : memory_(count + 16) {
    first_ = 0;
    while (reinterpret_cast<uintptr_t>(memory_.data() + first_) % 8 != 4) ++first_;
  }
  float* data() { return memory_.data() + first_; }

 private:
  std::vector<float> memory_;
  size_t first_ = 0;
};

class StepHarness {
 public:
  explicit StepHarness(int64_t batch, int threads = 1) {
    plan_.batch = batch;
    plan_.threads = threads;
  }
  StepHarness(const StepHarness&) = delete;

  int Tensor(std::vector<int64_t> dims) {
    engine::PlanTensor tensor;
    tensor.name = "t" + std::to_string(plan_.tensors.size());
    tensor.bytes = plan_.batch * formats::ElementCount(dims) * 4;
    tensor.dims = std::move(dims);
    plan_.tensors.push_back(tensor);
    return static_cast<int>(plan_.tensors.size()) - 1;
  }

  int Blob(std::vector<int64_t> dims, const std::vector<float>& values) {
    formats::Blob blob;
    blob.type = formats::ElementType::kFloat32;
    REQUIRE(formats::ElementCount(dims) == static_cast<int64_t>(values.size()));
    blob.dims = std::move(dims);
    blob.data.resize(values.size() * sizeof(float));
    std::memcpy(blob.data.data(), values.data(), blob.data.size());
    model_.blobs.push_back(std::move(blob));
    return static_cast<int>(model_.blobs.size()) - 1;
  }

  // After the last blob.
  engine::StepContext& context() {
    if (context_ != nullptr) return *context_;
    weights_ = std::make_unique<engine::WeightStore>(&model_);
    context_ = std::make_unique<engine::StepContext>(engine::StepContext{model_, plan_, *weights_});
    return *context_;
  }

  void Take(Result<engine::StepPtr> step) {
    REQUIRE_MESSAGE(step.ok(), step.status().message());
    step_ = *std::move(step);
    CHECK(!step_->description.op.empty());
    CHECK(!step_->description.kernel.empty());
    CHECK(!step_->description.shape.empty());
  }
  const engine::Step& step() const { return *step_; }

  // One run with a state and buffers of its own. `inputs` match step().inputs. Safe to call from several threads.
  std::vector<float> Run(const std::vector<std::vector<float>>& inputs, int repeat = 1) const {
    std::vector<UnalignedFloats> buffers;
    engine::Plan plan;  // the same tensors, each in a caller's buffer
    plan.batch = plan_.batch;
    plan.threads = plan_.threads;
    plan.tensors = plan_.tensors;
    std::vector<bnn_buffer> external;
    for (size_t i = 0; i < plan.tensors.size(); ++i) {
      const auto bytes = static_cast<size_t>(plan.tensors[i].bytes);
      buffers.emplace_back((bytes + 3) / 4);
      plan.tensors[i].place = engine::Place::kInput;
      plan.tensors[i].external_index = static_cast<int64_t>(i);
    }
    // Scratch comes from the arena, which is aligned.
    std::unique_ptr<std::byte, void (*)(void*)> scratch(nullptr, std::free);
    for (size_t i = 0; i < buffers.size(); ++i) {
      external.push_back({buffers[i].data(), static_cast<size_t>(plan.tensors[i].bytes)});
    }
    if (step_->scratch >= 0) {
      const auto bytes = static_cast<size_t>(plan.tensors[static_cast<size_t>(step_->scratch)].bytes);
      scratch.reset(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
      external[static_cast<size_t>(step_->scratch)].data = scratch.get();
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto& buffer = external[static_cast<size_t>(step_->inputs[i])];
      if (inputs[i].size() * sizeof(float) != buffer.bytes) return {};
      std::memcpy(buffer.data, inputs[i].data(), buffer.bytes);
    }
    const bnn_buffer& output = external[static_cast<size_t>(step_->outputs[0])];
    std::memset(output.data, 0xff, output.bytes);  // NaN: an element that is not written shows
    const std::unique_ptr<engine::StepState> state = step_->MakeState();
    engine::RunContext run;
    run.plan = &plan;
    run.inputs = external.data();
    run.state = state.get();
    engine::ThreadPool pool(plan.threads);
    run.pool = &pool;
    for (int i = 0; i < repeat; ++i) {
      if (!step_->Run(run).ok()) return {};
    }
    std::vector<float> result(output.bytes / sizeof(float));
    std::memcpy(result.data(), output.data, output.bytes);
    return result;
  }

 private:
  formats::ModelDef model_;
  engine::Plan plan_;
  std::unique_ptr<engine::WeightStore> weights_;
  std::unique_ptr<engine::StepContext> context_;
  engine::StepPtr step_;
};

inline std::vector<float> RandomFloats(int64_t count, uint32_t seed, float low = -1, float high = 1) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
  }
  return values;
}

// Bit by bit, so that NaN and the sign of zero count.
inline bool BitwiseEqual(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && !a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// |a - b| <= tolerance * (1 + |b|) for every element; false for NaN.
inline bool Near(const std::vector<float>& actual, const std::vector<double>& expected, double tolerance = 1e-5) {
  if (actual.size() != expected.size() || actual.empty()) return false;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double magnitude = 1 + (expected[i] < 0 ? -expected[i] : expected[i]);
    const double difference = static_cast<double>(actual[i]) - expected[i];
    const double error = difference < 0 ? -difference : difference;
    if (!(error <= tolerance * magnitude)) {
      MESSAGE("element " << i << ": " << actual[i] << " instead of " << expected[i]);
      return false;
    }
  }
  return true;
}

}  // namespace bnn::test
