// Layers of int8: QConv2d and QDense with the elementwise nodes that are fused behind them, in one form.
//
// An int8 layer sums integers exactly and then computes in float. Nodes behind it go into that float part:
//
//   y = sum * scale[c] + bias[c]           scale[c] = input scale * weight scale[c]
//   Affine (a, b):   scale' = scale * a,   bias' = bias * a + b
//   Clamp:           clip(y)
//   Quantize (s, z): q = saturate(round(clip(y) / s) + z)
//                      = saturate(round(clip'(sum * (scale / s) + (bias / s + z)))),   clip' has limits (limit / s) + z
//
// Float results differ from those of separate nodes by the rounding of scale and bias, some 1e-7 relative. A quantized
// one differs where that moves y / s across the middle between two integers, then by one step; exact ties go to the
// even q instead of the even q - z.
//
// A dense layer is a convolution of a map of one row, with the samples as its pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/compile/fuse.h"
#include "engine/ops/int8_finish.h"
#include "engine/ops/make_step.h"
#include "engine/ops/window_parts.h"
#include "formats/model_def.h"

namespace bnn::engine {

struct Int8Layer {
  FloatNode node;
  std::string op;  // "qconv2d+clamp+quantize"
  std::string shape_text;
  WindowShape shape;
  int64_t groups = 1;
  formats::ElementType src_type = formats::ElementType::kUInt8;
  formats::ElementType dst_type = formats::ElementType::kFloat32;
  int weights = formats::kNone;  // blob, int8
  Int8Finish finish;             // in units of the destination

  int64_t terms() const { return shape.window.kernel_h * shape.window.kernel_w * (shape.in_c / groups); }
  int64_t macs() const { return shape.batch * shape.out_h * shape.out_w * shape.out_c * terms(); }
};

Result<Int8Layer> DescribeInt8Layer(const StepContext& context, const Group& group);

// A group whose source is QConv2d or QDense.
Result<StepPtr> MakeInt8Layer(StepContext& context, const Group& group);

// The same by our kernel for few input channels (kernels/stem8), or nullptr where that does not take the layer.
// `refusal` hears why, unless the layer is none of the kind.
StepPtr MakeInt8Stem(StepContext& context, const Int8Layer& layer, std::string* refusal);

// The same where oneDNN's int8 kernels would not be exact, and why: by float kernels while every sum of the layer is
// an integer that float32 holds, else by plain loops.
Result<StepPtr> MakeExactInt8Layer(StepContext& context, const Int8Layer& layer, const std::string& reason);

// The weights as the model has them.
std::shared_ptr<const int8_t> Int8Weights(const StepContext& context, const Int8Layer& layer);

}  // namespace bnn::engine
