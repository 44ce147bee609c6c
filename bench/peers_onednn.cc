#include <omp.h>
#include <dnnl.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/peers.h"
#include "bench/timing.h"

namespace bnn::bench {
namespace {

using dnnl::memory;
using DataType = memory::data_type;

const dnnl::engine& Cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Values in the middle of the type's range: no denormals, no overflow, nothing that arithmetic could skip. The same 64
// KB again and again, because weights may take hundreds of megabytes.
void FillNoise(memory& data) {
  constexpr size_t kPatternBytes = 64 << 10;
  std::vector<unsigned char> pattern(kPatternBytes);
  std::minstd_rand random(1);
  const memory::desc desc = data.get_desc();
  if (desc.data_type() == DataType::f32) {
    for (size_t i = 0; i < kPatternBytes; i += sizeof(float)) {
      const float value = static_cast<float>(random()) * 0x1p-30f - 1.0f;
      std::memcpy(pattern.data() + i, &value, sizeof(value));
    }
  } else {
    for (unsigned char& value : pattern) value = random() >> 16 & 0x7F;
  }
  auto* const bytes = static_cast<unsigned char*>(data.get_data_handle());
  for (size_t i = 0; i < desc.get_size(); i += kPatternBytes) {
    std::memcpy(bytes + i, pattern.data(), std::min(kPatternBytes, desc.get_size() - i));
  }
}

// Convolution or inner product: one input, constant weights, one output.
class OneDnnPeer final : public Peer {
 public:
  template <class PrimitiveDesc>
  OneDnnPeer(std::string types, const PrimitiveDesc& desc, dnnl::primitive primitive)
      : name_("onednn " + types + " " + desc.impl_info_str()), primitive_(std::move(primitive)), stream_(Cpu()) {
    const std::pair<int, memory::desc> buffers[] = {
        {DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}, {DNNL_ARG_DST, desc.dst_desc()}};
    for (const auto& [role, layout] : buffers) {
      memory data(layout, Cpu());
      FillNoise(data);
      arguments_.emplace(role, std::move(data));
    }
  }

  void Run() override {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  const std::string& name() const override { return name_; }

 private:
  std::string name_;
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::unordered_map<int, memory> arguments_;
};

struct Types {
  const char* name;
  DataType activations, weights;
};
constexpr Types kF32 = {"f32", DataType::f32, DataType::f32};
constexpr Types kU8S8 = {"int8 u8s8", DataType::u8, DataType::s8};
constexpr Types kS8S8 = {"int8 s8s8", DataType::s8, DataType::s8};

std::unique_ptr<Peer> MakeConv(const Types& types, const kernels::BConv2dShape& s, int64_t groups) {
  const memory::desc src({s.batch, s.in_channels, s.in_h, s.in_w}, types.activations, memory::format_tag::nhwc);
  const memory::desc dst({s.batch, s.out_channels, s.out_h(), s.out_w()}, types.activations, memory::format_tag::nhwc);
  memory::dims weight_dims = {s.out_channels / groups, s.in_channels / groups, s.kernel_h, s.kernel_w};
  if (groups > 1) weight_dims.insert(weight_dims.begin(), groups);
  const memory::desc weights(weight_dims, types.weights, memory::format_tag::any);
  const memory::dims strides = {s.stride_h, s.stride_w};
  const memory::dims dilations = {s.dilation_h - 1, s.dilation_w - 1};
  const memory::dims begin = {s.pad_top, s.pad_left};
  const memory::dims end = {s.pad_bottom, s.pad_right};
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_forward::primitive_desc desc(Cpu(), dnnl::prop_kind::forward_inference,
                                                       dnnl::algorithm::convolution_auto, src, weights, dst, strides,
                                                       dilations, begin, end);
#else
  const dnnl::convolution_forward::desc operation(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto,
                                                  src, weights, dst, strides, dilations, begin, end);
  const dnnl::convolution_forward::primitive_desc desc(operation, Cpu());
#endif
  return std::make_unique<OneDnnPeer>(types.name, desc, dnnl::convolution_forward(desc));
}

std::unique_ptr<Peer> MakeDense(const Types& types, const kernels::BDenseShape& s) {
  const memory::desc src({s.rows, s.in_features}, types.activations, memory::format_tag::ab);
  const memory::desc dst({s.rows, s.out_features}, types.activations, memory::format_tag::ab);
  const memory::desc weights({s.out_features, s.in_features}, types.weights, memory::format_tag::any);
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::inner_product_forward::primitive_desc desc(Cpu(), dnnl::prop_kind::forward_inference, src, weights, dst);
#else
  const dnnl::inner_product_forward::desc operation(dnnl::prop_kind::forward_inference, src, weights, dst);
  const dnnl::inner_product_forward::primitive_desc desc(operation, Cpu());
#endif
  return std::make_unique<OneDnnPeer>(types.name, desc, dnnl::inner_product_forward(desc));
}

// nullptr instead of oneDNN's exception.
template <class Make>
std::unique_ptr<Peer> Try(const Make& make, const Types& types) {
  omp_set_num_threads(1);  // oneDNN takes as many threads as OpenMP has, when a primitive is made and when it runs
  try {
    return make(types);
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

template <class Make>
std::unique_ptr<Peer> MakeFastest(PeerType type, const Make& make) {
  if (type == PeerType::kF32) return Try(make, kF32);
  std::unique_ptr<Peer> unsigned_peer = Try(make, kU8S8);
  std::unique_ptr<Peer> signed_peer = Try(make, kS8S8);
  if (unsigned_peer == nullptr) return signed_peer;
  if (signed_peer == nullptr) return unsigned_peer;
  Contest contest({.rounds = 3, .sample_seconds = 2e-4});
  const int u = contest.Add([&] { unsigned_peer->Run(); });
  const int s = contest.Add([&] { signed_peer->Run(); });
  contest.Run();
  return contest.Speedup(u, s) >= 1 ? std::move(unsigned_peer) : std::move(signed_peer);
}

}  // namespace

std::unique_ptr<Peer> MakeConvPeer(PeerType type, const kernels::BConv2dShape& shape, int64_t groups) {
  return MakeFastest(type, [&](const Types& types) { return MakeConv(types, shape, groups); });
}

std::unique_ptr<Peer> MakeDensePeer(PeerType type, const kernels::BDenseShape& shape) {
  return MakeFastest(type, [&](const Types& types) { return MakeDense(types, shape); });
}

std::string PeerVersion() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace bnn::bench
