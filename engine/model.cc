#include "engine/model.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/choose_isa.h"
#include "formats/resize.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {
namespace {

IoTensor MakeIo(const formats::TensorDef& tensor, int64_t batch) {
  IoTensor io;
  io.name = tensor.name;
  io.dims = tensor.dims;
  io.dims.insert(io.dims.begin(), batch);
  io.bytes = batch * formats::ElementCount(tensor.dims) * static_cast<int64_t>(sizeof(float));
  return io;
}

Status CheckRange(const char* field, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return OkStatus();
  return InvalidArgument(std::string(field) + ": found " + std::to_string(value) + ", expected 1 to " +
                         std::to_string(most));
}

// Checks rank and batch of the inputs' dims and splits them: the batch, and the dims of one sample each.
Result<int64_t> SplitBatch(const std::vector<IoTensor>& inputs, const std::vector<Dims>& input_dims,
                           std::vector<Dims>* samples) {
  if (input_dims.size() != inputs.size()) {
    return InvalidArgument("inputs: found dims of " + std::to_string(input_dims.size()) + ", expected those of " +
                           std::to_string(inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Dims& dims = input_dims[i];
    const std::string found = "input " + std::to_string(i) + " ('" + inputs[i].name + "'): found " + DimsText(dims);
    if (dims.size() != inputs[i].dims.size()) {
      return InvalidArgument(found + ", expected as many axes as " + DimsText(inputs[i].dims));
    }
    if (dims[0] != input_dims[0][0]) {
      return InvalidArgument(found + ", expected the batch of input 0, " + std::to_string(input_dims[0][0]));
    }
    samples->emplace_back(dims.begin() + 1, dims.end());
  }
  const int64_t batch = input_dims.empty() ? 1 : input_dims[0][0];
  BNN_RETURN_IF_ERROR(CheckRange("batch", batch, kMaxBatch));
  return batch;
}

}  // namespace

Result<std::shared_ptr<const LoadedModel>> LoadedModel::Load(formats::ModelDef def, const ModelOptions& options) {
  CompileOptions compile;
  compile.batch = options.batch != 0 ? options.batch : (def.source_batch != 0 ? def.source_batch : 1);
  compile.threads = options.threads != 0 ? options.threads : 1;
  BNN_RETURN_IF_ERROR(CheckRange("batch", compile.batch, kMaxBatch));
  BNN_RETURN_IF_ERROR(CheckRange("threads", compile.threads, kMaxThreads));
  BNN_ASSIGN_OR_RETURN(compile.max_isa, ChooseIsa(options.max_isa));
  std::shared_ptr<LoadedModel> model(new LoadedModel(std::move(def), compile));
  BNN_ASSIGN_OR_RETURN(model->cpus_, ChooseCpus(options.cpus, compile.threads));
  BNN_ASSIGN_OR_RETURN(model->default_plan_, model->MakePlan(model->def_, compile.batch));
  return std::shared_ptr<const LoadedModel>(std::move(model));
}

Result<std::shared_ptr<const SizedPlan>> LoadedModel::PlanFor(const std::vector<Dims>& input_dims) const {
  std::vector<Dims> samples;
  BNN_ASSIGN_OR_RETURN(const int64_t batch, SplitBatch(default_plan_->inputs, input_dims, &samples));
  const auto fits = [&](const SizedPlan& plan) {
    return std::equal(input_dims.begin(), input_dims.end(), plan.inputs.begin(), plan.inputs.end(),
                      [](const Dims& dims, const IoTensor& input) { return dims == input.dims; });
  };
  if (fits(*default_plan_)) return default_plan_;
  const std::lock_guard lock(mutex_);
  std::erase_if(plans_, [](const std::weak_ptr<const SizedPlan>& known) { return known.expired(); });
  for (const std::weak_ptr<const SizedPlan>& known : plans_) {
    std::shared_ptr<const SizedPlan> plan = known.lock();
    if (plan != nullptr && fits(*plan)) return plan;
  }
  BNN_ASSIGN_OR_RETURN(const formats::ModelDef resized, formats::Resize(def_, samples));
  BNN_ASSIGN_OR_RETURN(std::shared_ptr<const SizedPlan> plan, MakePlan(resized, batch));
  plans_.push_back(plan);
  return plan;
}

Result<std::shared_ptr<const SizedPlan>> LoadedModel::MakePlan(const formats::ModelDef& def, int64_t batch) const {
  CompileOptions options = options_;
  options.batch = batch;
  auto sized = std::make_shared<SizedPlan>();
  BNN_ASSIGN_OR_RETURN(sized->plan, Compile(def, weights_, options));
  for (const formats::InputDef& input : def.inputs) {
    IoTensor io = MakeIo(def.tensors[static_cast<size_t>(input.tensor)], batch);
    io.layout = input.layout;
    io.preprocessing = input.preprocessing;
    sized->inputs.push_back(std::move(io));
  }
  for (const int output : def.outputs) {
    sized->outputs.push_back(MakeIo(def.tensors[static_cast<size_t>(output)], batch));
  }
  return std::shared_ptr<const SizedPlan>(std::move(sized));
}

}  // namespace bnn::engine
