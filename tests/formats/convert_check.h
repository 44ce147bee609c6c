// Converts a hand-built graph and checks the model against the interpretation of its source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/convert.h"
#include "tests/formats/graph_builder.h"

namespace bnn::formats {

// Converts the graph; runs `samples` random inputs through Interpret() and the reference executor; checks that all
// outputs agree: exactly (tolerance 0), or within the tolerance. Inputs are multiples of 1/2 in [-4, 4].
Conversion CheckConversion(const GraphBuilder& builder, double tolerance = 0, const ConvertOptions& options = {},
                           int samples = 4);

// The names of the model's operators in order: "Binarize BConv2d Affine".
std::string Ops(const Conversion& conversion);

// The only layer of the report.
const LayerReport& OnlyLayer(const Conversion& conversion);

// `count` numbers from {-scale, scale}, always the same for the same seed.
std::vector<float> Signs(int64_t count, uint64_t seed, float scale = 1);

// `count` multiples of 1/4 in [-2, 2].
std::vector<float> Quarters(int64_t count, uint64_t seed);

}  // namespace bnn::formats
