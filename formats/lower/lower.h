// Source graph -> ModelDef: NHWC, packed bits, one operator set. The first of the two translations.
#pragma once

#include "bnn/status.h"
#include "formats/model_def.h"
#include "formats/passes/few_valued.h"
#include "formats/report.h"
#include "formats/source_graph.h"

namespace bnn::formats {

// `graph` has been folded. All operators that have no counterpart are listed in one kUnsupported error.
Result<ModelDef> Lower(const SourceGraph& graph, const FewValuedResult& few_valued, ConversionReport* report);

}  // namespace bnn::formats
