#include "formats/convert.h"

#include <filesystem>
#include <utility>

#include "formats/lower/lower.h"
#include "formats/passes/passes.h"
#include "formats/validate.h"

namespace bnn::formats {

Result<PassedGraph> RunPasses(SourceGraph graph) {
  PassedGraph passed;
  BNN_RETURN_IF_ERROR(FoldConstants(&graph, FoldQuantizers::kLeave));
  BNN_RETURN_IF_ERROR(RemoveDeadNodes(&graph));
  BNN_ASSIGN_OR_RETURN(passed.binarize_weights, BinarizeWeights(&graph));
  BNN_RETURN_IF_ERROR(FoldConstants(&graph));
  BNN_RETURN_IF_ERROR(RemoveDeadNodes(&graph));
  passed.graph = std::move(graph);
  return passed;
}

Result<Conversion> LowerPassed(SourceGraph source, PassedGraph passed, const ConvertOptions& options) {
  Conversion conversion;
  const SourceGraph& graph = passed.graph;
  BNN_ASSIGN_OR_RETURN(const FewValuedResult few_valued, AnalyzeFewValued(graph, options.sign_of_zero));
  BNN_ASSIGN_OR_RETURN(conversion.model, Lower(graph, few_valued, &conversion.report));
  for (LayerReport& layer : conversion.report.layers) {
    const auto outcome = passed.binarize_weights.find(layer.name);
    if (outcome == passed.binarize_weights.end()) continue;
    layer.binarize_weights = (outcome->second.done ? "done: " : "declined: ") + outcome->second.text;
  }
  for (const auto& [node, note] : few_valued.notes) conversion.report.notes.push_back("'" + node + "': " + note);
  conversion.model.producer = "bnn-convert " BNN_VERSION;
  conversion.model.source = std::filesystem::path(graph.file).filename().string();
  BNN_RETURN_IF_ERROR(Validate(conversion.model, graph.file + " (converted)"));
  conversion.source = std::move(source);
  conversion.passed = std::move(passed.graph);
  return conversion;
}

Result<Conversion> ConvertGraph(SourceGraph graph, const ConvertOptions& options) {
  BNN_ASSIGN_OR_RETURN(PassedGraph passed, RunPasses(graph));
  return LowerPassed(std::move(graph), std::move(passed), options);
}

Result<Conversion> ConvertFile(const std::string& path, const ConvertOptions& options) {
  BNN_ASSIGN_OR_RETURN(SourceGraph graph, ImportFile(path, options.import));
  return ConvertGraph(std::move(graph), options);
}

}  // namespace bnn::formats
