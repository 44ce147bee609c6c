#include "tools/bnn_run/runner.h"

#include <fmt/format.h>

#include <chrono>

#include "tools/bnn_run/array.h"

namespace bnn::run {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A buffer for each tensor, and the view of it that runs need.
void MakeBuffers(const std::vector<TensorInfo>& infos, std::vector<std::vector<float>>& tensors,
                 std::vector<bnn_buffer>& buffers) {
  for (const TensorInfo& info : infos) {
    tensors.emplace_back(info.size());
    buffers.push_back({tensors.back().data(), info.bytes});  // moving the outer vector keeps the address
  }
}

// The dims of all inputs when images have that size.
Result<std::vector<std::vector<int64_t>>> DimsAt(const std::vector<TensorInfo>& inputs, int64_t height, int64_t width) {
  std::vector<std::vector<int64_t>> result;
  bool has_image = false;
  for (const TensorInfo& info : inputs) {
    result.push_back(info.dims);
    if (info.layout == BNN_LAYOUT_NONE || info.dims.size() != 4) continue;
    const size_t rows = info.layout == BNN_LAYOUT_NCHW ? 2 : 1;
    result.back()[rows] = height;
    result.back()[rows + 1] = width;
    has_image = true;
  }
  if (!has_image) return InvalidArgument("--resolution is for models whose input is an image");
  return result;
}

}  // namespace

Result<Runner> Runner::Load(const Options& options) {
  const Clock::time_point start = Clock::now();
  BNN_ASSIGN_OR_RETURN(Model model,
                       Model::Load(options.path, {options.batch, options.threads, options.max_isa, options.cpus}));
  if (!options.cpus.empty()) BNN_RETURN_IF_ERROR(MoveThread(options.cpus));
  SessionOptions session_options;
  session_options.profile = options.profile;
  if (options.height != 0) {
    BNN_ASSIGN_OR_RETURN(session_options.input_dims, DimsAt(model.inputs(), options.height, options.width));
  }
  BNN_ASSIGN_OR_RETURN(Session session, Session::Create(model, session_options));
  Runner runner(std::move(model), std::move(session));
  BNN_RETURN_IF_ERROR(runner.Prepare(options));
  runner.load_seconds_ = SecondsSince(start);
  return runner;
}

Status Runner::Prepare(const Options& options) {
  profile_ = options.profile;
  input_infos_ = session_.inputs();
  output_infos_ = session_.outputs();
  plan_ = session_.plan();
  if (input_infos_.empty() || output_infos_.empty() || input_infos_[0].dims.empty()) {
    return Unsupported(fmt::format("{}: bnn-run needs a model with inputs, outputs and a batch", options.path));
  }
  batch_ = input_infos_[0].dims[0];
  for (const TensorInfo& info : input_infos_) {
    if (info.dims.empty() || info.dims[0] != batch_ || batch_ < 1) {
      return Unsupported(fmt::format("{}: input '{}' is {}, whose first dimension is not the batch of {}", options.path,
                                     info.name, ShapeString(info.dims), batch_));
    }
  }
  MakeBuffers(input_infos_, inputs_, input_buffers_);
  MakeBuffers(output_infos_, outputs_, output_buffers_);
  step_seconds_.resize(plan_.size());
  return OkStatus();
}

Result<int64_t> Runner::OutputSampleSize(size_t index) const {
  const TensorInfo& info = output_infos_[index];
  if (info.dims.empty() || info.dims[0] != batch_) {
    return Unsupported(
        fmt::format("output '{}' is {}, whose first dimension is not the batch of {}: it cannot be split into samples",
                    info.name, ShapeString(info.dims), batch_));
  }
  return static_cast<int64_t>(info.size()) / batch_;
}

Result<double> Runner::Run() {
  const Clock::time_point start = Clock::now();
  BNN_RETURN_IF_ERROR(session_.Run(input_buffers_, output_buffers_));
  const double seconds = SecondsSince(start);
  if (first_run_seconds_ == 0) first_run_seconds_ = seconds;
  if (profile_) {
    for (size_t step = 0; step < step_seconds_.size(); ++step) step_seconds_[step] = session_.step_seconds(step);
  }
  return seconds;
}

}  // namespace bnn::run
