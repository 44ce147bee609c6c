// bnn.h over the engine. Nothing throws across this boundary.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bnn/bnn.h"
#include "bnn/status.h"
#include "engine/c_api_support.h"
#include "engine/limits.h"
#include "engine/model.h"
#include "engine/session.h"
#include "formats/reader.h"
#include "kernels/cpu_features.h"

struct bnn_model {
  std::shared_ptr<const bnn::engine::LoadedModel> loaded;
};

struct bnn_session {
  bnn::engine::Session session;
};

namespace {

using bnn::InvalidArgument;
using bnn::OkStatus;
using bnn::Result;
using bnn::Status;
using bnn::engine::Guarded;
using bnn::engine::ReadStruct;
using bnn::engine::WriteStruct;

static_assert(static_cast<int>(bnn::StatusCode::kInternal) == BNN_INTERNAL);
static_assert(static_cast<int>(bnn::StatusCode::kUnsupported) == BNN_UNSUPPORTED);

Status Load(Result<bnn::formats::ModelDef> def, const bnn_model_options* options, bnn_model** model) {
  BNN_RETURN_IF_ERROR(def.ok() ? OkStatus() : def.status());
  bnn_model_options known = BNN_MODEL_OPTIONS_INIT;
  BNN_RETURN_IF_ERROR(ReadStruct(options, "options", &known));
  bnn::engine::ModelOptions engine_options;
  engine_options.batch = known.batch;
  engine_options.threads = known.threads;
  if (known.max_isa != nullptr) engine_options.max_isa = known.max_isa;
  if (known.cpus != nullptr) engine_options.cpus = known.cpus;
  BNN_ASSIGN_OR_RETURN(auto loaded, bnn::engine::LoadedModel::Load(*std::move(def), engine_options));
  *model = new bnn_model{std::move(loaded)};
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

Status FillStepInfo(const bnn::engine::Plan& plan, size_t index, bnn_step_info* info) {
  if (index >= plan.steps.size()) {
    return InvalidArgument("index: found " + std::to_string(index) + ", expected less than " +
                           std::to_string(plan.steps.size()));
  }
  const bnn::engine::StepDescription& step = plan.steps[index]->description;
  const bnn::engine::Traffic traffic = bnn::engine::TrafficOf(plan, *plan.steps[index]);
  bnn_step_info result = BNN_STEP_INFO_INIT;
  result.name = step.name.c_str();
  result.op = step.op.c_str();
  result.kernel = step.kernel.c_str();
  result.shape = step.shape.c_str();
  result.reason = step.reason.c_str();
  result.macs = step.macs;
  result.is_binary = step.is_binary ? 1 : 0;
  result.weight_bytes = step.weight_bytes;
  result.bytes_read = traffic.read;
  result.bytes_written = traffic.written;
  result.arithmetic = bnn::engine::ArithmeticOf(step);
  return WriteStruct(result, "info", info);
}

Result<std::vector<bnn::engine::Dims>> ToDims(const bnn_shape* shapes, size_t num_shapes) {
  if (shapes == nullptr) return InvalidArgument("shapes is NULL");
  std::vector<bnn::engine::Dims> result;
  for (size_t i = 0; i < num_shapes; ++i) {
    const int32_t rank = shapes[i].rank;
    if (rank < 1 || rank > BNN_MAX_RANK) {
      return InvalidArgument("shapes[" + std::to_string(i) + "].rank: found " + std::to_string(rank) +
                             ", expected 1 to " + std::to_string(BNN_MAX_RANK));
    }
    result.emplace_back(shapes[i].dims, shapes[i].dims + rank);
  }
  return result;
}

// The plan for the model's own sizes.
const bnn::engine::SizedPlan& Own(const bnn_model* model) { return *model->loaded->default_plan(); }

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

size_t bnn_model_num_inputs(const bnn_model* model) { return model == nullptr ? 0 : Own(model).inputs.size(); }
size_t bnn_model_num_outputs(const bnn_model* model) { return model == nullptr ? 0 : Own(model).outputs.size(); }

bnn_status bnn_model_input_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    return FillTensorInfo(Own(model).inputs, index, info);
  });
}

bnn_status bnn_model_output_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    return FillTensorInfo(Own(model).outputs, index, info);
  });
}

bnn_status bnn_session_create(const bnn_model* model, const bnn_session_options* options, bnn_session** session,
                              bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr || session == nullptr) return InvalidArgument("model or session is NULL");
    bnn_session_options known = BNN_SESSION_OPTIONS_INIT;
    BNN_RETURN_IF_ERROR(ReadStruct(options, "options", &known));
    std::shared_ptr<const bnn::engine::SizedPlan> plan = model->loaded->default_plan();
    if (known.input_shapes != nullptr) {
      BNN_ASSIGN_OR_RETURN(const auto dims, ToDims(known.input_shapes, known.num_input_shapes));
      BNN_ASSIGN_OR_RETURN(plan, model->loaded->PlanFor(dims));
    }
    *session = new bnn_session{bnn::engine::Session(model->loaded, std::move(plan), known.profile != 0)};
    return OkStatus();
  });
}

void bnn_session_free(bnn_session* session) { delete session; }

bnn_status bnn_session_resize(bnn_session* session, const bnn_shape* shapes, size_t num_shapes, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    BNN_ASSIGN_OR_RETURN(const auto dims, ToDims(shapes, num_shapes));
    return session->session.Resize(dims);
  });
}

bnn_status bnn_session_input_info(const bnn_session* session, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    return FillTensorInfo(session->session.plan().inputs, index, info);
  });
}

bnn_status bnn_session_output_info(const bnn_session* session, size_t index, bnn_tensor_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    return FillTensorInfo(session->session.plan().outputs, index, info);
  });
}

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

bnn_status bnn_session_memory_info(const bnn_session* session, bnn_memory_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    bnn_memory_info result = BNN_MEMORY_INFO_INIT;
    result.arena_bytes = session->session.memory_bytes();
    result.live_bytes = static_cast<size_t>(session->session.plan().plan.live_bytes);
    result.weight_bytes = static_cast<size_t>(session->session.model().weight_bytes());
    return WriteStruct(result, "info", info);
  });
}

size_t bnn_model_num_steps(const bnn_model* model) { return model == nullptr ? 0 : Own(model).plan.steps.size(); }

bnn_status bnn_model_step_info(const bnn_model* model, size_t index, bnn_step_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (model == nullptr) return InvalidArgument("model is NULL");
    return FillStepInfo(Own(model).plan, index, info);
  });
}

size_t bnn_session_num_steps(const bnn_session* session) {
  return session == nullptr ? 0 : session->session.plan().plan.steps.size();
}

bnn_status bnn_session_step_info(const bnn_session* session, size_t index, bnn_step_info* info, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    if (session == nullptr) return InvalidArgument("session is NULL");
    return FillStepInfo(session->session.plan().plan, index, info);
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

bnn_status bnn_move_thread(const char* cpus, bnn_error* error) {
  return Guarded(error, [&]() -> Status {
    BNN_ASSIGN_OR_RETURN(const bnn::engine::CpuList list, bnn::engine::ChooseCpus(cpus == nullptr ? "" : cpus, 1));
    if (list.empty() || bnn::engine::StayOn(list)) return OkStatus();
    return bnn::Unsupported("the system does not let this thread move to other CPUs");
  });
}

const char* bnn_cpu_isa(void) { return bnn::kernels::IsaName(bnn::kernels::BestIsa()); }

}  // extern "C"
