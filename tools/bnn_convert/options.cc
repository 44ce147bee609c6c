#include "tools/bnn_convert/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>

#include "formats/importers/importer.h"
#include "tools/bnn_convert/parse.h"

namespace bnn::convert {
namespace {

constexpr const char* kDescription =
    "Converts a trained network into a .bnn model with bit-packed weights, for bnn-run and libbnn.";

constexpr const char* kFooter = R"(
WHAT BECOMES BINARY
  A Conv, MatMul or Gemm runs on bits where its weights are {-r, +r} per output channel and its activations take two
  values (made by a threshold: BipolarQuant, FakeQuantize with two levels, Sign, comparisons; then moved or scaled), or
  up to 16 values in even steps, as quantizers of 2 to 4 bits make them. Every other layer stays float32. The table on stdout says for each layer which of both, and why.
  What cannot be represented exactly is an error that names every such node; nothing is approximated silently.

FROZEN GRAPHS
  A .pb of TensorFlow does not say what goes in and out. Its inputs are the Placeholders that an output depends on, its
  outputs the nodes that no other node reads (but constants, Assert and NoOp). Functions of its library are inlined.

SIGN OF ZERO
  Sign(0) is 0, a third value. auto: it counts as +1 where the input is real-valued (noted in the report); where 0 is
  certain to occur (integer sums, zero padding, floor) the layer stays float and exact. Behind a ReLU, Sign is {0, 1} and
  exact in every mode. plus, minus: Sign(0) counts as +1 or -1 everywhere else, as the network was trained.

INT8
  Layers whose activations and weights the source quantizes to 8 bits (QuantizeLinear and DequantizeLinear, QLinearConv,
  QLinearMatMul, FakeQuantize with 255 or 256 levels) run as int8. --int8-float-layers makes int8 layers of those that
  would be float, too: stems, downsamplings, classifiers. Weights are rounded to 127 steps to either side of 0 for each
  output channel, activations to 256 steps over the range that they take on the data of --calibrate: .npy, idx (MNIST)
  or pictures, as for bnn-run --input. Some tens of typical samples do. The report says which ranges were found.
  --verify then measures what that costs, so give it a --tolerance.

BINARIZATION
  --binarize takes a float network and a configuration that was written for NNCF (JSON with "algorithm": "binarization"
  under "compression"), and makes binary layers of the Conv2d that it chooses, without training: weights by "mode" (xnor
  or dorefa), activations to 0 and s, s being the smallest of the largest 0.1 % of the values on the data of --calibrate,
  above s / 2. Keys for training are checked, listed in the report and have no effect. Scopes ("ignored_scopes",
  "target_scopes") match the name of a node, or the address that NNCF would give it: class names do not matter, for ONNX
  files lack them; ResNet/Sequential[layer2]/BasicBlock[0]/NNCFConv2d[conv1]/conv2d_0 is the node
  /layer2/layer2.0/conv1/Conv, or the Conv with weights layer2.0.conv1.weight. An address without its end names all
  layers below it; {re} begins a regular expression. With "validate_scopes": false, a scope may match nothing.
  PyTorch's exporter folds batch-norm into weights, which changes the mean of dorefa: export for that with
  training=torch.onnx.TrainingMode.PRESERVE. Accuracy needs training: tools/training. --verify and --emit-onnx then mean
  the binarized network.

WEIGHTS
  --weights-quantizer makes the weights of Conv2d binary as Blueoil does: to -m and +m (w >= 0), m being the mean of |w| of
  the layer (binary_mean_scaling) or of each output channel (binary_channel_wise_mean_scaling). Without scopes it takes
  all; they match as those of --binarize do. Layers whose activations the network quantizes to 16 values or fewer, in
  even steps, are binary then: linear_mid_tread_half, FakeQuantize, QONNX's Quant, or a rounding of a limited range.

PREPROCESSING
  --input-mean and --input-scale are stored in the model: bnn-run then turns 8-bit images into inputs with
  x = (pixel - mean) * scale. One number for all channels, or one a channel. A scale may be a fraction: 1/255.

GRAPHS
  --dump-graph before.txt/after.txt writes before.txt, the network as it was imported, and after.txt beside it, the
  network after the passes, as it is lowered: constants folded, and a Convolution between two FakeQuantize of two levels
  as OpenVINO's BinarizeWeights leaves it, with levels {0, 1} or {-1, 1}, a constant of -1 and +1 for weights and two
  Multiply behind it. The table says for each layer what that pass did, or why it declined. A single name, or one
  behind a folder, is the first of both files alone.

VERIFICATION
  --verify runs random inputs through a plain float interpretation of the source and through the engine, and prints the
  largest difference. It passes if |difference| <= tolerance * max(1, |largest output|). Only then the model is
  written. Inputs are 8-bit pixels with the given preprocessing, or uniform in --verify-range. Where a float layer
  feeds a threshold, sums that differ in the last bit may, rarely, decide differently: try another --seed.

ARCHITECTURES
  --architecture builds a published network with the layers and operators of its authors' implementation. Its weights
  come from --seed, not from a training: such a model is for measuring and testing. It is converted as a file would be.
  --emit-onnx writes the network before its conversion, so that other engines can run the same one.

EXIT CODES
  0 success; 1 the source cannot be read or represented, or a file cannot be written (message on stderr); 2 a wrong
  command line; 3 --verify found a difference above the tolerance. In all cases but 0, MODEL.bnn is left as it was: it is
  replaced whole or not at all.

EXAMPLES
  bnn-convert net.onnx -o net.bnn
  bnn-convert net.onnx -o net.bnn --verify --input-scale 1/255
  bnn-convert net.xml -o net.bnn --weights elsewhere/net.bin
  bnn-convert net.onnx -o net.bnn --input-mean 123.7,116.3,103.5 --input-scale 0.0171,0.0175,0.0174
  bnn-convert net.onnx -o net.bnn --shape image=1,3,224,224 --sign-zero plus
  bnn-convert net.onnx -o net.bnn --int8-float-layers --calibrate images.npy --verify --tolerance 0.05
  bnn-convert float.onnx -o net.bnn --binarize nncf.json --calibrate images.npy
  bnn-convert a2.onnx -o net.bnn --weights-quantizer binary_mean_scaling --ignored-scope '{re}conv1'
  bnn-convert net.onnx -o net.bnn --quiet --report-json report.json --dump-graph before.txt/after.txt
  bnn-convert --architecture quicknet -o quicknet.bnn --emit-onnx quicknet.onnx
)";

// What is not stored as it is given.
struct Texts {
  std::vector<std::string> shapes;
  std::string sign_zero = "auto", mean, scale, verify, range, dump_graph;
};

std::string Sources() {
  std::string text = "The trained network. Recognized: ";
  const char* separator = "";
  for (const formats::Importer* importer : formats::Importers()) {
    text += separator;
    text += importer->name;
    text += std::string(" (") + importer->description + ")";
    separator = ", ";
  }
  return text;
}

void Define(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("SOURCE", options.source, Sources());
  app.add_option("-o,--output", options.output, "The model to write")->type_name("MODEL.bnn");
  app.add_option("--architecture", options.architecture, "Instead of SOURCE: a published network, with random weights")
      ->type_name("NAME")
      ->group("Architectures");
  app.add_option("--resolution", options.network.resolution, "Height and width of its input; else as published")
      ->check(CLI::Range(int64_t{1}, architectures::kMaxResolution))
      ->type_name("N")
      ->group("Architectures");
  app.add_option("--classes", options.network.classes, "Number of its classes; else as published")
      ->check(CLI::Range(int64_t{1}, architectures::kMaxClasses))
      ->type_name("N")
      ->group("Architectures");
  app.add_flag("--list-architectures", options.list_architectures, "Prints the known architectures and ends")
      ->group("Architectures");
  app.add_option("--shape", texts.shapes, "The dims of an input that the source leaves open; may be repeated")
      ->type_name("NAME=N,C,H,W")
      ->group("Conversion");
  app.add_option("--weights", options.convert.import.weights_path,
                 "The .bin of an OpenVINO IR, where it does not lie beside the .xml under the same name")
      ->type_name("FILE.bin")
      ->group("Conversion");
  app.add_option("--sign-zero", texts.sign_zero, "What Sign(0) counts as (see below)")
      ->check(CLI::IsMember({"auto", "plus", "minus"}))
      ->capture_default_str()
      ->group("Conversion");
  app.add_option("--input-mean", texts.mean, "Stored in the model: subtracted from pixels")
      ->type_name("X[,Y,Z]")
      ->group("Conversion");
  app.add_option("--input-scale", texts.scale, "Stored in the model: then multiplied")
      ->type_name("X[,Y,Z]")
      ->group("Conversion");
  app.add_option("--binarize", options.binarize, "Binarizes a float network by NNCF's configuration (see below)")
      ->type_name("CONFIG.json")
      ->group("Binarization");
  app.add_option("--weights-quantizer", options.weights.quantizer,
                 "Makes weights binary: binary_mean_scaling or binary_channel_wise_mean_scaling (see below)")
      ->check(CLI::IsMember({"binary_mean_scaling", "binary_channel_wise_mean_scaling"}))
      ->type_name("NAME")
      ->group("Binarization");
  app.add_option("--target-scope", options.weights.target_scopes,
                 "Of --weights-quantizer: takes these layers only; may be repeated")
      ->type_name("SCOPE")
      ->group("Binarization");
  app.add_option("--ignored-scope", options.weights.ignored_scopes,
                 "Of --weights-quantizer: leaves these layers; may be repeated")
      ->type_name("SCOPE")
      ->group("Binarization");
  app.add_flag("--int8-float-layers", options.int8_float_layers, "Runs float layers in int8 (see below)")
      ->group("Int8");
  app.add_option("--calibrate", options.calibration.files,
                 "Samples for --binarize and --int8-float-layers; may be repeated")
      ->type_name("[NAME=]FILE")
      ->group("Binarization");
  app.add_option("--calibrate-percentile", options.calibration.percentile,
                 "Percent of the values that the ranges hold; 100: all of them")
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str()
      ->group("Int8");
  app.add_option("--emit-onnx", options.emit_onnx, "Writes the source network as ONNX; then -o may be absent")
      ->type_name("FILE.onnx")
      ->group("Reports");
  app.add_option("--dump-graph", texts.dump_graph,
                 "Writes the graph as text, one node a line: as imported, and after the passes (see below)")
      ->type_name("BEFORE[/AFTER]")
      ->group("Reports");
  app.add_option("--report-json", options.report_json, "Writes the table as JSON")->type_name("FILE")->group("Reports");
  app.add_flag("--quiet", options.quiet, "Prints no table")->group("Reports");
  app.add_option("--verify", texts.verify, "Compares with the source on N random samples (8 unless given)")
      ->type_name("N")
      ->expected(0, 1)
      ->default_str("8")
      ->group("Verification");
  app.add_option("--seed", options.seed, "Of the random inputs, and of the weights of --architecture")
      ->capture_default_str()
      ->group("Verification");
  app.add_option("--verify-range", texts.range, "Of the random inputs; without it -1,1")
      ->type_name("LOW,HIGH")
      ->group("Verification");
  app.add_option("--tolerance", options.tolerance, "Largest difference, relative to max(1, |largest output|)")
      ->capture_default_str()
      ->group("Verification");
}

// What to read and what to write.
Status CheckFiles(const Options& options) {
  if (options.source.empty() == options.architecture.empty()) {
    return InvalidArgument("expected either SOURCE or --architecture NAME");
  }
  if (options.output.empty() && options.emit_onnx.empty()) return InvalidArgument("-o MODEL.bnn is required");
  const bool calibrated = options.int8_float_layers || !options.binarize.empty();
  if (calibrated && options.calibration.files.empty()) {
    return InvalidArgument(std::string(options.int8_float_layers ? "--int8-float-layers" : "--binarize") +
                           " needs samples: --calibrate FILE");
  }
  if (!calibrated && !options.calibration.files.empty()) {
    return InvalidArgument("--calibrate is for --binarize and --int8-float-layers");
  }
  const bool has_scopes = !options.weights.target_scopes.empty() || !options.weights.ignored_scopes.empty();
  if (has_scopes && options.weights.quantizer.empty()) {
    return InvalidArgument("--target-scope and --ignored-scope are for --weights-quantizer");
  }
  if (!options.binarize.empty() && !options.weights.quantizer.empty()) {
    return InvalidArgument(
        "--binarize quantizes weights by its configuration: --weights-quantizer is for networks without");
  }
  if (options.output.empty() && options.int8_float_layers) {
    return InvalidArgument("--int8-float-layers needs -o MODEL.bnn");
  }
  if (options.output.empty() && options.verify > 0) return InvalidArgument("--verify needs -o MODEL.bnn");
  if (!options.architecture.empty()) {
    if (architectures::FindArchitecture(options.architecture) == nullptr) {
      return InvalidArgument("--architecture: there is no '" + options.architecture + "'; see --list-architectures");
    }
    if (!options.convert.import.input_shapes.empty()) {
      return InvalidArgument("--shape is for SOURCE; an architecture has --resolution");
    }
    if (!options.convert.import.weights_path.empty()) {
      return InvalidArgument("--weights is for SOURCE; the weights of an architecture come from --seed");
    }
  } else if (options.network.resolution != 0 || options.network.classes != 0) {
    return InvalidArgument("--resolution and --classes are for --architecture");
  }
  return OkStatus();
}

Status ParseTexts(const Texts& texts, bool verify, Options* options) {
  if (!(options->tolerance >= 0)) return InvalidArgument("--tolerance is negative");
  for (const std::string& text : texts.shapes) {
    BNN_ASSIGN_OR_RETURN(auto shape, ParseShape(text));
    if (!options->convert.import.input_shapes.emplace(shape).second) {
      return InvalidArgument("--shape names '" + shape.first + "' twice");
    }
  }
  if (texts.sign_zero == "plus") options->convert.sign_of_zero = formats::SignOfZero::kPlus;
  if (texts.sign_zero == "minus") options->convert.sign_of_zero = formats::SignOfZero::kMinus;
  if (!texts.mean.empty()) {
    BNN_ASSIGN_OR_RETURN(options->preprocessing.mean, ParseNumbers(texts.mean));
  }
  if (!texts.scale.empty()) {
    BNN_ASSIGN_OR_RETURN(options->preprocessing.scale, ParseNumbers(texts.scale));
  }
  if (!texts.range.empty()) {
    BNN_ASSIGN_OR_RETURN(const std::vector<float> range, ParseNumbers(texts.range));
    if (range.size() != 2 || !(range[0] < range[1])) {
      return InvalidArgument("--verify-range: '" + texts.range + "' is not LOW,HIGH with LOW < HIGH");
    }
    options->verify_low = range[0];
    options->verify_high = range[1];
  }
  if (!texts.dump_graph.empty()) {
    Result<DumpFiles> files = ParseDumpFiles(texts.dump_graph);
    if (!files.ok()) return InvalidArgument("--dump-graph: " + files.status().message());
    options->dump_graph = *std::move(files);
  }
  if (verify) {
    constexpr float kMaxSamples = 1e6f;
    BNN_ASSIGN_OR_RETURN(const float samples, ParseNumber(texts.verify.empty() ? "8" : texts.verify));
    if (samples < 1 || samples > kMaxSamples || samples != static_cast<float>(static_cast<int64_t>(samples))) {
      return InvalidArgument("--verify: '" + texts.verify + "' is not a number of samples");
    }
    options->verify = static_cast<int64_t>(samples);
  }
  options->network.seed = options->seed;
  return options->list_architectures ? OkStatus() : CheckFiles(*options);
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  Texts texts;
  CLI::App app(kDescription, "bnn-convert");
  app.footer(kFooter);
  Define(app, options, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitUsage;
  }
  if (const Status status = ParseTexts(texts, app.count("--verify") > 0, &options); !status.ok()) {
    std::cerr << "bnn-convert: " << status.message() << "\nRun with --help for more information.\n";
    return kExitUsage;
  }
  return options;
}

}  // namespace bnn::convert
