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
  std::string max_isa;  // empty: the environment's BNN_MAX_ISA, or all that this CPU has
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
};

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

  std::vector<TensorInfo> inputs() const { return Infos(bnn_model_num_inputs(get()), bnn_model_input_info); }
  std::vector<TensorInfo> outputs() const { return Infos(bnn_model_num_outputs(get()), bnn_model_output_info); }

  std::vector<StepInfo> plan() const {
    std::vector<StepInfo> steps;
    for (size_t i = 0; i < bnn_model_num_steps(get()); ++i) {
      bnn_step_info info = BNN_STEP_INFO_INIT;
      if (bnn_model_step_info(get(), i, &info, nullptr) != BNN_OK) break;
      steps.push_back({info.name, info.op, info.kernel, info.shape, info.reason, info.macs, info.is_binary != 0,
                       info.weight_bytes});
    }
    return steps;
  }

  const bnn_model* get() const { return model_.get(); }

 private:
  explicit Model(bnn_model* model) : model_(model) {}

  static bnn_model_options ToC(const ModelOptions& options) {
    bnn_model_options c_options = BNN_MODEL_OPTIONS_INIT;
    c_options.batch = options.batch;
    c_options.threads = options.threads;
    c_options.max_isa = options.max_isa.empty() ? nullptr : options.max_isa.c_str();
    return c_options;
  }

  template <typename GetInfo>
  std::vector<TensorInfo> Infos(size_t count, GetInfo get_info) const {
    std::vector<TensorInfo> infos;
    for (size_t i = 0; i < count; ++i) {
      bnn_tensor_info info = BNN_TENSOR_INFO_INIT;
      if (get_info(get(), i, &info, nullptr) != BNN_OK) break;
      infos.push_back({info.name,
                       {info.dims, info.dims + info.rank},
                       info.bytes,
                       info.layout,
                       {info.mean, info.mean + info.num_mean},
                       {info.scale, info.scale + info.num_scale}});
    }
    return infos;
  }

  std::unique_ptr<bnn_model, internal::ModelDeleter> model_;
};

// The working memory of one run. One thread at a time.
class Session {
 public:
  static Result<Session> Create(const Model& model, bool profile = false) {
    bnn_session* session = nullptr;
    bnn_error error{};
    bnn_session_options options = BNN_SESSION_OPTIONS_INIT;
    options.profile = profile ? 1 : 0;
    const bnn_status status = bnn_session_create(model.get(), &options, &session, &error);
    if (status != BNN_OK) return internal::ToStatus(status, error);
    Session result(session);
    for (const TensorInfo& info : model.outputs()) result.output_sizes_.push_back(info.size());
    return result;
  }

  // Elements of output `index`, batch included.
  size_t output_size(size_t index) const { return output_sizes_[index]; }

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

 private:
  explicit Session(bnn_session* session) : session_(session) {}

  std::unique_ptr<bnn_session, internal::SessionDeleter> session_;
  std::vector<size_t> output_sizes_;
};

}  // namespace bnn
