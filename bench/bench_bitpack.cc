// Kernels that only stream through memory: packing, unpacking and pooling of bits. Beside the bytes that a kernel reads
// (or, for unpacking, writes) a second stands the speed at which the same core merely reads as many bytes, measured in
// the same process.
//
//   bench_bitpack [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bench/read_bandwidth.h"
#include "kernels/bitpack/bitpack.h"
#include "kernels/bmaxpool/bmaxpool.h"

namespace bnn::bench {
namespace {

// Activations in the middle of common networks; as floats they fill a good part of L2.
struct Image {
  int64_t height, width, channels;
  int64_t pixels() const { return height * width; }
  std::string Name() const {
    return std::to_string(height) + "x" + std::to_string(width) + "x" + std::to_string(channels);
  }
};
constexpr Image kImages[] = {{56, 56, 64}, {28, 28, 128}, {14, 14, 256}, {7, 7, 512}, {32, 32, 3}};

std::vector<float> RandomFloats(int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

std::vector<uint32_t> RandomWords(int64_t count) {
  std::mt19937 random(2);
  std::vector<uint32_t> words(static_cast<size_t>(count));
  for (uint32_t& word : words) word = static_cast<uint32_t>(random());
  return words;
}

// Runs `work` in the benchmark's loop. `bytes` is what one call moves; rates are in 10^9 bytes a second of CPU time.
template <typename Work>
void Measure(benchmark::State& state, int64_t bytes, Work work) {
  const double limit = ReadBandwidth(bytes);
  const double begin = ThreadSeconds();
  for (auto _ : state) {
    work();
    benchmark::ClobberMemory();
  }
  const double rate = static_cast<double>(bytes) * static_cast<double>(state.iterations()) / (ThreadSeconds() - begin);
  state.counters["GB/s"] = rate / 1e9;
  state.counters["read_GB/s"] = limit / 1e9;
  state.counters["share_%"] = 100 * rate / limit;
}

void Pack(benchmark::State& state, const kernels::BitpackKernel* kernel, Image image, bool planar) {
  const int64_t words = kernels::WordsFor(image.channels);
  const std::vector<float> in = RandomFloats(image.pixels() * image.channels);
  const std::vector<float> thresholds = RandomFloats(words * kernels::kBitsPerWord);
  std::vector<uint32_t> bits(static_cast<size_t>(image.pixels() * words));
  const kernels::BitpackArgs args = {.pixels = image.pixels(),
                                     .channels = image.channels,
                                     .in = in.data(),
                                     .in_pixel_stride = planar ? 1 : image.channels,
                                     .in_channel_stride = planar ? image.pixels() : 1,
                                     .thresholds = thresholds.data(),
                                     .bits = bits.data(),
                                     .bits_pixel_stride = words};
  Measure(state, image.pixels() * image.channels * int64_t{sizeof(float)}, [&] { kernel->pack(args); });
}

void Unpack(benchmark::State& state, const kernels::BitpackKernel* kernel, Image image) {
  const int64_t words = kernels::WordsFor(image.channels);
  const std::vector<uint32_t> bits = RandomWords(image.pixels() * words);
  const std::vector<float> lo(static_cast<size_t>(words * kernels::kBitsPerWord), -1.0f);
  const std::vector<float> hi(lo.size(), 1.0f);
  std::vector<float> out(static_cast<size_t>(image.pixels() * image.channels));
  const kernels::BitunpackArgs args = {.pixels = image.pixels(),
                                       .channels = image.channels,
                                       .bits = bits.data(),
                                       .bits_pixel_stride = words,
                                       .lo = lo.data(),
                                       .hi = hi.data(),
                                       .out = out.data(),
                                       .out_pixel_stride = image.channels};
  Measure(state, image.pixels() * image.channels * int64_t{sizeof(float)}, [&] { kernel->unpack(args); });
}

void Pool(benchmark::State& state, const kernels::BMaxPoolKernel* kernel, Image image, int64_t window, int64_t pad) {
  const int64_t words = kernels::WordsFor(image.channels);
  kernels::BMaxPoolShape shape;
  shape.in_h = image.height;
  shape.in_w = image.width;
  shape.channels = image.channels;
  shape.kernel_h = shape.kernel_w = window;
  shape.stride_h = shape.stride_w = 2;
  shape.pad_top = shape.pad_left = pad;
  shape.out_h = (image.height + 2 * pad - window) / 2 + 1;
  shape.out_w = (image.width + 2 * pad - window) / 2 + 1;
  const std::vector<uint32_t> in = RandomWords(image.pixels() * words);
  std::vector<uint32_t> out(static_cast<size_t>(shape.out_h * shape.out_w * words));
  kernels::BMaxPoolArgs args;
  args.in = in.data();
  args.in_strides = {.image = image.pixels() * words, .row = image.width * words, .pixel = words};
  args.out = out.data();
  args.out_strides = {.image = shape.out_h * shape.out_w * words, .row = shape.out_w * words, .pixel = words};
  args.image_end = 1;
  args.row_end = shape.out_h;
  Measure(state, image.pixels() * words * int64_t{sizeof(uint32_t)}, [&] { kernel->run(shape, args); });
}

void RegisterPacking() {
  const kernels::BitpackKernelList list = kernels::BitpackKernels();
  for (int64_t i = 0; i < list.size; ++i) {
    const kernels::BitpackKernel* const kernel = list.begin[i];
    if (!kernels::IsaSupported(kernel->isa)) continue;
    for (const Image& image : kImages) {
      const std::string suffix = "/" + image.Name();
      const std::string name = kernel->name;
      benchmark::RegisterBenchmark((name + "/nhwc" + suffix).c_str(), Pack, kernel, image, false);
      benchmark::RegisterBenchmark((name + "/nchw" + suffix).c_str(), Pack, kernel, image, true);
      benchmark::RegisterBenchmark((name + "/unpack" + suffix).c_str(), Unpack, kernel, image);
    }
  }
}

void RegisterPooling() {
  const kernels::BMaxPoolKernelList list = kernels::BMaxPoolKernels();
  for (int64_t i = 0; i < list.size; ++i) {
    const kernels::BMaxPoolKernel* const kernel = list.begin[i];
    if (!kernels::IsaSupported(kernel->isa)) continue;
    for (const Image& image : kImages) {
      const std::string name = kernel->name;
      benchmark::RegisterBenchmark((name + "/2x2/" + image.Name()).c_str(), Pool, kernel, image, 2, 0);
      benchmark::RegisterBenchmark((name + "/3x3/" + image.Name()).c_str(), Pool, kernel, image, 3, 1);
    }
  }
}

}  // namespace
}  // namespace bnn::bench

int main(int argc, char** argv) {
  bnn::bench::RegisterPacking();
  bnn::bench::RegisterPooling();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return EXIT_SUCCESS;
}
