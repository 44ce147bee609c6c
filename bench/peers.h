// What others make of the same shapes: oneDNN's float32 and int8 primitives, the usual way to run these layers without
// binarization. One thread, NHWC activations, weights in the layout that oneDNN prefers, reordered beforehand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/bconv2d/bconv2d.h"
#include "kernels/bdense/bdense.h"

namespace bnn::bench {

enum class PeerType { kF32, kInt8 };

class Peer {
 public:
  virtual ~Peer() = default;
  virtual void Run() = 0;
  // "onednn int8 u8s8 jit:avx512_core_vnni": the last word is oneDNN's own name of its implementation.
  virtual const std::string& name() const = 0;
};

// nullptr where oneDNN has nothing for the shape. `shape` has the channels of all groups together. kInt8 is the faster
// one of unsigned and signed activations; weights are signed, the output has the type of the input.
std::unique_ptr<Peer> MakeConvPeer(PeerType type, const kernels::BConv2dShape& shape, int64_t groups);
std::unique_ptr<Peer> MakeDensePeer(PeerType type, const kernels::BDenseShape& shape);

// "oneDNN 2.6.3".
std::string PeerVersion();

}  // namespace bnn::bench
