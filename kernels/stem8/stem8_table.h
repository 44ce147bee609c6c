// The table entries of stem8, each the only symbol that its source file exports. stem8_list.cc orders them.
#pragma once

#include "kernels/stem8/stem8.h"

namespace bnn::kernels {

extern const Stem8Kernel kStem8Ref;         // stem8_ref.cc
extern const Stem8Kernel kStem8Avx512Vnni;  // stem8_avx512vnni.cc

}  // namespace bnn::kernels
