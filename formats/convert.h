// The whole conversion: import, passes, analysis, lowering. What bnn-convert calls.
#pragma once

#include <string>

#include "bnn/status.h"
#include "formats/importers/importer.h"
#include "formats/model_def.h"
#include "formats/passes/binarize_weights.h"
#include "formats/passes/few_valued.h"
#include "formats/report.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct ConvertOptions {
  ImportOptions import;
  SignOfZero sign_of_zero = SignOfZero::kAuto;
};

// A graph after the passes: what is analyzed and lowered.
struct PassedGraph {
  SourceGraph graph;
  BinarizeWeightsOutcomes binarize_weights;
};

struct Conversion {
  SourceGraph source;  // as imported, before passes: what --verify interprets
  SourceGraph passed;  // after them
  ModelDef model;
  ConversionReport report;
};

Result<Conversion> ConvertFile(const std::string& path, const ConvertOptions& options);

// The same from a graph in memory.
Result<Conversion> ConvertGraph(SourceGraph graph, const ConvertOptions& options);

// Its two halves, for who changes the graph in between.
Result<PassedGraph> RunPasses(SourceGraph graph);
Result<Conversion> LowerPassed(SourceGraph source, PassedGraph passed, const ConvertOptions& options);

}  // namespace bnn::formats
