// A loaded model with its session and the buffers of one batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"

namespace bnn::run {

class Runner {
 public:
  struct Options {
    std::string path;
    int64_t batch = 0;              // 0: what the model fixed, or 1
    int64_t height = 0, width = 0;  // of images; 0: the model's
    int32_t threads = 1;
    std::string max_isa;
    std::string cpus;  // for this thread, too; empty: as the library chooses
    bool profile = false;
  };

  static Result<Runner> Load(const Options& options);

  // Runs what is in the inputs. Returns the seconds that it took.
  Result<double> Run();

  // batch() samples.
  std::span<float> input(size_t index) { return inputs_[index]; }
  std::span<const float> output(size_t index) const { return outputs_[index]; }

  // Values of one sample of an output, or an error where the first dimension of the output is not the batch.
  Result<int64_t> OutputSampleSize(size_t index) const;

  // Seconds of each step of the plan in the last Run(); zeros unless loaded with profile.
  std::span<const double> step_seconds() const { return step_seconds_; }

  // From the call of Load until runs could begin; and of the first run, which finds all caches cold.
  double load_seconds() const { return load_seconds_; }
  double first_run_seconds() const { return first_run_seconds_; }

  int64_t batch() const { return batch_; }
  const std::vector<TensorInfo>& input_infos() const { return input_infos_; }
  const std::vector<TensorInfo>& output_infos() const { return output_infos_; }
  const std::vector<StepInfo>& plan() const { return plan_; }
  MemoryInfo memory() const { return session_.memory(); }

 private:
  Runner(Model model, Session session) : model_(std::move(model)), session_(std::move(session)) {}
  Status Prepare(const Options& options);

  Model model_;
  Session session_;
  bool profile_ = false;
  double load_seconds_ = 0, first_run_seconds_ = 0;
  int64_t batch_ = 1;
  std::vector<TensorInfo> input_infos_, output_infos_;
  std::vector<StepInfo> plan_;
  std::vector<std::vector<float>> inputs_, outputs_;
  std::vector<bnn_buffer> input_buffers_, output_buffers_;  // views of inputs_ and outputs_
  std::vector<double> step_seconds_;
};

}  // namespace bnn::run
