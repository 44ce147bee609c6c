// The limits of the processor and of a step: what the measurement fills, and the roofline on figures that are known.
#include "engine/limits.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bnn::engine {
namespace {

// 100 binary, 10 float, 20 int8 multiply-adds a second; 16 KiB read at 8 bytes a second, 64 KiB at 2.
bnn_limits KnownLimits() {
  bnn_limits limits = BNN_LIMITS_INIT;
  limits.binary_macs = 100;
  limits.float32_macs = 10;
  limits.int8_macs = 20;
  limits.num_bandwidths = 3;
  limits.bandwidths[0] = {16 << 10, 8, 4};
  limits.bandwidths[1] = {32 << 10, 4, 2};
  limits.bandwidths[2] = {64 << 10, 2, 3};
  return limits;
}

bnn_step_info Step(bnn_arithmetic arithmetic, int64_t macs, int64_t read, int64_t written) {
  bnn_step_info step = BNN_STEP_INFO_INIT;
  step.arithmetic = arithmetic;
  step.macs = macs;
  step.bytes_read = read;
  step.bytes_written = written;
  return step;
}

bnn_step_limit LimitOf(const bnn_step_info& step) {
  const Result<bnn_step_limit> limit = StepLimit(KnownLimits(), step);
  REQUIRE_MESSAGE(limit.ok(), limit.status().message());
  return *limit;
}

TEST_CASE("a step takes no less than its arithmetic") {
  CHECK(LimitOf(Step(BNN_ARITHMETIC_BINARY, 500, 8, 4)).seconds == 5);
  CHECK(LimitOf(Step(BNN_ARITHMETIC_FLOAT32, 500, 8, 4)).seconds == 50);
  CHECK(LimitOf(Step(BNN_ARITHMETIC_INT8, 500, 8, 4)).seconds == 25);
  CHECK(LimitOf(Step(BNN_ARITHMETIC_INT8, 500, 8, 4)).data_seconds == 1);
}

TEST_CASE("nor than reading or writing its bytes, whatever takes longer") {
  const bnn_step_limit reading = LimitOf(Step(BNN_ARITHMETIC_BINARY, 100, 80, 4));
  CHECK(reading.arithmetic_seconds == 1);
  CHECK(reading.data_seconds == 10);
  CHECK(reading.seconds == 10);
  CHECK(LimitOf(Step(BNN_ARITHMETIC_NONE, 0, 8, 40)).seconds == 10);
  CHECK(LimitOf(Step(BNN_ARITHMETIC_NONE, 0, 0, 0)).seconds == 0);
}

TEST_CASE("the bandwidth is that of the largest working set that the step's is not below") {
  const auto seconds = [](int64_t bytes) { return LimitOf(Step(BNN_ARITHMETIC_NONE, 0, bytes, 0)).seconds; };
  CHECK(seconds(32 << 10) == (32 << 10) / 4.0);
  CHECK(seconds((32 << 10) - 256) == ((32 << 10) - 256) / 8.0);
  CHECK(seconds((64 << 10) - 256) == ((64 << 10) - 256) / 4.0);
  CHECK(seconds(64 << 10) == (64 << 10) / 2.0);
  CHECK(seconds(1 << 30) == (1 << 30) / 2.0);
  // Reads and writes share the working set; writing 64 KiB was measured as faster than writing 32 KiB.
  CHECK(LimitOf(Step(BNN_ARITHMETIC_NONE, 0, 8, 40 << 10)).seconds == (40 << 10) / 3.0);
}

TEST_CASE("a limit that is missing is no limit at all") {
  bnn_limits limits = KnownLimits();
  limits.int8_macs = 0;
  const auto limit = StepLimit(limits, Step(BNN_ARITHMETIC_INT8, 1, 0, 0));
  REQUIRE(limit.ok());
  CHECK(std::isinf(limit->seconds));
}

TEST_CASE("what makes no sense is refused with its field") {
  const auto message = [](const bnn_limits& limits, const bnn_step_info& step) {
    const auto limit = StepLimit(limits, step);
    CHECK(limit.status().code() == StatusCode::kInvalidArgument);
    return limit.status().message();
  };
  bnn_step_info step = Step(BNN_ARITHMETIC_BINARY, 1, 1, 1);
  step.arithmetic = 4;
  CHECK(message(KnownLimits(), step).find("arithmetic: found 4") != std::string::npos);
  CHECK(message(KnownLimits(), Step(BNN_ARITHMETIC_BINARY, -1, 1, 1)).find("negative") != std::string::npos);
  bnn_limits limits = KnownLimits();
  for (const int32_t count : {0, BNN_MAX_BANDWIDTHS + 1}) {
    limits.num_bandwidths = count;
    CHECK(message(limits, Step(BNN_ARITHMETIC_BINARY, 1, 1, 1)).find("num_bandwidths") != std::string::npos);
  }
  CHECK(StepLimit(KnownLimits(), Step(BNN_ARITHMETIC_BINARY, 1, INT64_MAX, INT64_MAX)).ok());
}

TEST_CASE("measured limits are complete") {
  for (const int threads : {1, 2}) {
    LimitsOptions options;
    options.threads = threads;
    options.max_isa = kernels::BestIsa();
    options.seconds = 1e-5;
    options.max_bytes = 100 << 10;
    const auto limits = MeasureLimits(options);
    REQUIRE_MESSAGE(limits.ok(), limits.status().message());
    for (const double rate : {limits->binary_macs, limits->float32_macs, limits->int8_macs}) {
      CHECK(rate > 0);
      CHECK(std::isfinite(rate));
    }
    for (const char* operations : {limits->binary_operations, limits->float32_operations, limits->int8_operations}) {
      REQUIRE(operations != nullptr);
      CHECK(std::string(operations) != "");
    }
    CHECK((limits->handover_seconds > 0) == (options.threads > 1));
    REQUIRE(limits->num_bandwidths == 3);
    for (int32_t i = 0; i < 3; ++i) {
      CHECK(limits->bandwidths[i].bytes == (16 << 10) << i);
      CHECK(limits->bandwidths[i].read > 0);
      CHECK(limits->bandwidths[i].write > 0);
    }
  }
}

TEST_CASE("more threads than the smallest working set has steps still have a part each") {
  LimitsOptions options;
  options.threads = 70;
  options.seconds = 1e-6;
  options.max_bytes = 1;
  const auto limits = MeasureLimits(options);
  REQUIRE(limits.ok());
  CHECK(limits->num_bandwidths == 1);
}

TEST_CASE("options out of range") {
  LimitsOptions options;
  options.seconds = -1;
  CHECK(MeasureLimits(options).status().message().find("seconds") != std::string::npos);
  options.seconds = std::nan("");
  CHECK(MeasureLimits(options).status().message().find("seconds") != std::string::npos);
  for (const int threads : {0, -1, 1 << 20}) {
    options = {};
    options.threads = threads;
    CHECK(MeasureLimits(options).status().message().find("threads: found") != std::string::npos);
  }
  options = {};
  options.max_bytes = -1;
  CHECK(MeasureLimits(options).status().message().find("max_bytes") != std::string::npos);
}

class NoStep final : public engine::Step {
  Status Run(const RunContext&) const override { return OkStatus(); }
};

TEST_CASE("a step reads each tensor once, under whatever name, and its weights") {
  Plan plan;
  for (const int64_t bytes : {100, 100, 40, 7}) {
    plan.tensors.emplace_back();
    plan.tensors.back().bytes = bytes;
  }
  plan.tensors[1].alias_of = 0;  // a reshape
  NoStep step;
  step.inputs = {0, 1, 2, 2};
  step.outputs = {3};
  step.description.weight_bytes = 1000;
  const Traffic traffic = TrafficOf(plan, step);
  CHECK(traffic.read == 1140);
  CHECK(traffic.written == 7);
  step.description.input_bytes = 10;  // a slice
  CHECK(TrafficOf(plan, step).read == 1050);
}

TEST_CASE("the arithmetic of a step") {
  StepDescription description;
  description.is_binary = true;
  CHECK(ArithmeticOf(description) == BNN_ARITHMETIC_NONE);
  description.macs = 1;
  CHECK(ArithmeticOf(description) == BNN_ARITHMETIC_BINARY);
  description.is_binary = false;
  CHECK(ArithmeticOf(description) == BNN_ARITHMETIC_FLOAT32);
  description.is_int8 = true;
  CHECK(ArithmeticOf(description) == BNN_ARITHMETIC_INT8);
}

}  // namespace
}  // namespace bnn::engine
