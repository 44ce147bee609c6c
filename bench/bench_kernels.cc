// The binary kernels of the tables: binary GMAC/s (one binary multiply-accumulate is one bit of an XNOR and its count)
// and the share of what this core can do at most (bench/popcount_limit.h), measured beside every repetition.
//
//   bench_kernels [--benchmark_filter=REGEX] [--benchmark_repetitions=N] [any google-benchmark flag]
//
// Prints the median of the repetitions, which are interleaved at random: other load on the machine then hits all
// kernels alike.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/popcount_limit.h"
#include "kernels/bconv2d/bconv2d.h"
#include "kernels/bdense/bdense.h"

namespace bnn::bench {
namespace {

using kernels::BConv2dKernel;
using kernels::BDenseKernel;
using kernels::kChannelBlock;
using kernels::PaddedChannels;
using kernels::WordsFor;

// 64-byte aligned, as the engine's arena.
template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count) : count_((static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64 / sizeof(T)) {
    data_.reset(static_cast<T*>(std::aligned_alloc(64, count_ * sizeof(T))));
    std::fill(data_.get(), data_.get() + count_, T{});
  }
  T* data() { return data_.get(); }
  void Randomize(std::mt19937& random) {
    for (size_t i = 0; i < count_; ++i) data_[i] = static_cast<T>(random());
  }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  size_t count_;
  std::unique_ptr<T[], Free> data_;
};

constexpr char kRate[] = "GMAC/s";
constexpr char kLimit[] = "limit";
constexpr char kShare[] = "share";

// What leaves the kernel: floats after an affine step (batch-norm), or bits by integer thresholds.
enum class Output { kFloats, kBits };

const char* NameOf(Output output) { return output == Output::kFloats ? "floats" : "bits"; }

// An epilogue and its buffers for `pixels` pixels of `channels` channels in rows of `width` pixels.
class OutputBuffers {
 public:
  OutputBuffers(Output output, int64_t pixels, int64_t width, int64_t channels)
      : scale_(PaddedChannels(channels)),
        bias_(PaddedChannels(channels)),
        thresholds_(PaddedChannels(channels)),
        flip_(WordsFor(channels)),
        floats_(pixels * channels),
        bits_(pixels * WordsFor(channels)) {
    step_.kind = kernels::StepKind::kAffine;
    step_.a = scale_.data();
    step_.b = bias_.data();
    if (output == Output::kFloats) {
      epilogue_.steps = &step_;
      epilogue_.num_steps = 1;
      epilogue_.out = floats_.data();
      epilogue_.out_strides = {pixels * channels, width * channels, channels};
    } else {
      epilogue_.bits = bits_.data();
      epilogue_.bits_strides = {pixels * WordsFor(channels), width * WordsFor(channels), WordsFor(channels)};
      epilogue_.int_thresholds = thresholds_.data();
      epilogue_.flip = flip_.data();
    }
  }
  OutputBuffers(const OutputBuffers&) = delete;
  const kernels::Epilogue& epilogue() const { return epilogue_; }

 private:
  Buffer<float> scale_, bias_;
  Buffer<int32_t> thresholds_;
  Buffer<uint32_t> flip_;
  Buffer<float> floats_;
  Buffer<uint32_t> bits_;
  kernels::EpilogueStep step_;
  kernels::Epilogue epilogue_;
};

// Runs and times the kernel. `macs`: binary multiply-accumulates of one run.
template <class Run>
void Measure(benchmark::State& state, kernels::Isa isa, int64_t macs, Run run) {
  const double begin = ThreadSeconds();
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double seconds = ThreadSeconds() - begin;
  const double rate = static_cast<double>(macs) * static_cast<double>(state.iterations()) / seconds;
  const double limit = PopcountLimit(isa);
  state.counters[kRate] = rate * 1e-9;
  state.counters[kLimit] = limit * 1e-9;
  state.counters[kShare] = limit > 0 ? 100 * rate / limit : 0;
}

struct ConvCase {
  int64_t size, in, out, kernel, stride;

  std::string Name() const {
    return std::to_string(kernel) + "x" + std::to_string(kernel) + (stride == 1 ? "" : "s" + std::to_string(stride)) +
           "/" + std::to_string(size) + "x" + std::to_string(size) + "x" + std::to_string(in) + "->" +
           std::to_string(out);
  }
};
constexpr ConvCase kConvCases[] = {
    {56, 64, 64, 3, 1}, {28, 128, 128, 3, 1}, {14, 256, 256, 3, 1}, {7, 512, 512, 3, 1}, {56, 64, 128, 3, 2},
    {56, 64, 64, 1, 1}, {28, 128, 128, 1, 1}, {14, 256, 256, 1, 1}, {7, 512, 512, 1, 1},
};

void RunConv(benchmark::State& state, const BConv2dKernel* kernel, const ConvCase& c, Output output) {
  kernels::BConv2dShape shape;
  shape.in_h = shape.in_w = c.size;
  shape.in_channels = c.in;
  shape.out_channels = c.out;
  shape.kernel_h = shape.kernel_w = c.kernel;
  shape.stride_h = shape.stride_w = c.stride;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = c.kernel / 2;

  std::mt19937 random(1);
  const int64_t words = WordsFor(c.in);
  const int64_t halo = c.size + 2 * (c.kernel / 2);
  Buffer<uint32_t> in(halo * halo * words);
  Buffer<uint32_t> weights(kernel->packed_words(shape));
  in.Randomize(random);
  weights.Randomize(random);
  Buffer<int32_t> base(PaddedChannels(c.out));
  const int64_t pixels = shape.out_h() * shape.out_w();
  OutputBuffers buffers(output, pixels, shape.out_w(), c.out);

  kernels::BConv2dArgs args;
  args.in = in.data();
  args.in_strides = {halo * halo * words, halo * words, words};
  args.weights = weights.data();
  args.base = base.data();
  args.epilogue = buffers.epilogue();
  args.image_end = 1;
  args.row_end = shape.out_h();
  args.block_end = PaddedChannels(c.out) / kChannelBlock;
  Measure(state, kernel->isa, pixels * c.out * shape.terms(), [&] { kernel->run(shape, args); });
}

struct DenseCase {
  int64_t rows, in, out;

  std::string Name() const { return std::to_string(rows) + "x" + std::to_string(in) + "->" + std::to_string(out); }
};
constexpr DenseCase kDenseCases[] = {{1, 512, 1000}, {1, 1024, 1024}, {1, 4096, 4096}, {64, 1024, 1024}};

void RunDense(benchmark::State& state, const BDenseKernel* kernel, const DenseCase& c, Output output) {
  const kernels::BDenseShape shape = {c.rows, c.in, c.out};
  std::mt19937 random(1);
  Buffer<uint32_t> in(c.rows * WordsFor(c.in));
  Buffer<uint32_t> weights(kernel->packed_words(shape));
  in.Randomize(random);
  weights.Randomize(random);
  OutputBuffers buffers(output, c.rows, c.rows, c.out);

  kernels::BDenseArgs args;
  args.in = in.data();
  args.in_row_stride = WordsFor(c.in);
  args.weights = weights.data();
  args.epilogue = buffers.epilogue();
  args.row_end = c.rows;
  args.block_end = PaddedChannels(c.out) / kChannelBlock;
  Measure(state, kernel->isa, c.rows * c.in * c.out, [&] { kernel->run(shape, args); });
}

template <class List, class Case, class Function>
void RegisterTable(const List& list, const Case& cases, Function function) {
  for (int64_t i = 0; i < list.size; ++i) {
    const auto* kernel = list.begin[i];
    if (!kernels::IsaSupported(kernel->isa)) continue;
    for (const auto& c : cases) {
      for (Output output : {Output::kFloats, Output::kBits}) {
        const std::string name = std::string(kernel->name) + "/" + c.Name() + "/" + NameOf(output);
        benchmark::RegisterBenchmark(name.c_str(), function, kernel, c, output);
      }
    }
  }
}

// The name of the CPU as Linux gives it.
std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

// One line a benchmark: the median of its repetitions.
class MedianReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override {
    std::printf("%s\nlimit: the arithmetic of the inner loop on registers only; share: of that limit\n\n",
                CpuName().c_str());
    std::printf("%-58s %12s %9s %9s %7s\n", "kernel/window/input->output/what leaves", "us", "GMAC/s", "limit",
                "share");
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) std::printf("%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
      const bool single = run.run_type == Run::RT_Iteration && run.repetitions <= 1;
      if (!single && run.aggregate_name != "median") continue;
      const double limit = run.counters.at(kLimit).value;
      std::printf("%-58s %12.2f %9.1f", run.run_name.str().c_str(), run.GetAdjustedCPUTime() * 1e-3,
                  run.counters.at(kRate).value);
      if (limit > 0) std::printf(" %9.1f %6.1f%%", limit, run.counters.at(kShare).value);
      std::printf("\n");
    }
    std::fflush(stdout);
  }
};

int Main(int argc, char** argv) {
  RegisterTable(kernels::BConv2dKernels(), kConvCases, RunConv);
  RegisterTable(kernels::BDenseKernels(), kDenseCases, RunDense);

  // Our defaults come first, so that flags of the command line override them.
  std::string defaults[] = {"--benchmark_repetitions=5", "--benchmark_min_time=0.02",
                            "--benchmark_enable_random_interleaving=true"};
  std::vector<char*> arguments = {argv[0]};
  for (std::string& flag : defaults) arguments.push_back(flag.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return EXIT_FAILURE;
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace bnn::bench

int main(int argc, char** argv) { return bnn::bench::Main(argc, argv); }
