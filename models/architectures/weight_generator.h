// Numbers that stand in for trained weights: a function of (seed, name of the parameter) alone, the same on every
// platform. Only integers, additions, multiplications and square roots are used, which IEEE 754 defines to the last
// bit; the distributions of <random> and the functions of <cmath> are not.
#pragma once

#include <cstdint>
#include <string_view>

namespace bnn::architectures {

// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 17): a counter
// that grows by the odd number nearest to 2^64 / golden ratio, and a mix of its bits.
class WeightGenerator {
 public:
  // Each parameter has a stream of its own, so adding a layer to a network changes no other layer's weights. The name
  // enters by FNV-1a.
  WeightGenerator(uint64_t seed, std::string_view parameter) : state_(0xcbf29ce484222325u) {
    for (const char c : parameter) state_ = (state_ ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    state_ ^= seed * 0x9e3779b97f4a7c15u;
  }

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // In [low, high).
  double Uniform(double low, double high) { return low + (high - low) * static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Mean 0, variance 1, bell-shaped, in (-3.5, 3.5): the sum of four uniform numbers, each of variance 1/12, times
  // sqrt(3). One word holds all four.
  double Normal() {
    const uint64_t z = Next();
    const auto sum = static_cast<double>((z & 0xffff) + ((z >> 16) & 0xffff) + ((z >> 32) & 0xffff) + (z >> 48));
    return (sum - 131070.0) * (1.7320508075688772 / 65536.0);
  }

  // -1 or +1.
  float Sign() {
    if (bits_left_ == 0) {
      bits_ = Next();
      bits_left_ = 64;
    }
    const bool is_set = (bits_ & 1) != 0;
    bits_ >>= 1;
    --bits_left_;
    return is_set ? 1.0f : -1.0f;
  }

 private:
  uint64_t state_;
  uint64_t bits_ = 0;
  int bits_left_ = 0;
};

}  // namespace bnn::architectures
