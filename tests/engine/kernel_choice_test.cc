// Every step that chooses from a table of kernels says which one it took and why it passed over each better one: that
// is what `bnn-run --plan` shows.
#include <doctest/doctest.h>

#include <string>

#include "engine/compile/compile.h"
#include "formats/validate.h"
#include "kernels/bconv2d/bconv2d.h"
#include "kernels/bdense/bdense.h"
#include "kernels/bitpack/bitpack.h"
#include "kernels/bmaxpool/bmaxpool.h"
#include "kernels/eltwise/eltwise.h"
#include "kernels/quantize/quantize.h"
#include "kernels/select.h"
#include "tests/formats/model_builder.h"

namespace bnn::engine {
namespace {

using kernels::Isa;

// One layer of each operation that has a table, named after the operation.
formats::ModelDef EveryTable() {
  formats::ModelBuilder b;
  const int image = b.Input({6, 6, 40});
  const int vector = b.Input({64});
  const int bits = b.Binarize("pack", image);
  formats::BConv2d conv;
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.weights = b.Bits({32, 3, 3, 40}, [](int64_t row, int64_t i) { return (row + i) % 3 == 0; });
  const int conv_bits = b.Binarize("sign", b.Node("conv", conv, {bits}));
  formats::BMaxPool pool;
  pool.window.kernel_h = pool.window.kernel_w = pool.window.stride_h = pool.window.stride_w = 2;
  const int pooled = b.Node("pool", pool, {conv_bits});
  b.Output(b.Node("unpack", formats::Unpack{b.Floats({1}, {-1}), b.Floats({1}, {1})}, {pooled}));
  formats::BDense dense;
  dense.weights = b.Bits({10, 64}, [](int64_t row, int64_t i) { return (row + i) % 5 == 0; });
  b.Output(b.Node("dense", dense, {b.Binarize("pack_vector", vector)}));
  b.Output(b.Affine("eltwise", image, {2}, {1}));
  const int bytes = b.Node("quantize", formats::Quantize{formats::ElementType::kInt8, {0.5f, 3}}, {image});
  b.model().tensors[static_cast<size_t>(bytes)].type = formats::ElementType::kInt8;
  b.Output(b.Node("dequantize", formats::Dequantize{{0.5f, 3}}, {bytes}));
  return b.model();
}

const StepDescription& StepOf(const Plan& plan, const std::string& name) {
  for (const auto& step : plan.steps) {
    if (step->description.name == name) return step->description;
  }
  FAIL("no step " << name);
  return plan.steps.front()->description;
}

// The refusals of a table. `refuse(kernel)`: what a kernel itself has against the shape, or nullptr.
template <class List, class Refuse>
void CheckChoice(const Plan& plan, const std::string& name, const List& list, const Refuse& refuse) {
  const StepDescription& step = StepOf(plan, name);
  CAPTURE(name);
  CAPTURE(std::string(kernels::IsaName(plan.max_isa)));
  CAPTURE(step.reason);
  bool chosen = false;
  for (int64_t i = 0; i < list.size; ++i) {
    const auto& kernel = *list.begin[i];
    CAPTURE(std::string(kernel.name));
    std::string why;
    if (kernel.isa > plan.max_isa) {
      why = std::string(kernel.name) + ": above the maximal instruction set";
    } else if (!kernels::IsaSupported(kernel.isa)) {
      why = std::string(kernel.name) + ": not supported by this CPU";
    } else if (const char* reason = refuse(kernel); reason != nullptr) {
      why = std::string(kernel.name) + ": " + reason;
    } else if (const char* cpu_reason = kernels::RefuseCpu(kernel); cpu_reason != nullptr) {
      why = std::string(kernel.name) + ": " + cpu_reason;
    }
    if (!chosen && why.empty()) {
      chosen = true;
      CHECK(step.kernel == kernel.name);
    }
    if (chosen) {
      CHECK(step.reason.find(std::string(kernel.name) + ":") == std::string::npos);
    } else {
      CHECK(step.reason.find(why) != std::string::npos);
    }
  }
  CHECK(chosen);
}

template <class List>
void CheckChoice(const Plan& plan, const std::string& name, const List& list) {
  CheckChoice(plan, name, list, [](const auto&) -> const char* { return nullptr; });
}

TEST_CASE("the plan names the kernel of each step and the reason of each better one that was refused") {
  const formats::ModelDef model = EveryTable();
  REQUIRE(formats::Validate(model, "test").ok());
  for (const Isa isa : kernels::kAllIsas) {
    formats::ModelDef copy = model;
    WeightStore weights(&copy);
    const Result<Plan> plan = Compile(copy, weights, {.max_isa = isa});
    REQUIRE_MESSAGE(plan.ok(), plan.status().message());
    CheckChoice(*plan, "conv", kernels::BConv2dKernels());
    CheckChoice(*plan, "dense", kernels::BDenseKernels(), [](const kernels::BDenseKernel& kernel) {
      return kernel.refuse({.rows = 1, .in_features = 64, .out_features = 10});
    });
    CheckChoice(*plan, "pack", kernels::BitpackKernels());
    CheckChoice(*plan, "pack_vector", kernels::BitpackKernels());
    CheckChoice(*plan, "unpack", kernels::BitpackKernels());
    CheckChoice(*plan, "pool", kernels::BMaxPoolKernels());
    CheckChoice(*plan, "eltwise", kernels::EltwiseKernels());
    CheckChoice(*plan, "quantize", kernels::QuantizeKernels());
    CheckChoice(*plan, "dequantize", kernels::QuantizeKernels());
  }
}

TEST_CASE("what a kernel has against a shape is a reason too") {
  formats::ModelBuilder b;
  const int input = b.Input({kernels::kMaxTerms + 1});
  formats::BDense dense;
  dense.weights = b.Bits({1, kernels::kMaxTerms + 1}, [](int64_t, int64_t) { return false; });
  b.Output(b.Node("dense", dense, {b.Binarize("pack", input)}));
  WeightStore weights(&b.model());
  const Result<Plan> plan = Compile(b.model(), weights, {.max_isa = kernels::BestIsa()});
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  const StepDescription& step = StepOf(*plan, "dense");
  const kernels::BDenseKernelList list = kernels::BDenseKernels();
  CHECK(step.kernel == list.begin[list.size - 1]->name);
  for (int64_t i = 0; i + 1 < list.size; ++i) {
    if (!kernels::IsaSupported(list.begin[i]->isa)) continue;
    CHECK(step.reason.find(std::string(list.begin[i]->name) + ": more terms") != std::string::npos);
  }
}

}  // namespace
}  // namespace bnn::engine
