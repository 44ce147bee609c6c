#include "formats/convert.h"

#include <filesystem>
#include <utility>

#include "formats/lower/lower.h"
#include "formats/passes/passes.h"
#include "formats/validate.h"

namespace bnn::formats {

Result<Conversion> ConvertGraph(SourceGraph graph, const ConvertOptions& options) {
  Conversion conversion;
  conversion.source = graph;
  BNN_RETURN_IF_ERROR(FoldConstants(&graph));
  BNN_RETURN_IF_ERROR(RemoveDeadNodes(&graph));
  BNN_ASSIGN_OR_RETURN(const TwoValuedResult two_valued, AnalyzeTwoValued(graph, options.sign_of_zero));
  BNN_ASSIGN_OR_RETURN(conversion.model, Lower(graph, two_valued, &conversion.report));
  for (const auto& [node, note] : two_valued.notes) conversion.report.notes.push_back("'" + node + "': " + note);
  conversion.model.producer = "bnn-convert " BNN_VERSION;
  conversion.model.source = std::filesystem::path(graph.file).filename().string();
  BNN_RETURN_IF_ERROR(Validate(conversion.model, graph.file + " (converted)"));
  return conversion;
}

Result<Conversion> ConvertFile(const std::string& path, const ConvertOptions& options) {
  BNN_ASSIGN_OR_RETURN(SourceGraph graph, ImportFile(path, options.import));
  return ConvertGraph(std::move(graph), options);
}

}  // namespace bnn::formats
