// The limits of kernels that are bound by memory: how fast this core merely reads, or merely writes, the same bytes.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"

namespace bnn::bench {

// Loads every byte of [data, data + bytes), apart from the last bytes % 256, with the widest loads of the instruction
// set, which the CPU supports. `data` is 64-byte aligned. Run over and over beside a kernel that reads the same memory,
// it shows the bandwidth of the cache level in which the data lies.
void ReadAll(kernels::Isa isa, const void* data, int64_t bytes);

// Stores to every byte of [data, data + bytes), apart from the last bytes % 256, with the widest stores that kernels of
// `isa` can use: the limit of kernels that mostly write.
void WriteAll(kernels::Isa isa, void* data, int64_t bytes);

}  // namespace bnn::bench
