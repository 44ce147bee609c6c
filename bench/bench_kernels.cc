// All binary kernels, beside what the core can do at most and beside oneDNN: tables on stdout, JSON on request.
// `bench_kernels --help` explains the measurement.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/environment.h"
#include "bench/options.h"
#include "bench/report.h"
#include "bench/sections.h"

namespace bnn::bench {
namespace {

struct Section {
  const char* name;
  void (*run)(const Options& options, Report& report);
};
constexpr Section kSections[] = {
    {"limits", RunLimitSection},      //
    {"conv", RunConvSection},         //
    {"dense", RunDenseSection},       //
    {"planes", RunPlaneSection},      //
    {"stream", RunStreamSection},     //
    {"networks", RunNetworkSection},  //
    {"threads", RunThreadSection},    //
};

int Main(int argc, char** argv) {
  std::vector<std::string> names;
  for (const Section& section : kSections) names.emplace_back(section.name);
  Options options;
  if (const std::optional<int> exit_code = ParseOptions(argc, argv, names, options)) return *exit_code;

  nlohmann::ordered_json context = Environment();
  context["repetitions"] = options.contest.rounds;
  std::string command = "bench_kernels";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  context["command"] = command;
  Report report(context);
  for (const Section& section : kSections) {
    if (options.WantsSection(section.name)) section.run(options, report);
  }
  if (!options.json_file.empty() && !WriteFile(options.json_file, report.json().dump(1) + "\n")) {
    std::fprintf(stderr, "%s: %s\n", options.json_file.c_str(), std::strerror(errno));
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace bnn::bench

int main(int argc, char** argv) { return bnn::bench::Main(argc, argv); }
