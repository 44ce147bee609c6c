#include "tools/bnn_run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "tools/bnn_run/array.h"

namespace bnn::run {
namespace {

Result<Model> LoadModel(const Runner::Options& options) {
  const ModelOptions wanted{options.batch, options.threads, options.max_isa};
  auto model = Model::Load(options.path, wanted);
  const StatusCode code = model.status().code();
  const bool may_be_the_batch = code == StatusCode::kInvalidArgument || code == StatusCode::kUnsupported;
  if (model.ok() || options.batch == 0 || !may_be_the_batch) return model;
  ModelOptions own_batch = wanted;
  own_batch.batch = 0;
  auto fixed = Model::Load(options.path, own_batch);
  return fixed.ok() ? std::move(fixed) : std::move(model);
}

// `runs` buffers, one after the other, for each tensor.
std::vector<std::vector<float>> MakeTensors(const std::vector<TensorInfo>& infos, int64_t runs) {
  std::vector<std::vector<float>> tensors;
  for (const TensorInfo& info : infos) tensors.emplace_back(info.size() * static_cast<size_t>(runs));
  return tensors;
}

}  // namespace

Result<Runner> Runner::Load(const Options& options) {
  BNN_ASSIGN_OR_RETURN(Model model, LoadModel(options));
  BNN_ASSIGN_OR_RETURN(Session session, Session::Create(model, options.profile));
  Runner runner(std::move(model), std::move(session));
  BNN_RETURN_IF_ERROR(runner.Prepare(options));
  return runner;
}

Status Runner::Prepare(const Options& options) {
  profile_ = options.profile;
  input_infos_ = model_.inputs();
  output_infos_ = model_.outputs();
  plan_ = model_.plan();
  if (input_infos_.empty() || output_infos_.empty() || input_infos_[0].dims.empty()) {
    return Unsupported(fmt::format("{}: bnn-run needs a model with inputs, outputs and a batch", options.path));
  }
  model_batch_ = input_infos_[0].dims[0];
  for (const TensorInfo& info : input_infos_) {
    if (info.dims.empty() || info.dims[0] != model_batch_ || model_batch_ < 1) {
      return Unsupported(fmt::format("{}: input '{}' is {}, whose first dimension is not the batch of {}", options.path,
                                     info.name, ShapeString(info.dims), model_batch_));
    }
  }
  batch_ = options.batch == 0 ? model_batch_ : options.batch;
  runs_ = (batch_ + model_batch_ - 1) / model_batch_;
  inputs_ = MakeTensors(input_infos_, runs_);
  outputs_ = MakeTensors(output_infos_, runs_);
  input_buffers_.resize(inputs_.size());
  output_buffers_.resize(outputs_.size());
  step_seconds_.resize(plan_.size());
  return OkStatus();
}

Result<int64_t> Runner::OutputSampleSize(size_t index) const {
  const TensorInfo& info = output_infos_[index];
  if (info.dims.empty() || info.dims[0] != model_batch_) {
    return Unsupported(
        fmt::format("output '{}' is {}, whose first dimension is not the batch of {}: it cannot be split into samples",
                    info.name, ShapeString(info.dims), model_batch_));
  }
  return static_cast<int64_t>(info.size()) / model_batch_;
}

Result<double> Runner::Run() {
  using Clock = std::chrono::steady_clock;
  std::fill(step_seconds_.begin(), step_seconds_.end(), 0.0);
  double seconds = 0;
  for (size_t run = 0; run < static_cast<size_t>(runs_); ++run) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      input_buffers_[i] = {inputs_[i].data() + run * input_infos_[i].size(), input_infos_[i].bytes};
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      output_buffers_[i] = {outputs_[i].data() + run * output_infos_[i].size(), output_infos_[i].bytes};
    }
    const Clock::time_point start = Clock::now();
    BNN_RETURN_IF_ERROR(session_.Run(input_buffers_, output_buffers_));
    seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!profile_) continue;
    for (size_t step = 0; step < step_seconds_.size(); ++step) step_seconds_[step] += session_.step_seconds(step);
  }
  return seconds;
}

}  // namespace bnn::run
