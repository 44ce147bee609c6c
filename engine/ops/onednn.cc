#include "engine/ops/onednn.h"

#include "engine/parallel.h"

namespace bnn::engine::onednn {
namespace {

using dnnl::memory;

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
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

memory::desc Dense(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return {dims, memory::data_type::f32, strides};
}

memory::desc Nhwc(int64_t n, int64_t h, int64_t w, int64_t c) {
  return {{n, c, h, w}, memory::data_type::f32, memory::format_tag::nhwc};
}

memory::desc AnyLayout(const memory::dims& dims) { return {dims, memory::data_type::f32, memory::format_tag::any}; }

#if DNNL_VERSION_MAJOR >= 3

dnnl::convolution_forward::primitive_desc ConvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                          const memory::desc& bias, const memory::desc& dst,
                                                          const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
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

dnnl::eltwise_forward::primitive_desc EltwiseDesc(dnnl::algorithm algorithm, const memory::desc& data) {
  const ScopedThreads one_thread(1);
  return {Cpu(), dnnl::prop_kind::forward_inference, algorithm, data, data, 0.0f, 0.0f, Attributes()};
}

#else

dnnl::convolution_forward::primitive_desc ConvolutionDesc(const memory::desc& src, const memory::desc& weights,
                                                          const memory::desc& bias, const memory::desc& dst,
                                                          const formats::Window2d& window) {
  const ScopedThreads one_thread(1);
  const Geometry g(window);
  const dnnl::convolution_forward::desc op(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, src,
                                           weights, bias, dst, g.strides, g.dilations, g.begin, g.end);
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

dnnl::eltwise_forward::primitive_desc EltwiseDesc(dnnl::algorithm algorithm, const memory::desc& data) {
  const ScopedThreads one_thread(1);
  const dnnl::eltwise_forward::desc op(dnnl::prop_kind::forward_inference, algorithm, data, 0.0f, 0.0f);
  return {op, Attributes(), Cpu()};
}

#endif

int64_t Kernel::weight_bytes() const {
  int64_t bytes = 0;
  if (weights) bytes += static_cast<int64_t>(weights.get_desc().get_size());
  if (bias) bytes += static_cast<int64_t>(bias.get_desc().get_size());
  return bytes;
}

Kernel MakeKernel(const dnnl::convolution_forward::primitive_desc& desc, const memory& weights, const memory& bias) {
  return MakeKernelAs<dnnl::convolution_forward::primitive_desc, dnnl::convolution_forward>(desc, weights, bias);
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

memory Constant(const float* values, const memory::desc& from, const memory::desc& to) {
  const ScopedThreads one_thread(1);
  memory source(from, Cpu(), const_cast<float*>(values));  // only read
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
}

dnnl_status_t Executor::Run(const float* src, float* dst, void* scratch) const {
  const ScopedThreads one_thread(1);
  dnnl_status_t status = dnnl_memory_set_data_handle(src_.get(), const_cast<float*>(src));
  if (status == dnnl_success) status = dnnl_memory_set_data_handle(dst_.get(), dst);
  if (status == dnnl_success) status = dnnl_memory_set_data_handle(scratch_.get(), scratch);
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive_, stream_.get(), num_args_, args_.data());
  if (status == dnnl_success) status = dnnl_stream_wait(stream_.get());
  return status;
}

}  // namespace bnn::engine::onednn
