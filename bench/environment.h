// What the numbers depend on.
#pragma once

#include <nlohmann/json.hpp>

namespace bnn::bench {

// Processor, compiler and its flags, date, instruction sets, peers: in the order in which people want to read them.
nlohmann::ordered_json Environment();

}  // namespace bnn::bench
