#include "engine/limits.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "engine/aligned_buffer.h"
#include "engine/model.h"
#include "engine/parallel.h"
#include "kernels/limits/limits.h"

namespace bnn::engine {
namespace {

constexpr double kDefaultSeconds = 0.5e-3;
constexpr double kMaxSeconds = 10;
constexpr int64_t kSmallestBytes = 16 << 10;  // in any first-level cache
constexpr int64_t kDefaultMaxBytes = 16 << 20;
constexpr int kSamples = 4;

double Now() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Seconds of one work(thread) on all threads at once: the fastest of a few samples, since all that disturbs makes it
// slower, and the limit is what the processor can do. The samples together take about `seconds`.
template <typename Work>
double FastestSeconds(ThreadPool& pool, double seconds, const Work& work) {
  const auto sample = [&](int64_t repeats) {
    const double before = Now();
    ParallelFor(pool, pool.threads(), [&](int64_t begin, int64_t end) {
      for (int64_t thread = begin; thread < end; ++thread) {
        for (int64_t i = 0; i < repeats; ++i) work(thread);
      }
    });
    return std::max(Now() - before, 1e-9);
  };
  sample(1);  // brings data into caches, and wakes threads and wide vector units
  int64_t repeats = 1;
  double once = sample(repeats);
  while (once < seconds / (2 * kSamples)) {
    repeats *= 2;
    once = sample(repeats);
  }
  double fastest = once;
  for (int i = 1; i < kSamples; ++i) fastest = std::min(fastest, sample(repeats));
  return fastest / static_cast<double>(repeats);
}

// Of a step without work; the fastest of a few samples, each of many steps in a row, as in a run.
double HandoverSeconds(ThreadPool& pool) {
  if (pool.threads() == 1) return 0;
  constexpr int kSteps = 50;
  double fastest = std::numeric_limits<double>::max();
  for (int i = 0; i < kSamples; ++i) {
    const double before = Now();
    for (int step = 0; step < kSteps; ++step) pool.Run(pool.threads(), [](int) {});
    fastest = std::min(fastest, Now() - before);
  }
  return fastest / kSteps;
}

double MacsPerSecond(ThreadPool& pool, const kernels::ArithmeticProbe& probe, const LimitsOptions& options) {
  const double seconds = FastestSeconds(pool, options.seconds, [&](int64_t) { RunProbe(probe); });
  return static_cast<double>(options.threads * MacsOf(probe)) / seconds;
}

// Each thread has its own part of the working set.
bnn_bandwidth MeasureBandwidth(ThreadPool& pool, std::byte* data, int64_t bytes, const LimitsOptions& options) {
  const int64_t part = std::max(bytes / options.threads / kernels::kMemoryStep, int64_t{1}) * kernels::kMemoryStep;
  const auto total = static_cast<double>(part * options.threads);
  const double write = FastestSeconds(
      pool, options.seconds, [&](int64_t thread) { kernels::WriteAll(options.max_isa, data + thread * part, part); });
  double read = std::numeric_limits<double>::infinity();
  for (const kernels::ReadWay way : kernels::kReadWays) {
    read = std::min(read, FastestSeconds(pool, options.seconds, [&](int64_t thread) {
                      kernels::ReadAll(options.max_isa, data + thread * part, part, way);
                    }));
  }
  return {bytes, total / read, total / write};
}

// Of `amount` at `rate` a second.
double Seconds(int64_t amount, double rate) {
  if (amount == 0) return 0;
  return rate > 0 ? static_cast<double>(amount) / rate : std::numeric_limits<double>::infinity();
}

Status CheckStep(const bnn_step_info& step) {
  if (step.macs < 0 || step.bytes_read < 0 || step.bytes_written < 0) {
    return InvalidArgument("step: macs and bytes must not be negative");
  }
  if (step.arithmetic < BNN_ARITHMETIC_NONE || step.arithmetic > BNN_ARITHMETIC_INT8) {
    return InvalidArgument("step.arithmetic: found " + std::to_string(step.arithmetic) + ", expected 0 to " +
                           std::to_string(static_cast<int>(BNN_ARITHMETIC_INT8)));
  }
  return OkStatus();
}

double ArithmeticSeconds(const bnn_limits& limits, const bnn_step_info& step) {
  switch (static_cast<bnn_arithmetic>(step.arithmetic)) {
    case BNN_ARITHMETIC_NONE:
      return 0;
    case BNN_ARITHMETIC_BINARY:
      return Seconds(step.macs, limits.binary_macs);
    case BNN_ARITHMETIC_FLOAT32:
      return Seconds(step.macs, limits.float32_macs);
    case BNN_ARITHMETIC_INT8:
      return Seconds(step.macs, limits.int8_macs);
  }
  return 0;
}

Result<bnn_bandwidth> BandwidthAt(const bnn_limits& limits, int64_t bytes) {
  if (limits.num_bandwidths < 1 || limits.num_bandwidths > BNN_MAX_BANDWIDTHS) {
    return InvalidArgument("limits.num_bandwidths: found " + std::to_string(limits.num_bandwidths) +
                           ", expected 1 to " + std::to_string(BNN_MAX_BANDWIDTHS));
  }
  int32_t first = 0;
  while (first + 1 < limits.num_bandwidths && limits.bandwidths[first + 1].bytes <= bytes) ++first;
  bnn_bandwidth best = limits.bandwidths[first];
  for (int32_t i = first; i < limits.num_bandwidths; ++i) {
    best.read = std::max(best.read, limits.bandwidths[i].read);
    best.write = std::max(best.write, limits.bandwidths[i].write);
  }
  return best;
}

}  // namespace

Result<bnn_limits> MeasureLimits(const LimitsOptions& asked) {
  LimitsOptions options = asked;
  if (options.seconds == 0) options.seconds = kDefaultSeconds;
  if (options.max_bytes == 0) options.max_bytes = kDefaultMaxBytes;
  if (!(options.seconds > 0 && options.seconds <= kMaxSeconds)) {
    return InvalidArgument("options.seconds: found " + std::to_string(options.seconds) + ", expected more than 0 to " +
                           std::to_string(kMaxSeconds));
  }
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return InvalidArgument("options.threads: found " + std::to_string(options.threads) + ", expected 1 to " +
                           std::to_string(kMaxThreads));
  }
  if (options.max_bytes < 0) {
    return InvalidArgument("options.max_bytes: found " + std::to_string(options.max_bytes) + ", expected 0 or more");
  }
  std::vector<int64_t> sizes = {kSmallestBytes};
  while (static_cast<int>(sizes.size()) < BNN_MAX_BANDWIDTHS && sizes.back() * 2 <= options.max_bytes) {
    sizes.push_back(sizes.back() * 2);
  }

  // oneDNN asks the CPU alone what it may use, so its limits do not depend on max_isa.
  using kernels::Arithmetic;
  const kernels::ArithmeticProbe& binary = FindProbe(Arithmetic::kBinary, options.max_isa);
  const kernels::ArithmeticProbe& float32 = FindProbe(Arithmetic::kFloat32, kernels::BestIsa());
  const kernels::ArithmeticProbe& int8 = FindProbe(Arithmetic::kInt8, kernels::BestIsa());
  bnn_limits limits = BNN_LIMITS_INIT;
  ThreadPool pool(options.threads);
  limits.binary_macs = MacsPerSecond(pool, binary, options);
  limits.float32_macs = MacsPerSecond(pool, float32, options);
  limits.int8_macs = MacsPerSecond(pool, int8, options);
  limits.handover_seconds = HandoverSeconds(pool);
  limits.binary_operations = binary.operations;
  limits.float32_operations = float32.operations;
  limits.int8_operations = int8.operations;

  const int64_t bytes = sizes.back() + options.threads * kernels::kMemoryStep;  // parts are at least a step
  AlignedBuffer<std::byte> data(static_cast<size_t>(bytes));
  for (const int64_t size : sizes) {
    limits.bandwidths[limits.num_bandwidths++] = MeasureBandwidth(pool, data.data(), size, options);
  }
  return limits;
}

Result<bnn_step_limit> StepLimit(const bnn_limits& limits, const bnn_step_info& step) {
  BNN_RETURN_IF_ERROR(CheckStep(step));
  bnn_step_limit limit = BNN_STEP_LIMIT_INIT;
  limit.arithmetic_seconds = ArithmeticSeconds(limits, step);
  int64_t bytes = 0;
  if (__builtin_add_overflow(step.bytes_read, step.bytes_written, &bytes)) bytes = std::numeric_limits<int64_t>::max();
  BNN_ASSIGN_OR_RETURN(const bnn_bandwidth bandwidth, BandwidthAt(limits, bytes));
  limit.data_seconds = std::max(Seconds(step.bytes_read, bandwidth.read), Seconds(step.bytes_written, bandwidth.write));
  limit.seconds = std::max(limit.arithmetic_seconds, limit.data_seconds);
  return limit;
}

Traffic TrafficOf(const Plan& plan, const Step& step) {
  const auto tensor_of = [&](int t) { return &plan.tensors[static_cast<size_t>(t)]; };
  const StepDescription& description = step.description;
  Traffic traffic{description.weight_bytes, 0};
  std::vector<const PlanTensor*> read;
  for (const int input : step.inputs) {
    const PlanTensor* root = tensor_of(input);
    while (root->alias_of >= 0) root = tensor_of(root->alias_of);
    if (std::find(read.begin(), read.end(), root) != read.end()) continue;
    const bool is_part = read.empty() && description.input_bytes >= 0;
    traffic.read += is_part ? description.input_bytes : tensor_of(input)->bytes;
    read.push_back(root);
  }
  for (const int output : step.outputs) traffic.written += tensor_of(output)->bytes;
  return traffic;
}

bnn_arithmetic ArithmeticOf(const StepDescription& description) {
  if (description.macs == 0) return BNN_ARITHMETIC_NONE;
  if (description.is_binary) return BNN_ARITHMETIC_BINARY;
  return description.is_int8 ? BNN_ARITHMETIC_INT8 : BNN_ARITHMETIC_FLOAT32;
}

}  // namespace bnn::engine
