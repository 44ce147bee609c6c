#include "engine/ops/onednn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "engine/parallel.h"

namespace bnn::engine::onednn {
namespace {

using dnnl::memory;

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void AppendEltwise(dnnl::algorithm algorithm, float alpha, float beta, dnnl::post_ops* after) {
#if DNNL_VERSION_MAJOR >= 3
  after->append_eltwise(algorithm, alpha, beta);
#else
  after->append_eltwise(1.0f, algorithm, alpha, beta);
#endif
}

// Infinite limits are none.
void AppendClamp(float low, float high, dnnl::post_ops* after) {
  const bool has_low = std::isfinite(low), has_high = std::isfinite(high);
  if (low == 0 && !has_high) {
    AppendEltwise(dnnl::algorithm::eltwise_relu, 0, 0, after);  // which more kernels have than the general case
  } else if (has_low || has_high) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    AppendEltwise(dnnl::algorithm::eltwise_clip, has_low ? low : -kLargest, has_high ? high : kLargest, after);
  }
}

dnnl::primitive_attr ActivationAttributes(const Activation& activation) {
  dnnl::primitive_attr attributes = Attributes();
  dnnl::post_ops after;
  switch (activation.kind) {
    case Activation::Kind::kNone:
      return attributes;
    case Activation::Kind::kClamp:
      AppendClamp(activation.low, activation.high, &after);
      break;
    case Activation::Kind::kPRelu:
      AppendEltwise(dnnl::algorithm::eltwise_relu, activation.slope, 0, &after);
      break;
  }
  attributes.set_post_ops(after);
  return attributes;
}

// Window2d in oneDNN's terms: a dilation of 0 is the ordinary one.
struct Geometry {
  explicit Geometry(const formats::Window2d& w)
      : kernel{w.kernel_h, w.kernel_w},
        strides{w.stride_h, w.stride_w},
        dilations{w.dilation_h - 1, w.dilation_w - 1},
        begin{w.pad_top, w.pad_left},
        end{w.pad_bottom, w.pad_right} {}
  memory::dims kernel, strides, dilations, begin, end;
};

template <typename Desc, typename Primitive>
Kernel MakeKernelAs(const Desc& desc, const memory& weights, const memory& bias) {
  const ScopedThreads one_thread(1);
  Kernel kernel;
  kernel.primitive = Primitive(desc);
  kernel.src = desc.src_desc();
  kernel.dst = desc.dst_desc();
  kernel.scratchpad = desc.scratchpad_desc();
  kernel.weights = weights;
  kernel.bias = bias;
  kernel.impl = desc.impl_info_str();
  return kernel;
}

}  // namespace

const dnnl::engine& Cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

DataType TypeOf(const memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_data_type();
#else
  return desc.data_type();
#endif
}

memory::desc Dense(const memory::dims& dims, DataType type) {
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return {dims, type, strides};
}

memory::desc Nhwc(int64_t n, int64_t h, int64_t w, int64_t c, DataType type) {
  return {{n, c, h, w}, type, memory::format_tag::nhwc};
}

memory::desc ModelWeights(const formats::Window2d& window, int64_t in, int64_t out, int64_t groups, DataType type) {
  const int64_t kh = window.kernel_h, kw = window.kernel_w;
  in /= groups, out /= groups;
  const memory::dims strides = {kh * kw * in, 1, kw * in, in};
  if (groups == 1) return {{out, in, kh, kw}, type, strides};
  return {{groups, out, in, kh, kw}, type, {out * strides[0], strides[0], strides[1], strides[2], strides[3]}};
}

memory::desc AnyLayout(const memory::dims& dims, DataType type) { return {dims, type, memory::format_tag::any}; }

memory::desc PreferredWeights(const formats::Window2d& window, int64_t in, int64_t out, int64_t groups, DataType type) {
  if (groups == 1) return AnyLayout({out, in, window.kernel_h, window.kernel_w}, type);
  return AnyLayout({groups, out / groups, in / groups, window.kernel_h, window.kernel_w}, type);
}

namespace {

// Bit masks over dims: values that differ by output channel.
#if DNNL_VERSION_MAJOR >= 3
constexpr int kPerOutput = 1 << 0, kPerGroupedOutput = 1 << 0 | 1 << 1;  // of weights
#else
constexpr int kPerChannel = 1 << 1;  // of activations
#endif

#if DNNL_VERSION_MAJOR >= 3
memory Parameter(const void* values, int64_t count, DataType type) {
  const memory::desc desc = Dense({count}, type);
  return Constant(values, desc, desc);
}
#endif

// Attributes with everything of `finish` but the bias.
dnnl::primitive_attr Int8Attributes(const Int8Finish& finish, int64_t groups) {
  dnnl::primitive_attr attributes = Attributes();
#if DNNL_VERSION_MAJOR >= 3
  attributes.set_scales_mask(DNNL_ARG_WEIGHTS, groups == 1 ? kPerOutput : kPerGroupedOutput);
  if (finish.src_zero_point != 0) attributes.set_zero_points_mask(DNNL_ARG_SRC, 0);
#else
  attributes.set_output_scales(kPerChannel, finish.scale);
  if (finish.src_zero_point != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {finish.src_zero_point});
#endif
  dnnl::post_ops after;
  AppendClamp(finish.low, finish.high, &after);
  attributes.set_post_ops(after);
  return attributes;
}

dnnl::convolution_forward::primitive_desc ForwardConvolution(const memory::desc& src, const memory::desc& weights,
                                                             const memory::desc& bias, const memory::desc& dst,
                                                             const formats::Window2d& window,
                                                             const dnnl::primitive_attr& attributes) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
#if DNNL_VERSION_MAJOR >= 3
  return {Cpu(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          src,
          weights,
          bias,
          dst,
          g.strides,
          g.dilations,
          g.begin,
          g.end,
          attributes};
#else
  const dnnl::convolution_forward::desc op(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, src,
                                           weights, bias, dst, g.strides, g.dilations, g.begin, g.end);
  return {op, attributes, Cpu()};
#endif
}

memory::desc BiasDesc(const Int8Finish& finish) {
  return finish.bias.empty() ? memory::desc() : Dense({static_cast<int64_t>(finish.bias.size())});
}

}  // namespace

bool Int8SumsAreExact() {
#if defined(__x86_64__) || defined(__i386__)
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto includes = [isa](dnnl::cpu_isa other) {
    return (isa & static_cast<unsigned>(other)) == static_cast<unsigned>(other);
  };
  return includes(dnnl::cpu_isa::avx512_core_vnni) || includes(dnnl::cpu_isa::avx2_vnni);
#else
  return false;
#endif
}

dnnl::convolution_forward::primitive_desc ConvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                          const memory::desc& bias, const memory::desc& dst,
                                                          const formats::Window2d& window,
                                                          const Activation& activation) {
  return ForwardConvolution(src, weights, bias, dst, window, ActivationAttributes(activation));
}

dnnl::convolution_forward::primitive_desc Int8ConvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                              const memory::desc& dst, const formats::Window2d& window,
                                                              int64_t groups, const Int8Finish& finish) {
  auto desc = ForwardConvolution(src, weights, BiasDesc(finish), dst, window, Int8Attributes(finish, groups));
  // oneDNN 2.6 shifts signed data by 128 for its gemm and takes 128 * sum(weights) off again; for some grouped shapes
  // (2 groups of 2 to 4 channels, 2x2) its reorder computes those sums wrongly.
  const std::string_view impl = desc.impl_info_str();
  if (groups > 1 && TypeOf(src) == DataType::s8 && impl.find("gemm_s8s8") != std::string_view::npos) {
    throw dnnl::error(dnnl_unimplemented, "its sums of grouped weights are wrong for signed data");
  }
  return desc;
}

#if DNNL_VERSION_MAJOR >= 3

bool CanFinish(const Int8Finish&) { return true; }

Kernel MakeInt8Kernel(const dnnl::convolution_forward::primitive_desc& desc, const memory& weights,
                      const Int8Finish& finish) {
  const memory::desc bias_desc = BiasDesc(finish);
  const memory bias = finish.bias.empty() ? memory() : Constant(finish.bias.data(), bias_desc, bias_desc);
  Kernel kernel = MakeKernel(desc, weights, bias);
  kernel.parameters.emplace_back(
      DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
      Parameter(finish.scale.data(), static_cast<int64_t>(finish.scale.size()), DataType::f32));
  if (finish.src_zero_point != 0) {
    kernel.parameters.emplace_back(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC,
                                   Parameter(&finish.src_zero_point, 1, DataType::s32));
  }
  return kernel;
}

dnnl::deconvolution_forward::primitive_desc DeconvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                              const memory::desc& bias, const memory::desc& dst,
                                                              const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
  return {Cpu(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::deconvolution_direct,
          src,
          weights,
          bias,
          dst,
          g.strides,
          g.dilations,
          g.begin,
          g.end,
          Attributes()};
}

dnnl::inner_product_forward::primitive_desc InnerProductDesc(const memory::desc& src, const memory::desc& weights,
                                                             const memory::desc& bias, const memory::desc& dst) {
  const ScopedThreads one_thread(1);
  return {Cpu(), dnnl::prop_kind::forward_inference, src, weights, bias, dst, Attributes()};
}

PoolingDesc PoolDesc(dnnl::algorithm algorithm, const memory::desc& src, const memory::desc& dst,
                     const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
  return {Cpu(),       dnnl::prop_kind::forward_inference,
          algorithm,   src,
          dst,         g.strides,
          g.kernel,    g.dilations,
          g.begin,     g.end,
          Attributes()};
}

dnnl::eltwise_forward::primitive_desc EltwiseDesc(dnnl::algorithm algorithm, const memory::desc& data, float alpha,
                                                  float beta) {
  const ScopedThreads one_thread(1);
  return {Cpu(), dnnl::prop_kind::forward_inference, algorithm, data, data, alpha, beta, Attributes()};
}

#else

namespace {

// bias / scale: what version 2 adds to the sums.
std::vector<float> UnscaledBias(const Int8Finish& finish) {
  std::vector<float> bias = finish.bias;
  for (size_t c = 0; c < bias.size(); ++c) bias[c] /= finish.scale[c];
  return bias;
}

}  // namespace

bool CanFinish(const Int8Finish& finish) {
  const std::vector<float> bias = UnscaledBias(finish);
  return std::all_of(bias.begin(), bias.end(), [](float b) { return std::isfinite(b); });
}

Kernel MakeInt8Kernel(const dnnl::convolution_forward::primitive_desc& desc, const memory& weights,
                      const Int8Finish& finish) {
  const memory::desc bias_desc = BiasDesc(finish);
  const std::vector<float> bias = UnscaledBias(finish);
  return MakeKernel(desc, weights, bias.empty() ? memory() : Constant(bias.data(), bias_desc, bias_desc));
}

dnnl::deconvolution_forward::primitive_desc DeconvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                              const memory::desc& bias, const memory::desc& dst,
                                                              const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
  const dnnl::deconvolution_forward::desc op(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                                             src, weights, bias, dst, g.strides, g.dilations, g.begin, g.end);
  return {op, Attributes(), Cpu()};
}

dnnl::inner_product_forward::primitive_desc InnerProductDesc(const memory::desc& src, const memory::desc& weights,
                                                             const memory::desc& bias, const memory::desc& dst) {
  const ScopedThreads one_thread(1);
  const dnnl::inner_product_forward::desc op(dnnl::prop_kind::forward_inference, src, weights, bias, dst);
  return {op, Attributes(), Cpu()};
}

PoolingDesc PoolDesc(dnnl::algorithm algorithm, const memory::desc& src, const memory::desc& dst,
                     const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
  const dnnl::pooling_v2_forward::desc op(dnnl::prop_kind::forward_inference, algorithm, src, dst, g.strides, g.kernel,
                                          g.dilations, g.begin, g.end);
  return {op, Attributes(), Cpu()};
}

dnnl::eltwise_forward::primitive_desc EltwiseDesc(dnnl::algorithm algorithm, const memory::desc& data, float alpha,
                                                  float beta) {
  const ScopedThreads one_thread(1);
  const dnnl::eltwise_forward::desc op(dnnl::prop_kind::forward_inference, algorithm, data, alpha, beta);
  return {op, Attributes(), Cpu()};
}

#endif

int64_t Kernel::weight_bytes() const {
  int64_t bytes = 0;
  if (weights) bytes += static_cast<int64_t>(weights.get_desc().get_size());
  if (bias) bytes += static_cast<int64_t>(bias.get_desc().get_size());
  for (const auto& [argument, values] : parameters) bytes += static_cast<int64_t>(values.get_desc().get_size());
  return bytes;
}

Kernel MakeKernel(const dnnl::convolution_forward::primitive_desc& desc, const memory& weights, const memory& bias) {
  return MakeKernelAs<dnnl::convolution_forward::primitive_desc, dnnl::convolution_forward>(desc, weights, bias);
}

Kernel MakeKernel(const dnnl::deconvolution_forward::primitive_desc& desc, const memory& weights, const memory& bias) {
  return MakeKernelAs<dnnl::deconvolution_forward::primitive_desc, dnnl::deconvolution_forward>(desc, weights, bias);
}

Kernel MakeKernel(const dnnl::inner_product_forward::primitive_desc& desc, const memory& weights, const memory& bias) {
  return MakeKernelAs<dnnl::inner_product_forward::primitive_desc, dnnl::inner_product_forward>(desc, weights, bias);
}

Kernel MakeKernel(const PoolingDesc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return MakeKernelAs<PoolingDesc, dnnl::pooling_forward>(desc, {}, {});
#else
  return MakeKernelAs<PoolingDesc, dnnl::pooling_v2_forward>(desc, {}, {});
#endif
}

Kernel MakeKernel(const dnnl::eltwise_forward::primitive_desc& desc) {
  return MakeKernelAs<dnnl::eltwise_forward::primitive_desc, dnnl::eltwise_forward>(desc, {}, {});
}

memory Constant(const void* values, const memory::desc& from, const memory::desc& to) {
  const ScopedThreads one_thread(1);
  memory source(from, Cpu(), const_cast<void*>(values));  // only read
  memory result(to, Cpu());
  dnnl::stream stream(Cpu());
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

Executor::Executor(const Kernel& kernel)
    : primitive_(kernel.primitive.get()),
      stream_(Cpu()),
      src_(kernel.src, Cpu(), DNNL_MEMORY_NONE),
      dst_(kernel.dst, Cpu(), DNNL_MEMORY_NONE),
      scratch_(kernel.scratchpad, Cpu(), DNNL_MEMORY_NONE),
      args_{},
      num_args_(0) {
  const auto add = [this](int role, const memory& memory) {
    args_[static_cast<size_t>(num_args_++)] = {role, memory.get()};
  };
  add(DNNL_ARG_SRC, src_);
  add(DNNL_ARG_DST, dst_);
  add(DNNL_ARG_SCRATCHPAD, scratch_);
  if (kernel.weights) add(DNNL_ARG_WEIGHTS, kernel.weights);
  if (kernel.bias) add(DNNL_ARG_BIAS, kernel.bias);
  for (const auto& [argument, values] : kernel.parameters) add(argument, values);
}

dnnl_status_t Executor::Run(const void* src, void* dst, void* scratch) const {
  const ScopedThreads one_thread(1);
  dnnl_status_t status = dnnl_memory_set_data_handle(src_.get(), const_cast<void*>(src));
  if (status == dnnl_success) status = dnnl_memory_set_data_handle(dst_.get(), dst);
  if (status == dnnl_success) status = dnnl_memory_set_data_handle(scratch_.get(), scratch);
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive_, stream_.get(), num_args_, args_.data());
  if (status == dnnl_success) status = dnnl_stream_wait(stream_.get());
  return status;
}

}  // namespace bnn::engine::onednn
