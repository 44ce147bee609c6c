// Models for tests of the format and of whatever takes a ModelDef.
#pragma once

#include <cstdint>

#include "formats/model_def.h"

namespace bnn::formats {

// A small model that uses every operator, every enumerator and every field at least once; those of format version
// 1.`minor`.
ModelDef EveryOpModel(int minor = 4);

// A valid model with a few tens of random nodes.
ModelDef RandomModel(uint64_t seed);

}  // namespace bnn::formats
