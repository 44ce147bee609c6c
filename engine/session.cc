#include "engine/session.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/ops/binary_ops.h"

namespace bnn::engine {
namespace {

// Builds strings only where something is wrong.
Status CheckBuffers(const char* what, const bnn_buffer* buffers, size_t count, const std::vector<IoTensor>& expected) {
  if (count != expected.size()) {
    return InvalidArgument(std::string(what) + "s: found " + std::to_string(count) + " buffers, expected " +
                           std::to_string(expected.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto error = [&](const std::string& text) {
      return InvalidArgument(std::string(what) + " " + std::to_string(i) + " ('" + expected[i].name + "'): " + text);
    };
    if (buffers == nullptr || buffers[i].data == nullptr) return error("data is NULL");
    if (static_cast<int64_t>(buffers[i].bytes) != expected[i].bytes) {
      return error("found " + std::to_string(buffers[i].bytes) + " bytes, expected " +
                   std::to_string(expected[i].bytes));
    }
    if (reinterpret_cast<uintptr_t>(buffers[i].data) % alignof(float) != 0)
      return error("data is not aligned for floats");
  }
  return OkStatus();
}

double Now() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Session::Session(std::shared_ptr<const LoadedModel> model, std::shared_ptr<const SizedPlan> sized, bool profile)
    : model_(std::move(model)),
      plan_(std::move(sized)),
      profiles_(profile),
      pool_(std::make_unique<ThreadPool>(plan_->plan.threads, model_->cpus())),
      arena_(static_cast<size_t>(plan_->plan.arena_bytes)) {
  const Plan& plan = plan_->plan;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    states_.push_back(plan.steps[s]->MakeState());
    for (const int t : plan.steps[s]->outputs) {
      const PlanTensor& tensor = plan.tensors[static_cast<size_t>(t)];
      const bool is_known =
          std::any_of(halos_.begin(), halos_.end(), [t](const Halo& halo) { return halo.tensor == t; });
      if (formats::BitsOf(tensor.type) > 0 && tensor.bits.has_halo() && !is_known) halos_.push_back({s, t});
    }
  }
  if (profile) step_seconds_.assign(plan.steps.size(), 0.0);
}

Status Session::Resize(const std::vector<Dims>& input_dims) {
  BNN_ASSIGN_OR_RETURN(std::shared_ptr<const SizedPlan> plan, model_->PlanFor(input_dims));
  if (plan != plan_) *this = Session(model_, std::move(plan), profiles_);
  return OkStatus();
}

Status Session::Run(const bnn_buffer* inputs, size_t num_inputs, const bnn_buffer* outputs, size_t num_outputs) {
  BNN_RETURN_IF_ERROR(CheckBuffers("input", inputs, num_inputs, plan_->inputs));
  BNN_RETURN_IF_ERROR(CheckBuffers("output", outputs, num_outputs, plan_->outputs));
  const Plan& plan = plan_->plan;
  pool_->Wake();
  RunContext context{&plan, arena_.data(), inputs, outputs, nullptr, pool_.get()};
  size_t next_halo = 0;
  double before = profiles() ? Now() : 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    // Arena memory is shared over time, so a halo is written anew in each run, before its producer writes the interior.
    for (; next_halo < halos_.size() && halos_[next_halo].step == s; ++next_halo) {
      const int t = halos_[next_halo].tensor;
      FillHalo(plan.tensors[static_cast<size_t>(t)].bits, plan.batch, context.Words(t));
    }
    context.state = states_[s].get();
    BNN_RETURN_IF_ERROR(plan.steps[s]->Run(context));
    if (profiles()) {
      const double after = Now();
      step_seconds_[s] = after - before;
      before = after;
    }
  }
  return OkStatus();
}

}  // namespace bnn::engine
