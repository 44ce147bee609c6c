// The binary layers of published networks at their native resolution, so that "every shape that real networks use" is
// a list and not a guess.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "bench/conv_work.h"
#include "bench/epilogue_work.h"
#include "kernels/bdense/bdense.h"

namespace bnn::bench {

struct NetworkLayer {
  std::variant<ConvCase, kernels::BDenseShape> shape;
  Output output = Output::kFloats;  // what the network does with the result
  int64_t count = 1;                // layers of this shape and output
};

struct Network {
  std::string name;
  std::vector<NetworkLayer> layers;  // distinct ones, in the network's order
};

std::vector<Network> Networks();

}  // namespace bnn::bench
