// What an importer is. One file a source, one line in importer_list.cc.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bnn/status.h"
#include "formats/source_graph.h"

namespace bnn::formats {

struct ImportOptions {
  // Shapes of inputs whose dims are symbolic beyond the batch, by input name: --shape NAME=1,3,224,224.
  std::map<std::string, Dims> input_shapes;
  // The file of the weights, for formats that keep them in a second one: --weights FILE. "": where the format expects
  // it.
  std::string weights_path = {};
};

struct Importer {
  const char* name;         // "onnx"
  const char* description;  // for --help
  // Judges by content first, by the file's ending where the content cannot tell.
  bool (*recognizes)(std::string_view path, std::string_view first_bytes);
  // The graph as the file says, normalized (source_graph.h) and with all shapes known. Every error names file, node
  // and field; operators that are not known are all listed in one error.
  Result<SourceGraph> (*import)(const std::string& path, const ImportOptions& options);
  bool takes_weights = false;  // knows ImportOptions::weights_path
};

std::span<const Importer* const> Importers();

// Finds the importer that recognizes the file and runs it.
Result<SourceGraph> ImportFile(const std::string& path, const ImportOptions& options);

}  // namespace bnn::formats
