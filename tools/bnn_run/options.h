// The command line of bnn-run.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tools/bnn_run/preprocess.h"

namespace bnn::run {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // files, models, data
inline constexpr int kExitUsage = 2;   // the command line itself

// What --profile makes, beside the table on stdout.
enum class ProfileFormat { kTable, kTrace, kHtml };

struct Options {
  std::string model;
  std::vector<std::string> inputs;   // FILE or NAME=FILE
  std::vector<std::string> dataset;  // empty, or images and labels
  std::string class_names;           // file, or ""
  int64_t top_k = 5;
  int64_t limit = 0;  // samples; 0: all
  std::string output;
  PreprocessFlags preprocess;

  int64_t threads = 1;
  int64_t batch = 0;              // 0: what the model fixed, or 1
  int64_t height = 0, width = 0;  // of images; 0: the model's
  int64_t repeat = 0;             // 0: without input, as many runs as fit into some seconds; with input, 1
  int64_t warmup = 3;
  std::string max_isa;
  std::string cpus;

  bool profile = false;
  ProfileFormat profile_format = ProfileFormat::kTable;
  std::string profile_output;  // a file; never "" for kTrace and kHtml
  bool plan = false;
  bool json = false;
  bool progress = true;
};

// The options, or the exit code where the program ends here: --help was printed to stdout, or a usage error to stderr.
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace bnn::run
