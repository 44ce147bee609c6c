// bnn for C++: header-only, move-only RAII over bnn.h. No exceptions: what can fail returns Result<T> or Status.
//
//   auto model = bnn::Model::Load("model.bnn");
//   if (!model.ok()) return Fail(model.status().message());
//   auto session = bnn::Session::Create(*model);
//   std::vector<float> logits(session->output_size(0));
//   Status status = session->Run(pixels, logits);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bnn/bnn.h"
#include "bnn/status.h"

namespace bnn {

namespace internal {

inline Status ToStatus(bnn_status code, const bnn_error& error) {
  return code == BNN_OK ? OkStatus() : Status(static_cast<StatusCode>(code), error.message);
}

struct ModelDeleter {
  void operator()(bnn_model* model) const { bnn_model_free(model); }
};
struct SessionDeleter {
  void operator()(bnn_session* session) const { bnn_session_free(session); }
};

}  // namespace internal

struct ModelOptions {
  int64_t batch = 0;  // see bnn_model_options
  int32_t threads = 1;
  std::string max_isa;    // empty: the environment's BNN_MAX_ISA, or all that this CPU has
  std::string cpus = {};  // as "4-7"; empty: the fastest ones of which there are enough for `threads`
};

// What a model takes or gives; see bnn_tensor_info.
struct TensorInfo {
  std::string name;
  std::vector<int64_t> dims;  // dims[0] is the batch
  size_t bytes = 0;
  bnn_layout layout = BNN_LAYOUT_NONE;
  std::vector<float> mean;
  std::vector<float> scale;

  size_t size() const { return bytes / sizeof(float); }
};

// One step of the compiled plan; see bnn_step_info.
struct StepInfo {
  std::string name, op, kernel, shape, reason;
  int64_t macs = 0;
  bool is_binary = false;
  int64_t weight_bytes = 0;
  int64_t bytes_read = 0, bytes_written = 0;
  bnn_arithmetic arithmetic = BNN_ARITHMETIC_NONE;
};

// Moves the calling thread to these CPUs; see bnn_move_thread.
inline Status MoveThread(const std::string& cpus) {
  bnn_error error{};
  const bnn_status status = bnn_move_thread(cpus.empty() ? nullptr : cpus.c_str(), &error);
  return status == BNN_OK ? OkStatus() : internal::ToStatus(status, error);
}

// What the processor can do at most; see bnn_measure_limits. max_isa empty: as in ModelOptions.
inline Result<bnn_limits> MeasureLimits(int32_t threads = 1, const std::string& max_isa = {}, int64_t max_bytes = 0) {
  bnn_limits_options options = BNN_LIMITS_OPTIONS_INIT;
  options.threads = threads;
  options.max_isa = max_isa.empty() ? nullptr : max_isa.c_str();
  options.max_bytes = max_bytes;
  bnn_limits limits = BNN_LIMITS_INIT;
  bnn_error error{};
  const bnn_status status = bnn_measure_limits(&options, &limits, &error);
  if (status != BNN_OK) return internal::ToStatus(status, error);
  return limits;
}

// The least time that a step can take; see bnn_find_step_limit.
inline Result<bnn_step_limit> FindStepLimit(const bnn_limits& limits, const StepInfo& step) {
  bnn_step_info info = BNN_STEP_INFO_INIT;
  info.macs = step.macs;
  info.bytes_read = step.bytes_read;
  info.bytes_written = step.bytes_written;
  info.arithmetic = step.arithmetic;
  bnn_step_limit limit = BNN_STEP_LIMIT_INIT;
  bnn_error error{};
  const bnn_status status = bnn_find_step_limit(&limits, &info, &limit, &error);
  if (status != BNN_OK) return internal::ToStatus(status, error);
  return limit;
}

// Where memory goes; see bnn_memory_info.
struct MemoryInfo {
  size_t arena_bytes = 0;
  size_t live_bytes = 0;
  size_t weight_bytes = 0;
};

namespace internal {

template <typename Handle, typename GetInfo>
std::vector<TensorInfo> TensorInfos(const Handle* handle, size_t count, GetInfo get_info) {
  std::vector<TensorInfo> infos;
  for (size_t i = 0; i < count; ++i) {
    bnn_tensor_info info = BNN_TENSOR_INFO_INIT;
    if (get_info(handle, i, &info, nullptr) != BNN_OK) break;
    infos.push_back({info.name,
                     {info.dims, info.dims + info.rank},
                     info.bytes,
                     info.layout,
                     {info.mean, info.mean + info.num_mean},
                     {info.scale, info.scale + info.num_scale}});
  }
  return infos;
}

template <typename Handle, typename GetInfo>
std::vector<StepInfo> StepInfos(const Handle* handle, size_t count, GetInfo get_info) {
  std::vector<StepInfo> steps;
  for (size_t i = 0; i < count; ++i) {
    bnn_step_info info = BNN_STEP_INFO_INIT;
    if (get_info(handle, i, &info, nullptr) != BNN_OK) break;
    steps.push_back({info.name, info.op, info.kernel, info.shape, info.reason, info.macs, info.is_binary != 0,
                     info.weight_bytes, info.bytes_read, info.bytes_written,
                     static_cast<bnn_arithmetic>(info.arithmetic)});
  }
  return steps;
}

}  // namespace internal

// An immutable compiled network. May be used by many threads at once.
class Model {
 public:
  static Result<Model> Load(const std::string& path, const ModelOptions& options = {}) {
    bnn_model* model = nullptr;
    bnn_error error{};
    const bnn_model_options c_options = ToC(options);
    const bnn_status status = bnn_model_load(path.c_str(), &c_options, &model, &error);
    if (status != BNN_OK) return internal::ToStatus(status, error);
    return Model(model);
  }

  // `bytes`: the contents of a .bnn file; not needed any more after the call.
  static Result<Model> LoadMemory(std::span<const std::byte> bytes, const ModelOptions& options = {}) {
    bnn_model* model = nullptr;
    bnn_error error{};
    const bnn_model_options c_options = ToC(options);
    const bnn_status status = bnn_model_load_memory(bytes.data(), bytes.size(), &c_options, &model, &error);
    if (status != BNN_OK) return internal::ToStatus(status, error);
    return Model(model);
  }

  std::vector<TensorInfo> inputs() const {
    return internal::TensorInfos(get(), bnn_model_num_inputs(get()), bnn_model_input_info);
  }
  std::vector<TensorInfo> outputs() const {
    return internal::TensorInfos(get(), bnn_model_num_outputs(get()), bnn_model_output_info);
  }

  // For the sizes of the model.
  std::vector<StepInfo> plan() const {
    return internal::StepInfos(get(), bnn_model_num_steps(get()), bnn_model_step_info);
  }

  const bnn_model* get() const { return model_.get(); }

 private:
  explicit Model(bnn_model* model) : model_(model) {}

  static bnn_model_options ToC(const ModelOptions& options) {
    bnn_model_options c_options = BNN_MODEL_OPTIONS_INIT;
    c_options.batch = options.batch;
    c_options.threads = options.threads;
    c_options.max_isa = options.max_isa.empty() ? nullptr : options.max_isa.c_str();
    c_options.cpus = options.cpus.empty() ? nullptr : options.cpus.c_str();
    return c_options;
  }

  std::unique_ptr<bnn_model, internal::ModelDeleter> model_;
};

struct SessionOptions {
  bool profile = false;
  std::vector<std::vector<int64_t>> input_dims;  // as for Session::Resize; empty: those of the model
};

// The working memory of one run. One thread at a time.
class Session {
 public:
  static Result<Session> Create(const Model& model, const SessionOptions& options) {
    bnn_session* session = nullptr;
    bnn_error error{};
    std::vector<bnn_shape> shapes;
    BNN_RETURN_IF_ERROR(ToC(options.input_dims, &shapes));
    bnn_session_options c_options = BNN_SESSION_OPTIONS_INIT;
    c_options.profile = options.profile ? 1 : 0;
    c_options.input_shapes = shapes.empty() ? nullptr : shapes.data();
    c_options.num_input_shapes = shapes.size();
    const bnn_status status = bnn_session_create(model.get(), &c_options, &session, &error);
    if (status != BNN_OK) return internal::ToStatus(status, error);
    Session result(session, bnn_model_num_inputs(model.get()), bnn_model_num_outputs(model.get()));
    result.ReadOutputSizes();
    return result;
  }
  static Result<Session> Create(const Model& model, bool profile = false) {
    return Create(model, SessionOptions{profile, {}});
  }

  // Elements of output `index`, batch included.
  size_t output_size(size_t index) const { return output_sizes_[index]; }

  // What the session takes and gives: as the model's, at the sizes that the session runs.
  std::vector<TensorInfo> inputs() const {
    return internal::TensorInfos(session_.get(), num_inputs_, bnn_session_input_info);
  }
  std::vector<TensorInfo> outputs() const {
    return internal::TensorInfos(session_.get(), output_sizes_.size(), bnn_session_output_info);
  }
  std::vector<StepInfo> plan() const {
    return internal::StepInfos(session_.get(), bnn_session_num_steps(session_.get()), bnn_session_step_info);
  }

  // Other sizes from now on: for each input its dims, the batch in front. See bnn_session_resize. On failure the
  // session stays as it was.
  Status Resize(const std::vector<std::vector<int64_t>>& input_dims) {
    bnn_error error{};
    std::vector<bnn_shape> shapes;
    BNN_RETURN_IF_ERROR(ToC(input_dims, &shapes));
    const bnn_status status = bnn_session_resize(session_.get(), shapes.data(), shapes.size(), &error);
    if (status != BNN_OK) return internal::ToStatus(status, error);
    ReadOutputSizes();
    return OkStatus();
  }

  // The same for another batch only.
  Status SetBatch(int64_t batch) {
    std::vector<std::vector<int64_t>> dims;
    for (const TensorInfo& info : inputs()) {
      dims.push_back(info.dims);
      dims.back().front() = batch;
    }
    return Resize(dims);
  }

  // All inputs and outputs in the model's order. Allocates nothing itself.
  Status Run(std::span<const bnn_buffer> inputs, std::span<const bnn_buffer> outputs) {
    bnn_error error{};
    return internal::ToStatus(
        bnn_session_run(session_.get(), inputs.data(), inputs.size(), outputs.data(), outputs.size(), &error), error);
  }

  // For networks with one input and one output.
  Status Run(std::span<const float> input, std::span<float> output) {
    const bnn_buffer in{const_cast<float*>(input.data()), input.size_bytes()};
    const bnn_buffer out{output.data(), output.size_bytes()};
    return Run({&in, 1}, {&out, 1});
  }

  // Seconds of step `index` in the last run; 0 unless created with profile.
  double step_seconds(size_t index) const {
    double seconds = 0;
    return bnn_session_step_time(session_.get(), index, &seconds, nullptr) == BNN_OK ? seconds : 0;
  }

  size_t memory_bytes() const { return bnn_session_memory(session_.get()); }

  MemoryInfo memory() const {
    bnn_memory_info info = BNN_MEMORY_INFO_INIT;
    if (bnn_session_memory_info(session_.get(), &info, nullptr) != BNN_OK) return {};
    return {info.arena_bytes, info.live_bytes, info.weight_bytes};
  }

 private:
  Session(bnn_session* session, size_t num_inputs, size_t num_outputs)
      : session_(session), num_inputs_(num_inputs), output_sizes_(num_outputs) {}

  static Status ToC(const std::vector<std::vector<int64_t>>& dims, std::vector<bnn_shape>* shapes) {
    for (const std::vector<int64_t>& from : dims) {
      if (from.size() > BNN_MAX_RANK) return InvalidArgument("dims: found " + std::to_string(from.size()) + " axes");
      bnn_shape shape{static_cast<int32_t>(from.size()), {}};
      for (size_t i = 0; i < from.size(); ++i) shape.dims[i] = from[i];
      shapes->push_back(shape);
    }
    return OkStatus();
  }

  void ReadOutputSizes() {
    for (size_t i = 0; i < output_sizes_.size(); ++i) {
      bnn_tensor_info info = BNN_TENSOR_INFO_INIT;
      if (bnn_session_output_info(session_.get(), i, &info, nullptr) == BNN_OK) {
        output_sizes_[i] = info.bytes / sizeof(float);
      }
    }
  }

  std::unique_ptr<bnn_session, internal::SessionDeleter> session_;
  size_t num_inputs_;
  std::vector<size_t> output_sizes_;
};

}  // namespace bnn
