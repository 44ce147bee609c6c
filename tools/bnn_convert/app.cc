#include "tools/bnn_convert/app.h"

#include <fmt/format.h>

#include "formats/exporters/onnx_writer.h"
#include "formats/file_writer.h"
#include "formats/importers/importer.h"
#include "formats/writer.h"
#include "models/architectures/architectures.h"
#include "tools/bnn_convert/binarize.h"
#include "tools/bnn_convert/calibrate.h"
#include "tools/bnn_convert/report_json.h"
#include "tools/bnn_convert/verify.h"

namespace bnn::convert {
namespace {

Result<formats::SourceGraph> ReadSource(const Options& options) {
  if (options.architecture.empty()) return formats::ImportFile(options.source, options.convert.import);
  return architectures::BuildArchitecture(options.architecture, options.network);
}

std::string ListArchitectures() {
  std::string text = fmt::format("{:<18} {:>10} {:>7}  {}\n", "name", "resolution", "classes", "what it is, and whose");
  for (const architectures::Architecture& a : architectures::Architectures()) {
    text += fmt::format("{:<18} {:>10} {:>7}  {}: {}\n{:<38}{}\n", a.name, a.resolution, a.classes, a.title,
                        a.description, "", a.source);
  }
  return text;
}

}  // namespace

Status SetPreprocessing(const formats::Preprocessing& preprocessing, formats::ModelDef* model) {
  if (preprocessing.mean.empty() && preprocessing.scale.empty()) return OkStatus();
  for (formats::InputDef& input : model->inputs) {
    const formats::TensorDef& tensor = model->tensors[static_cast<size_t>(input.tensor)];
    const bool nchw = input.layout == formats::ImageLayout::kNchw;
    const auto channels = static_cast<size_t>(nchw ? tensor.dims.front() : tensor.dims.back());
    for (const auto* values : {&preprocessing.mean, &preprocessing.scale}) {
      if (values->size() <= 1 || values->size() == channels) continue;
      return InvalidArgument(fmt::format("{} has {} numbers, but input '{}' has {} channels",
                                         values == &preprocessing.mean ? "--input-mean" : "--input-scale",
                                         values->size(), tensor.name, channels));
    }
    input.preprocessing = preprocessing;
  }
  return OkStatus();
}

Result<Outcome> Convert(const Options& options) {
  Outcome outcome;
  if (options.list_architectures) {
    outcome.text = ListArchitectures();
    return outcome;
  }
  BNN_ASSIGN_OR_RETURN(formats::SourceGraph source, ReadSource(options));
  Binarization binarization;
  if (!options.binarize.empty()) {
    BNN_ASSIGN_OR_RETURN(binarization, BinarizeByNncf(options.binarize, options.convert, options.preprocessing,
                                                      options.calibration, &source));
  }
  if (!options.weights.quantizer.empty()) {
    BNN_ASSIGN_OR_RETURN(binarization, QuantizeWeightsByName(options.weights, &source));
  }
  if (!options.emit_onnx.empty()) BNN_RETURN_IF_ERROR(formats::WriteOnnxFile(source, options.emit_onnx));
  if (options.output.empty()) return outcome;
  BNN_ASSIGN_OR_RETURN(formats::Conversion conversion,
                       options.int8_float_layers
                           ? ConvertWithInt8(source, options.convert, options.preprocessing, options.calibration)
                           : formats::ConvertGraph(std::move(source), options.convert));
  binarization.AddTo(&conversion.report);
  BNN_RETURN_IF_ERROR(SetPreprocessing(options.preprocessing, &conversion.model));
  BNN_ASSIGN_OR_RETURN(const std::string bytes, formats::SerializeModel(conversion.model));

  if (!options.quiet) {
    outcome.text = formats::FormatReport(conversion.report);
    outcome.text += fmt::format("{}: {} bytes\n", options.output, bytes.size());
  }
  if (!options.dump_graph.before.empty()) {
    BNN_RETURN_IF_ERROR(formats::WriteFileWhole(options.dump_graph.before, formats::DumpGraph(conversion.source)));
  }
  if (!options.dump_graph.after.empty()) {
    BNN_RETURN_IF_ERROR(formats::WriteFileWhole(options.dump_graph.after, formats::DumpGraph(conversion.passed)));
  }
  if (!options.report_json.empty()) {
    BNN_RETURN_IF_ERROR(formats::WriteFileWhole(options.report_json, ReportToJson(conversion.report)));
  }
  if (options.verify > 0) {
    const VerifyOptions verify{options.verify, options.seed, options.verify_low, options.verify_high,
                               options.tolerance};
    BNN_ASSIGN_OR_RETURN(const VerifyResult result, Verify(conversion, bytes, verify));
    outcome.text += FormatVerifyResult(result, options.tolerance);
    outcome.verified = result.passed;
    if (!result.passed) return outcome;
  }
  BNN_RETURN_IF_ERROR(formats::WriteModelFile(conversion.model, options.output));
  return outcome;
}

}  // namespace bnn::convert
