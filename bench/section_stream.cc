// Kernels that only stream through memory: packing floats into bits, unpacking, pooling bits. Beside each stand two
// speeds of the same core, with the same instruction set, in bytes that are read or written a second:
//
//   read   merely reading as many bytes as the kernel reads and writes, in one piece; the goal is 80 % of that
//   move   merely reading what it reads, then merely writing what it writes. That is what the memory has to do at
//          least: each line that is written comes to L1 first and goes back to L2 afterwards. (Unless both can be done
//          at once: some kernels are faster.)
//
// The goal speaks of data in L2. Bits of most layers lie in L1; for these the same columns are shown.
#include <functional>
#include <string>
#include <vector>

#include "bench/buffer.h"
#include "bench/sections.h"
#include "bench/timing.h"
#include "kernels/bitpack/bitpack.h"
#include "kernels/bmaxpool/bmaxpool.h"
#include "kernels/limits/limits.h"

namespace bnn::bench {
namespace {

struct Image {
  int64_t height, width, channels;
  int64_t pixels() const { return height * width; }
  int64_t words() const { return kernels::WordsFor(channels); }  // of a pixel
  std::string Name() const {
    return std::to_string(height) + "x" + std::to_string(width) + "x" + std::to_string(channels);
  }
};
// Activations in the middle of networks, 100 to 800 KB as floats, two of them with channels that do not fill their
// words, and two of three channels, of which the last one, 12 KB, is read from the first-level cache.
constexpr Image kFloatImages[] = {{56, 56, 64},  {28, 28, 128}, {14, 14, 256}, {7, 7, 512},
                                  {28, 28, 116}, {14, 14, 232}, {224, 224, 3}, {32, 32, 3}};
// With several bits an element.
constexpr Image kLevelImages[] = {{28, 28, 128}, {14, 14, 256}};
// As bits most activations lie in the first-level cache; the last two are 200 and 400 KB.
constexpr Image kBitImages[] = {{56, 56, 64}, {28, 28, 128}, {14, 14, 256}, {56, 56, 512}, {112, 112, 256}};

struct Stream {
  std::string name;
  const char* kernel;
  kernels::Isa isa;
  std::function<void()> run;
  const void* in;  // 64-byte aligned, as `out`
  int64_t in_bytes;
  void* out;
  int64_t out_bytes;

  bool MostlyReads() const { return in_bytes >= out_bytes; }
  int64_t bytes() const { return in_bytes + out_bytes; }
  // So many bytes: the larger one of the two has room for the smaller one behind it.
  const void* both() const { return MostlyReads() ? in : out; }
};

void Measure(const Stream& stream, const Options& options, Report& report) {
  if (!options.WantsRow("stream/" + stream.name + "/" + stream.kernel)) return;
  Contest contest(options.contest);
  const auto add_read = [&](kernels::ReadWay way) {
    return contest.Add([&stream, way] { kernels::ReadAll(stream.isa, stream.both(), stream.bytes(), way); });
  };
  const auto add_move = [&](kernels::ReadWay way) {
    return contest.Add([&stream, way] {
      kernels::ReadAll(stream.isa, stream.in, stream.in_bytes, way);
      kernels::WriteAll(stream.isa, stream.out, stream.out_bytes);
    });
  };
  const int plain_read = add_read(kernels::ReadWay::kPlain), read_ahead = add_read(kernels::ReadWay::kAhead);
  const int kernel = contest.Add(stream.run);
  const int plain_move = add_move(kernels::ReadWay::kPlain), move_ahead = add_move(kernels::ReadWay::kAhead);
  contest.Run();
  const int read = contest.Faster(plain_read, read_ahead);
  const int move = contest.Faster(plain_move, move_ahead);
  const auto rate = [&](int contender) {
    return static_cast<double>(stream.bytes()) / contest.Seconds(contender) * 1e-9;
  };
  report.AddRow({stream.name, stream.kernel, static_cast<double>(stream.bytes()) / 1024, contest.Seconds(kernel) * 1e6,
                 rate(kernel), rate(read), 100 * contest.Speedup(kernel, read), rate(move),
                 100 * contest.Speedup(kernel, move)});
}

// "pack_nhwc/28x28x128", "unpack/28x28x128/2bit".
std::string NameOf(const char* operation, const Image& image, int planes) {
  return operation + ("/" + image.Name()) + (planes > 1 ? "/" + std::to_string(planes) + "bit" : "");
}

void Pack(const kernels::BitpackKernel& kernel, const Image& image, int planes, bool planar, const Options& options,
          Report& report) {
  const int64_t values = image.pixels() * image.channels;
  const int64_t words = image.pixels() * image.words();
  const int64_t padded = image.words() * kernels::kBitsPerWord;
  const Buffer<float> in = RandomFloats(values + planes * words);
  Buffer<float> thresholds(kernels::HighestLevel(planes) * padded);
  for (int64_t i = 0; i < thresholds.count(); ++i) {
    thresholds.data()[i] = static_cast<float>(i / padded + 1) / static_cast<float>(1 << (planes - 1)) - 1;
  }
  Buffer<uint32_t> bits(planes * words);
  kernels::BitpackArgs args;
  args.pixels = image.pixels();
  args.channels = image.channels;
  args.in = in.data();
  args.in_pixel_stride = planar ? 1 : image.channels;
  args.in_channel_stride = planar ? image.pixels() : 1;
  args.planes = planes;
  args.thresholds = thresholds.data();
  args.threshold_stride = padded;
  args.bits = bits.data();
  args.bits_pixel_stride = image.words();
  args.bits_plane_stride = words;
  Measure({NameOf(planar ? "pack_nchw" : "pack_nhwc", image, planes), kernel.name, kernel.isa,
           [&] { kernel.pack(args); }, in.data(), values * int64_t{sizeof(float)}, bits.data(), bits.bytes()},
          options, report);
}

void Unpack(const kernels::BitpackKernel& kernel, const Image& image, int planes, const Options& options,
            Report& report) {
  const int64_t values = image.pixels() * image.channels;
  const int64_t words = image.pixels() * image.words();
  const int64_t padded = image.words() * kernels::kBitsPerWord;
  const Buffer<uint32_t> bits = RandomBits(planes * image.pixels(), image.channels);
  const Buffer<float> level_values = RandomFloats((int64_t{1} << planes) * padded);
  Buffer<float> out(values + planes * words);
  kernels::BitunpackArgs args;
  args.pixels = image.pixels();
  args.channels = image.channels;
  args.bits = bits.data();
  args.bits_pixel_stride = image.words();
  args.bits_plane_stride = words;
  args.planes = planes;
  args.values = level_values.data();
  args.value_stride = padded;
  args.out = out.data();
  args.out_pixel_stride = image.channels;
  Measure({NameOf("unpack", image, planes), kernel.name, kernel.isa, [&] { kernel.unpack(args); }, bits.data(),
           bits.bytes(), out.data(), values * int64_t{sizeof(float)}},
          options, report);
}

void Pool(const kernels::BMaxPoolKernel& kernel, const Image& image, int64_t window, int64_t pad,
          const Options& options, Report& report) {
  kernels::BMaxPoolShape shape;
  shape.in_h = image.height;
  shape.in_w = image.width;
  shape.channels = image.channels;
  shape.kernel_h = shape.kernel_w = window;
  shape.stride_h = shape.stride_w = 2;
  shape.pad_top = shape.pad_left = pad;
  shape.out_h = (image.height + 2 * pad - window) / 2 + 1;
  shape.out_w = (image.width + 2 * pad - window) / 2 + 1;
  const int64_t words = image.words();
  const Buffer<uint32_t> in = RandomBits(image.pixels() + shape.out_h * shape.out_w, image.channels);
  Buffer<uint32_t> out(shape.out_h * shape.out_w * words);
  kernels::BMaxPoolArgs args;
  args.in = in.data();
  args.in_strides = {image.pixels() * words, image.width * words, words};
  args.out = out.data();
  args.out_strides = {shape.out_h * shape.out_w * words, shape.out_w * words, words};
  args.image_end = 1;
  args.row_end = shape.out_h;
  const std::string size = std::to_string(window) + "x" + std::to_string(window);
  Measure({"maxpool_" + size + "/" + image.Name(), kernel.name, kernel.isa, [&] { kernel.run(shape, args); }, in.data(),
           in.bytes() - out.bytes(), out.data(), out.bytes()},
          options, report);
}

// fn(kernel) for the kernels that are wanted, best first.
template <class List, class Fn>
void ForKernels(const List& list, const Options& options, const Fn& fn) {
  for (int64_t i = 0; i < list.size; ++i) {
    if (options.WantsIsa(list.begin[i]->isa)) fn(*list.begin[i]);
  }
}

}  // namespace

void RunStreamSection(const Options& options, Report& report) {
  report.BeginSection("stream",
                      "kernels that move bits, beside merely reading the same memory (read), and beside merely reading "
                      "and writing it (move); GB/s read or written; one thread",
                      {{"case", "case", 24},
                       {"kernel", "kernel", 16},
                       {"kib", "KiB", 7, 0},
                       {"us", "us", 8, 2},
                       {"gb_per_s", "GB/s", 7, 1},
                       {"read_gb_per_s", "read GB/s", 9, 1},
                       {"share_percent", "% of read", 9, 1},
                       {"move_gb_per_s", "move GB/s", 9, 1},
                       {"move_share_percent", "% of move", 9, 1}});
  ForKernels(kernels::BitpackKernels(), options, [&](const kernels::BitpackKernel& kernel) {
    for (const Image& image : kFloatImages) {
      Pack(kernel, image, 1, /*planar=*/false, options, report);
      Pack(kernel, image, 1, /*planar=*/true, options, report);
      Unpack(kernel, image, 1, options, report);
    }
    for (int planes = 2; planes <= kernels::kMaxPlanes; ++planes) {
      for (const Image& image : kLevelImages) {
        Pack(kernel, image, planes, /*planar=*/false, options, report);
        Unpack(kernel, image, planes, options, report);
      }
    }
  });
  ForKernels(kernels::BMaxPoolKernels(), options, [&](const kernels::BMaxPoolKernel& kernel) {
    for (const Image& image : kBitImages) {
      Pool(kernel, image, 2, 0, options, report);
      Pool(kernel, image, 3, 1, options, report);
    }
  });
}

}  // namespace bnn::bench
