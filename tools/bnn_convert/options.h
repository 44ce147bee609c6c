// The command line of bnn-convert.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "formats/convert.h"
#include "formats/model_def.h"
#include "models/architectures/architectures.h"
#include "tools/bnn_convert/binarize.h"
#include "tools/bnn_convert/calibrate.h"
#include "tools/bnn_convert/parse.h"

namespace bnn::convert {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;   // the source cannot be read or represented, or a file cannot be written
inline constexpr int kExitUsage = 2;    // the command line itself
inline constexpr int kExitDiffers = 3;  // --verify found a difference above the tolerance; nothing was written

struct Options {
  std::string source;        // a file, or "" where an architecture is built
  std::string architecture;  // its name, or ""
  architectures::NetworkOptions network;
  bool list_architectures = false;  // print their table and do nothing else
  std::string output;               // "" with emit_onnx: no model is wanted
  formats::ConvertOptions convert;
  formats::Preprocessing preprocessing;  // to be stored in the model

  std::string binarize;  // NNCF's configuration, or ""
  WeightsOptions weights;
  bool int8_float_layers = false;
  CalibrationOptions calibration;

  std::string emit_onnx;  // file, or ""
  DumpFiles dump_graph;
  std::string report_json;  // file, or ""
  bool quiet = false;

  int64_t verify = 0;                      // random samples; 0: no verification
  uint64_t seed = 1;                       // of the random samples; network.seed is the same
  float verify_low = -1, verify_high = 1;  // range of the random inputs
  double tolerance = 1e-3;
};

// The options, or the exit code where the program ends here: --help was printed to stdout, or a usage error to stderr.
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace bnn::convert
