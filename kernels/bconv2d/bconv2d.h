// Binary 2-D convolution: XNOR-popcount over packed bits (Rastegari et al., XNOR-Net, arXiv:1603.05279).
//
//   acc[n][y][x][o] = sum over valid taps (i, j) and channels c of
//                       in[n][y*stride_h + i*dilation_h - pad_top][x*stride_w + j*dilation_w - pad_left][c] *
//                       w[o][i][j][c]
//
// with every w in {-1, +1} and every in an element of `planes` bits (one: -1 or +1), stored as bits (kernels/bits.h).
// Activations are NHWC with the channels packed; the planes of several bits lie one behind the other, each with its
// halo, in_strides.plane words apart.
//
// Padding and the halo
//   The input buffer carries its padding: it is a halo buffer of (pad_top + in_h + pad_bottom) rows of
//   (pad_left + in_w + pad_right) pixels, so a kernel never tests for borders and there is no im2col. The producer
//   writes the interior; the halo holds bit 1 for Padding::kOne and bit 0 for kMinusOne and kZero, in every plane: the
//   highest level and the lowest one. (Of several bits it may hold any level: kernels read what is there.)
//   For kZero, taps in the halo must count nothing. With L = 2^planes - 1 (one bit: 1), reading them as -L adds -L * w
//   for each of their weights, so
//
//     acc_valid = acc_read + L * sum over halo taps of w      (per output channel, and per *which* taps are halo)
//
//   Which taps are halo depends on the row y and on the column x separately: rows with the same set of valid tap rows
//   form a row class, likewise columns. The correction is folded, with K, into
//
//     base[class][o] = L * (K + sum over halo taps of w[o])
//     acc = base[class][o] - 2 * (sum over planes i of 2^i * popcount(in_i XOR w))
//
//   where class = row_class[y] * num_col_classes + col_class[x]. Without correction there is one class, base = L * K.
//
// Integer thresholds
//   Let f_c(acc) be the epilogue's float chain for channel c and t its threshold. If f_c is non-decreasing, the set
//   {acc : f_c(acc) >= t} is an upper set, so it is {acc >= T} with T its smallest element; if f_c is non-increasing,
//   the set where the bit is 0 is an upper set, so the bit is (acc >= T) XOR 1. The engine finds T by bisection over
//   the possible accumulators with the very float operations of the unfused chain, so that fusing never changes a bit.
//   A channel that is always 1 has T = INT32_MIN (flip 0), always 0: T = INT32_MAX (flip 0).
//   For several bits there is such a T for every threshold t_1 <= t_2 <= ... of the quantizer; kernels/epilogue.h says
//   how they make a level.
//
// Groups
//   A kernel computes one group: shape.in_channels and shape.out_channels are the group's, pointers and strides address
//   the group's slice. The engine calls once a group.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bits.h"
#include "kernels/cpu_features.h"
#include "kernels/epilogue.h"
#include "kernels/refusal.h"

namespace bnn::kernels {

enum class Padding : uint8_t {
  kOne,       // padded taps are +1
  kMinusOne,  // padded taps are -1
  kZero       // padded taps are excluded
};

struct BConv2dShape {
  int64_t batch = 1;
  int64_t in_h = 0, in_w = 0, in_channels = 0;  // without padding; channels of one group
  int64_t out_channels = 0;                     // of one group
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  Padding padding = Padding::kMinusOne;
  int planes = 1;  // bits of an input element, up to kMaxPlanes; those of an output element are the epilogue's

  int64_t out_h() const { return (in_h + pad_top + pad_bottom - dilation_h * (kernel_h - 1) - 1) / stride_h + 1; }
  int64_t out_w() const { return (in_w + pad_left + pad_right - dilation_w * (kernel_w - 1) - 1) / stride_w + 1; }
  int64_t terms() const { return kernel_h * kernel_w * in_channels; }  // K of one output without halo taps
  int64_t max_acc() const { return HighestLevel(planes) * terms(); }   // the largest |acc|
};

struct BConv2dArgs {
  const uint32_t* in = nullptr;         // pixel (0, 0) of the halo buffer of image 0, plane 0, the group's first word
  Strides in_strides;                   // words
  const uint32_t* weights = nullptr;    // written by the same kernel's pack()
  const int32_t* base = nullptr;        // [classes][PaddedChannels(out_channels)], of exactly the values above
  const uint16_t* row_class = nullptr;  // [out_h]; nullptr: one class
  const uint16_t* col_class = nullptr;  // [out_w]; nullptr together with row_class
  int64_t num_col_classes = 1;
  Epilogue epilogue;

  // The part of the output to compute, so that callers can split work: images, output rows, channel blocks of 32.
  int64_t image_begin = 0, image_end = 0;
  int64_t row_begin = 0, row_end = 0;
  int64_t block_begin = 0, block_end = 0;
};

struct BConv2dKernel {
  const char* name;  // also the name of its file (without _csa) and its benchmark
  Isa isa;

  // nullptr when the kernel can run `shape`, else the reason why not (static string). Does not look at the CPU.
  const char* (*refuse)(const BConv2dShape& shape);

  // Words that pack() writes for `shape`. A packed buffer must be 64-byte aligned.
  int64_t (*packed_words)(const BConv2dShape& shape);

  // From the order of the model file, [out][WordsFor(kernel_h * kernel_w * in)] with the bits of one output channel in
  // (kernel_h, kernel_w, in) order without gaps, into the order that run() wants.
  void (*pack)(const BConv2dShape& shape, const uint32_t* weights, uint32_t* packed);

  // The inverse of pack(): writes the words of the model file, spare bits included.
  void (*unpack)(const BConv2dShape& shape, const uint32_t* packed, uint32_t* weights);

  // Computes the part of the output that `args` names. Reads nothing outside the halo buffer, the packed weights and
  // the padded parameter arrays; writes nothing outside the named part. Reentrant.
  void (*run)(const BConv2dShape& shape, const BConv2dArgs& args);

  // The reason why a later kernel of the same instruction set is faster on this CPU (static string), or nullptr.
  // Selection refuses the kernel then; it runs all the same.
  const char* (*refuse_cpu)() = nullptr;
};

// All kernels compiled in, best first, the reference last.
struct BConv2dKernelList {
  const BConv2dKernel* const* begin;
  int64_t size;
};
BConv2dKernelList BConv2dKernels();

// The first kernel of the list that the CPU can run, that is not above `max_isa` and that accepts `shape`.
// Never nullptr: the reference accepts everything.
const BConv2dKernel* SelectBConv2d(const BConv2dShape& shape, Isa max_isa, RefusalFn refused, void* context);

}  // namespace bnn::kernels
