#include "kernels/stem8/stem8.h"

namespace bnn::kernels {
namespace {

// Where term `term` of channel `c` lies.
int64_t Place(const Stem8Shape& shape, int64_t c, int64_t term) {
  return ((c / kStem8Lanes * shape.quads() + term / 4) * kStem8Lanes + c % kStem8Lanes) * 4 + term % 4;
}

}  // namespace

void PackStem8(const Stem8Shape& shape, const int8_t* source, int8_t* packed) {
  const int64_t terms = shape.terms();
  for (int64_t c = 0; c < shape.out_c; ++c) {
    for (int64_t t = 0; t < shape.quads() * 4; ++t) {
      packed[Place(shape, c, t)] = t < terms ? source[c * terms + t] : int8_t{0};
    }
  }
}

void UnpackStem8(const Stem8Shape& shape, const int8_t* packed, int8_t* source) {
  const int64_t terms = shape.terms();
  for (int64_t c = 0; c < shape.out_c; ++c) {
    for (int64_t t = 0; t < terms; ++t) source[c * terms + t] = packed[Place(shape, c, t)];
  }
}

}  // namespace bnn::kernels
