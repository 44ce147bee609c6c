// Layers with weights: Conv, MatMul and Gemm in one canonical form, and the decision whether they are binary, int8 or
// float.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bnn/status.h"
#include "formats/lower/lowering.h"
#include "formats/model_def.h"
#include "formats/passes/integer_grid.h"
#include "formats/passes/two_valued_constant.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct Layer {
  const SourceNode* node = nullptr;
  std::string data;  // the value that it reads
  bool is_conv = false;
  Window2d window;  // of a convolution
  int64_t groups = 1;
  int64_t out_channels = 0;
  int64_t terms = 0;           // of one sum: kernel_h * kernel_w * in / groups, or the features
  std::vector<float> weights;  // [out][kernel_h][kernel_w][in / groups], or [out][features] in the source's order
  std::vector<float> bias;     // [out] or empty
  int64_t macs = 0;            // for one sample
};

// The layer, or kUnsupported why it has no counterpart in a model.
Result<Layer> ParseLayer(const Lowering& lowering, const SourceNode& node);

// How a layer runs on bits. With a = m_a + r_a * b_a and w = r_w[c] * b_w, b_w in {-1, +1}, b_a an odd number from
// -(2^bits - 1) to 2^bits - 1 (model_def.h), which is in {-1, +1} of one bit:
//
//   sum a*w = r_a * r_w[c] * sum b_a*b_w  +  m_a * r_w[c] * sum b_w
//
// The first sum is what BConv2d or BDense computes, the second one is a constant of the output channel.
//
// A padded tap holds p. Where p is the value of the lowest or the highest level, it is a tap like any other. Where p =
// 0 = m_a, the tap counts nothing. Else the padded taps are excluded from the first sum, and the second becomes a
// constant of the output position: m_a * r_w[c] * (sum of b_w over the taps inside) + p * r_w[c] * (sum of b_w over the
// padded).
struct BinaryForm {
  std::string data;  // the few-valued value; behind an explicit Pad where that was absorbed
  Window2d window;   // with absorbed padding
  int bits = 1;      // of the data
  double m_a = 0, r_a = 1;
  double pad_value = 0;  // p
  PadValue pad = PadValue::kMinusOne;
  bool corrects_padding = false;
  WeightMagnitudes r_w;  // [out]
  std::string reason;    // for the report: what made the data few-valued, and the weights
};

// The binary form, or kUnsupported with the reason why the layer stays float.
Result<BinaryForm> FindBinaryForm(const Lowering& lowering, const Layer& layer);

// How a layer runs on 8-bit integers: activations that the source quantizes, weights that are multiples of a step.
struct Int8Form {
  Lowering::Integers data;
  IntegerGrid weights;
  std::string reason;  // for the report
};

// The int8 form, or kUnsupported with the reason why the layer stays float.
Result<Int8Form> FindInt8Form(const Lowering& lowering, const Layer& layer);

// Conv, MatMul, Gemm: appends the layer's nodes and reports it.
Status LowerLayer(Lowering& lowering, const SourceNode& node);

// What LowerLayer appends. They return the bytes of the weights in the model.
Result<int64_t> LowerBinaryLayer(Lowering& lowering, const Layer& layer, const BinaryForm& form);
Result<int64_t> LowerInt8Layer(Lowering& lowering, const Layer& layer, const Int8Form& form);
Result<int64_t> LowerFloatLayer(Lowering& lowering, const Layer& layer);

// Weights of a dense layer for data in a flattened map's (h, w, c) order.
std::vector<float> ReorderColumns(const Layer& layer, const MapDims& map);

}  // namespace bnn::formats
