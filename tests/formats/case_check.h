// What a committed network must give: the interpretation of its source graph and the executable specification of its
// model, within the tolerance of the case.
#pragma once

#include <vector>

#include "formats/convert.h"
#include "formats/model_def.h"
#include "formats/source_graph.h"
#include "tests/formats/onnx_cases.h"

namespace bnn::formats {

// Within the tolerance: relative to max(1, |expected|), or absolute where it is negative.
void CheckClose(const std::vector<float>& actual, const std::vector<float>& expected, float tolerance);
void CheckInterpretation(const SourceGraph& graph, const test::OnnxCase& one);
void CheckModel(const ModelDef& model, const test::OnnxCase& one);

// All of it: checks the graph, converts it, and checks the model.
Conversion CheckCase(SourceGraph graph, const test::OnnxCase& one);

}  // namespace bnn::formats
