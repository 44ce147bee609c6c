#include "engine/model.h"

#include <cstdlib>
#include <utility>

#include "engine/compile/compile.h"
#include "kernels/cpu_features.h"

namespace bnn::engine {
namespace {

// The instruction set that kernels may use. One that was asked for but is not there is an error, never a silent
// fallback: a test that forces an ISA must not pass by running another.
Result<kernels::Isa> ChooseIsa(const std::string& option) {
  std::string name = option;
  std::string origin = "max_isa";
  if (name.empty()) {
    const char* environment = std::getenv("BNN_MAX_ISA");
    if (environment == nullptr || *environment == '\0') return kernels::BestIsa();
    name = environment;
    origin = "BNN_MAX_ISA";
  }
  kernels::Isa isa;
  if (!kernels::IsaFromName(name, &isa)) {
    std::string known;
    for (const kernels::Isa one : kernels::kAllIsas) known += std::string(known.empty() ? "" : ", ") + IsaName(one);
    return InvalidArgument(origin + ": found '" + name + "', expected one of " + known);
  }
  if (!kernels::IsaSupported(isa)) {
    return Unsupported(origin + ": this CPU lacks '" + name + "', its best is '" + IsaName(kernels::BestIsa()) + "'");
  }
  return isa;
}

IoTensor MakeIo(const formats::TensorDef& tensor, int64_t batch) {
  IoTensor io;
  io.name = tensor.name;
  io.dims = tensor.dims;
  io.dims.insert(io.dims.begin(), batch);
  io.bytes = batch * formats::ElementCount(tensor.dims) * static_cast<int64_t>(sizeof(float));
  return io;
}

}  // namespace

Result<LoadedModel> LoadModel(const formats::ModelDef& model, const ModelOptions& options) {
  CompileOptions compile;
  compile.batch = options.batch != 0 ? options.batch : (model.source_batch != 0 ? model.source_batch : 1);
  compile.threads = options.threads != 0 ? options.threads : 1;
  if (compile.batch < 1 || compile.batch > kMaxBatch) {
    return InvalidArgument("batch: found " + std::to_string(compile.batch) + ", expected 1 to " +
                           std::to_string(kMaxBatch));
  }
  if (compile.threads < 1 || compile.threads > kMaxThreads) {
    return InvalidArgument("threads: found " + std::to_string(compile.threads) + ", expected 1 to " +
                           std::to_string(kMaxThreads));
  }
  BNN_ASSIGN_OR_RETURN(compile.max_isa, ChooseIsa(options.max_isa));

  LoadedModel loaded;
  BNN_ASSIGN_OR_RETURN(loaded.plan, Compile(model, compile));
  for (const formats::InputDef& input : model.inputs) {
    IoTensor io = MakeIo(model.tensors[static_cast<size_t>(input.tensor)], compile.batch);
    io.layout = input.layout;
    io.preprocessing = input.preprocessing;
    loaded.inputs.push_back(std::move(io));
  }
  for (const int output : model.outputs) {
    loaded.outputs.push_back(MakeIo(model.tensors[static_cast<size_t>(output)], compile.batch));
  }
  return loaded;
}

}  // namespace bnn::engine
