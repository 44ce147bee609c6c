// bnn.h over the engine. Nothing throws across this boundary.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "engine/model.h"
#include "engine/session.h"
#include "formats/reader.h"
#include "kernels/cpu_features.h"

struct bnn_model {
  std::shared_ptr<const bnn::engine::LoadedModel> loaded;
};

struct bnn_session {
  std::shared_ptr<const bnn::engine::LoadedModel> loaded;
  bnn::engine::Session session;
};

namespace {

using bnn::InvalidArgument;
using bnn::OkStatus;
using bnn::Result;
using bnn::Status;

static_assert(static_cast<int>(bnn::StatusCode::kInternal) == BNN_INTERNAL);
static_assert(static_cast<int>(bnn::StatusCode::kUnsupported) == BNN_UNSUPPORTED);

bnn_status Report(const Status& status, bnn_error* error) {
  const auto code = static_cast<bnn_status>(status.code());
  if (!status.ok() && error != nullptr) {
    error->status = code;
    const size_t length = std::min(status.message().size(), sizeof(error->message) - 1);
    std::memcpy(error->message, status.message().data(), length);
    error->message[length] = '\0';
  }
  return code;
}

// Runs `fn`, which returns a Status, and turns exceptions into one.
template <typename Fn>
bnn_status Guarded(bnn_error* error, const Fn& fn) {
  try {
    return Report(fn(), error);
  } catch (const std::bad_alloc&) {
    return Report(bnn::OutOfMemory("out of memory"), error);
  } catch (const std::exception& e) {
    return Report(bnn::InternalError(e.what()), error);
  } catch (...) {
    return Report(bnn::InternalError("unknown exception"), error);
  }
}

// The caller's struct as this library knows it: fields that an older caller does not have keep their defaults.
template <typename T>
Status ReadStruct(const T* from, const char* name, T* to) {
  if (from == nullptr) return OkStatus();
  if (from->struct_size < sizeof(from->struct_size)) {
    return InvalidArgument(std::string(name) + ".struct_size is not set: use the BNN_..._INIT macro");
  }
  const size_t own_size = to->struct_size;
  std::memcpy(to, from, std::min(from->struct_size, own_size));
  to->struct_size = own_size;
  return OkStatus();
}

// Writes as much as the caller's version of the struct holds.
template <typename T>
Status WriteStruct(const T& from, const char* name, T* to) {
  if (to == nullptr) return InvalidArgument(std::string(name) + " is NULL");
  if (to->struct_size < sizeof(to->struct_size)) {
    return InvalidArgument(std::string(name) + ".struct_size is not set: use the BNN_..._INIT macro");
  }
  const size_t caller_size = to->struct_size;
  std::memcpy(to, &from, std::min(caller_size, sizeof(T)));
  to->struct_size = caller_size;
  return OkStatus();
}

Status Load(const Result<bnn::formats::ModelDef>& def, const bnn_model_options* options, bnn_model** model) {
  BNN_RETURN_IF_ERROR(def.ok() ? OkStatus() : def.status());
  bnn_model_options known = BNN_MODEL_OPTIONS_INIT;
  BNN_RETURN_IF_ERROR(ReadStruct(options, "options", &known));
  bnn::engine::ModelOptions engine_options;
  engine_options.batch = known.batch;
  engine_options.threads = known.threads;
  if (known.max_isa != nullptr) engine_options.max_isa = known.max_isa;
  BNN_ASSIGN_OR_RETURN(bnn::engine::LoadedModel loaded, bnn::engine::LoadModel(*def, engine_options));
  *model = new bnn_model{std::make_shared<const bnn::engine::LoadedModel>(std::move(loaded))};
  return OkStatus();
}

Status FillTensorInfo(const std::vector<bnn::engine::IoTensor>& tensors, size_t index, bnn_tensor_info* info) {
  if (index >= tensors.size()) {
    return InvalidArgument("index: found " + std::to_string(index) + ", expected less than " +
                           std::to_string(tensors.size()));
  }
  const bnn::engine::IoTensor& tensor = tensors[index];
  bnn_tensor_info result = BNN_TENSOR_INFO_INIT;
  result.name = tensor.name.c_str();
  result.rank = static_cast<int32_t>(tensor.dims.size());
  std::copy(tensor.dims.begin(), tensor.dims.end(), result.dims);
  result.bytes = static_cast<size_t>(tensor.bytes);
  result.layout = static_cast<bnn_layout>(tensor.layout);
  result.num_mean = tensor.preprocessing.mean.size();
  result.num_scale = tensor.preprocessing.scale.size();
  result.mean = tensor.preprocessing.mean.data();
  result.scale = tensor.preprocessing.scale.data();
  return WriteStruct(result, "info", info);
}

static_assert(bnn::formats::kMaxRank + 1 <= BNN_MAX_RANK);
static_assert(static_cast<int>(bnn::formats::ImageLayout::kNhwc) == BNN_LAYOUT_NHWC);

}  // namespace

extern "C" {

const char* bnn_version(void) { return BNN_VERSION; }

bnn_status bnn_model_load(const char* path, const bnn_model_options* options, bnn_model** model, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (path == nullptr || model == nullptr) return InvalidArgument("path or model is NULL");
    return Load(bnn::formats::ReadModelFile(path), options, model);
  });
}

bnn_status bnn_model_load_memory(const void* data, size_t size, const bnn_model_options* options, bnn_model** model,
                                 bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (data == nullptr || model == nullptr) return InvalidArgument("data or model is NULL");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    return Load(bnn::formats::ParseModel(bytes, "(memory)"), options, model);
  });
}

void bnn_model_free(bnn_model* model) { delete model; }

size_t bnn_model_num_inputs(const bnn_model* model) { return model == nullptr ? 0 : model->loaded->inputs.size(); }
size_t bnn_model_num_outputs(const bnn_model* model) { return model == nullptr ? 0 : model->loaded->outputs.size(); }

bnn_status bnn_model_input_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    return FillTensorInfo(model->loaded->inputs, index, info);
  });
}

bnn_status bnn_model_output_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    return FillTensorInfo(model->loaded->outputs, index, info);
  });
}

bnn_status bnn_session_create(const bnn_model* model, const bnn_session_options* options, bnn_session** session,
                              bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr || session == nullptr) return InvalidArgument("model or session is NULL");
    bnn_session_options known = BNN_SESSION_OPTIONS_INIT;
    BNN_RETURN_IF_ERROR(ReadStruct(options, "options", &known));
    *session = new bnn_session{model->loaded, bnn::engine::Session(model->loaded, known.profile != 0)};
    return OkStatus();
  });
}

void bnn_session_free(bnn_session* session) { delete session; }

bnn_status bnn_session_run(bnn_session* session, const bnn_buffer* inputs, size_t num_inputs, const bnn_buffer* outputs,
                           size_t num_outputs, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    return session->session.Run(inputs, num_inputs, outputs, num_outputs);
  });
}

size_t bnn_session_memory(const bnn_session* session) {
  return session == nullptr ? 0 : session->session.memory_bytes();
}

size_t bnn_model_num_steps(const bnn_model* model) { return model == nullptr ? 0 : model->loaded->plan.steps.size(); }

bnn_status bnn_model_step_info(const bnn_model* model, size_t index, bnn_step_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    const auto& steps = model->loaded->plan.steps;
    if (index >= steps.size()) {
      return InvalidArgument("index: found " + std::to_string(index) + ", expected less than " +
                             std::to_string(steps.size()));
    }
    const bnn::engine::StepDescription& step = steps[index]->description;
    bnn_step_info result = BNN_STEP_INFO_INIT;
    result.name = step.name.c_str();
    result.op = step.op.c_str();
    result.kernel = step.kernel.c_str();
    result.shape = step.shape.c_str();
    result.reason = step.reason.c_str();
    result.macs = step.macs;
    result.is_binary = step.is_binary ? 1 : 0;
    result.weight_bytes = step.weight_bytes;
    return WriteStruct(result, "info", info);
  });
}

bnn_status bnn_session_step_time(const bnn_session* session, size_t index, double* seconds, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr || seconds == nullptr) return InvalidArgument("session or seconds is NULL");
    if (!session->session.profiles()) return InvalidArgument("the session was created without profile");
    const std::vector<double>& times = session->session.step_seconds();
    if (index >= times.size()) {
      return InvalidArgument("index: found " + std::to_string(index) + ", expected less than " +
                             std::to_string(times.size()));
    }
    *seconds = times[index];
    return OkStatus();
  });
}

const char* bnn_cpu_isa(void) { return bnn::kernels::IsaName(bnn::kernels::BestIsa()); }

}  // extern "C"
