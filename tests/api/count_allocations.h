// Counts what anybody in the process allocates: bnn, oneDNN, OpenMP and the C++ library alike.
#pragma once

#include <cstdint>

namespace bnn::test {

// Since the process began, by any thread. A caller is known by the address that it is called from.
struct Allocations {
  int64_t by_onednn = 0;  // calls from libdnnl
  int64_t by_others = 0;  // all other calls
  int64_t freed = 0;

  int64_t held() const { return by_onednn + by_others - freed; }
};

// Whether counting works here: it replaces malloc of glibc and operator new, as sanitizers do.
bool CanCountAllocations();

Allocations CountAllocations();

}  // namespace bnn::test
