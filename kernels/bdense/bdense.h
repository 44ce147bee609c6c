// Binary dense layer (matrix product of bits): acc[r][o] = K - 2 * popcount(in[r] XOR w[o]), K = in_features; for
// inputs of several bits acc = (2^planes - 1) * K - 2 * (sum over planes i of 2^i * popcount(in_i[r] XOR w[o])).
//
// A row is a sample: for epilogues it is a "pixel" of one image with one row, so only the pixel strides count.
#pragma once

#include <cstdint>

#include "kernels/bconv2d/bconv2d.h"
#include "kernels/bits.h"
#include "kernels/cpu_features.h"
#include "kernels/epilogue.h"

namespace bnn::kernels {

struct BDenseShape {
  int64_t rows = 1;
  int64_t in_features = 0;
  int64_t out_features = 0;
  int planes = 1;  // bits of an input element, up to kMaxPlanes; those of an output element are the epilogue's

  int64_t max_acc() const { return HighestLevel(planes) * in_features; }  // the largest |acc|
};

struct BDenseArgs {
  const uint32_t* in = nullptr;       // [rows] rows of WordsFor(in_features) words
  int64_t in_row_stride = 0;          // words
  int64_t in_plane_stride = 0;        // words, from a plane to the next higher one
  const uint32_t* weights = nullptr;  // written by the same kernel's pack()
  Epilogue epilogue;

  // The part to compute: rows, and channel blocks of 32 output features.
  int64_t row_begin = 0, row_end = 0;
  int64_t block_begin = 0, block_end = 0;
};

struct BDenseKernel {
  const char* name;
  Isa isa;
  const char* (*refuse)(const BDenseShape& shape);    // nullptr, or the reason
  int64_t (*packed_words)(const BDenseShape& shape);  // a packed buffer must be 64-byte aligned
  // From [out_features][WordsFor(in_features)], as in the model file.
  void (*pack)(const BDenseShape& shape, const uint32_t* weights, uint32_t* packed);
  // The inverse of pack().
  void (*unpack)(const BDenseShape& shape, const uint32_t* packed, uint32_t* weights);
  void (*run)(const BDenseShape& shape, const BDenseArgs& args);
  const char* (*refuse_cpu)() = nullptr;  // as a BConv2dKernel's
};

struct BDenseKernelList {
  const BDenseKernel* const* begin;
  int64_t size;
};
BDenseKernelList BDenseKernels();
const BDenseKernel* SelectBDense(const BDenseShape& shape, Isa max_isa, RefusalFn refused, void* context);

}  // namespace bnn::kernels
