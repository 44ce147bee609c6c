// The one place that knows which oneDNN we build against: 2.x (Debian 12) makes a primitive from an operation
// descriptor, 3.x (Debian 13) makes it directly. Everything else of bnn is written against this file; only *_onednn.cc
// include it.
//
// How bnn uses oneDNN:
//  * A Kernel is immutable: one primitive and its constants, reordered once into the layout that the primitive prefers.
//    It is shared by all sessions. Its scratchpad is the caller's (scratchpad_mode::user), therefore it may run many
//    times at once.
//  * An Executor holds the memory handles of one Kernel for one thread of one session. A run sets the data pointers and
//    executes; neither allocates memory of ours.
//  * oneDNN chooses blockings, and with them the order of its sums, by the number of threads. Results must not depend
//  on
//    it, therefore primitives are created and executed with one thread, and part_runner.h splits the work.
//
// Functions that throw do so with dnnl::error or std::bad_alloc; factories catch both with Guard().
#pragma once

#include <dnnl.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "bnn/status.h"
#include "engine/ops/int8_finish.h"
#include "formats/model_def.h"

namespace bnn::engine::onednn {

// The CPU. One object serves all models and sessions.
const dnnl::engine& Cpu();

using DataType = dnnl::memory::data_type;
inline constexpr DataType kFloat = DataType::f32;

// The type of a tensor's elements.
DataType TypeOf(const dnnl::memory::desc& desc);

// A tensor whose first listed dim varies slowest in memory.
dnnl::memory::desc Dense(const dnnl::memory::dims& dims, DataType type = kFloat);
// A feature map {n, c, h, w} that lies in memory as NHWC.
dnnl::memory::desc Nhwc(int64_t n, int64_t h, int64_t w, int64_t c, DataType type = kFloat);
// The weights of a convolution as a model has them: [out][kernel_h][kernel_w][in / groups], as oneDNN's dims
// {out, in, h, w}, with the groups in front where there are several.
dnnl::memory::desc ModelWeights(const formats::Window2d& window, int64_t in, int64_t out, int64_t groups,
                                DataType type = kFloat);
// The same dims in the layout that the primitive likes best.
dnnl::memory::desc AnyLayout(const dnnl::memory::dims& dims, DataType type = kFloat);
dnnl::memory::desc PreferredWeights(const formats::Window2d& window, int64_t in, int64_t out, int64_t groups,
                                    DataType type = kFloat);

// What happens to the sums of a float convolution on their way to memory: nothing, y < low ? low : (y > high ? high :
// y), or y < 0 ? y * slope : y. What becomes of NaN is oneDNN's choice.
struct Activation {
  enum class Kind : uint8_t { kNone, kClamp, kPRelu };
  Kind kind = Kind::kNone;
  float low = 0, high = 0;  // kClamp
  float slope = 0;          // kPRelu
};

// Primitive descriptors. `bias` may be a zero descriptor (none). Pads, strides and dilations are of `window`; dilations
// count from 1, as everywhere in bnn. Throw dnnl::error where oneDNN cannot do it.
dnnl::convolution_forward::primitive_desc ConvolutionDesc(const dnnl::memory::desc& src,
                                                          const dnnl::memory::desc& weights,
                                                          const dnnl::memory::desc& bias, const dnnl::memory::desc& dst,
                                                          const formats::Window2d& window,
                                                          const Activation& activation = {});
// The transpose of a convolution, with the same weights as oneDNN sees them. oneDNN finds the input's size as that of a
// convolution over the output, rounding down.
dnnl::deconvolution_forward::primitive_desc DeconvolutionDesc(const dnnl::memory::desc& src,
                                                              const dnnl::memory::desc& weights,
                                                              const dnnl::memory::desc& bias,
                                                              const dnnl::memory::desc& dst,
                                                              const formats::Window2d& window);
dnnl::inner_product_forward::primitive_desc InnerProductDesc(const dnnl::memory::desc& src,
                                                             const dnnl::memory::desc& weights,
                                                             const dnnl::memory::desc& bias,
                                                             const dnnl::memory::desc& dst);
#if DNNL_VERSION_MAJOR >= 3
using PoolingDesc = dnnl::pooling_forward::primitive_desc;
#else
using PoolingDesc = dnnl::pooling_v2_forward::primitive_desc;
#endif
PoolingDesc PoolDesc(dnnl::algorithm algorithm, const dnnl::memory::desc& src, const dnnl::memory::desc& dst,
                     const formats::Window2d& window);
dnnl::eltwise_forward::primitive_desc EltwiseDesc(dnnl::algorithm algorithm, const dnnl::memory::desc& data,
                                                  float alpha = 0, float beta = 0);

// Whether this CPU sums the products of int8 exactly. Processors without VNNI multiply pairs of bytes into 16 bits
// (vpmaddubsw), which saturates at 2 * 255 * 127; oneDNN documents it, and halves the weights where the source is
// signed. Only exact sums are of use here, so there int8 layers go another way (int8_layer.h).
bool Int8SumsAreExact();

// Whether oneDNN can finish like that. Version 2 adds the bias to the sum before scaling, so it must be divided by the
// scale.
bool CanFinish(const Int8Finish& finish);

// A convolution of int8 or uint8 by int8 weights.
dnnl::convolution_forward::primitive_desc Int8ConvolutionDesc(const dnnl::memory::desc& src,
                                                              const dnnl::memory::desc& weights,
                                                              const dnnl::memory::desc& dst,
                                                              const formats::Window2d& window, int64_t groups,
                                                              const Int8Finish& finish);

// One primitive and its constants. Immutable.
struct Kernel {
  dnnl::primitive primitive;
  dnnl::memory::desc src, dst, scratchpad;
  dnnl::memory weights, bias;  // empty where the primitive has none
  // Constants that version 3 takes when it runs: scales and zero points, by argument number.
  std::vector<std::pair<int, dnnl::memory>> parameters;
  std::string impl;  // oneDNN's own name of the implementation

  int64_t scratch_bytes() const { return static_cast<int64_t>(scratchpad.get_size()); }
  int64_t weight_bytes() const;
};
Kernel MakeKernel(const dnnl::convolution_forward::primitive_desc& desc, const dnnl::memory& weights,
                  const dnnl::memory& bias);
Kernel MakeKernel(const dnnl::deconvolution_forward::primitive_desc& desc, const dnnl::memory& weights,
                  const dnnl::memory& bias);
Kernel MakeKernel(const dnnl::inner_product_forward::primitive_desc& desc, const dnnl::memory& weights,
                  const dnnl::memory& bias);
Kernel MakeInt8Kernel(const dnnl::convolution_forward::primitive_desc& desc, const dnnl::memory& weights,
                      const Int8Finish& finish);
Kernel MakeKernel(const PoolingDesc& desc);
Kernel MakeKernel(const dnnl::eltwise_forward::primitive_desc& desc);

// Constant data in memory that oneDNN owns: `values`, which lie as `from` says, reordered to the layout `to`.
dnnl::memory Constant(const void* values, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

// The memory handles of one kernel for one thread.
class Executor {
 public:
  explicit Executor(const Kernel& kernel);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  Executor(Executor&&) = default;
  Executor& operator=(Executor&&) = default;

  // The buffers hold what the kernel's descriptors say; the alignment of an element is enough. `scratch` has
  // scratch_bytes() bytes.
  dnnl_status_t Run(const void* src, void* dst, void* scratch) const;

 private:
  dnnl_primitive_t primitive_;
  dnnl::stream stream_;
  dnnl::memory src_, dst_, scratch_;
  std::array<dnnl_exec_arg_t, 8> args_;
  int num_args_;
};

// Calls fn() and turns what it throws into a Status that names the node.
template <typename Fn>
Status Guard(const std::string& node, const Fn& fn) {
  try {
    return fn();
  } catch (const dnnl::error& error) {
    const std::string message = node + ": oneDNN: " + error.what();
    if (error.status == dnnl_out_of_memory) return OutOfMemory(message);
    return error.status == dnnl_unimplemented ? Unsupported(message) : InternalError(message);
  } catch (const std::bad_alloc&) {
    return OutOfMemory(node + ": out of memory");
  } catch (const std::exception& error) {
    return InternalError(node + ": " + error.what());
  }
}

}  // namespace bnn::engine::onednn
