#include "bench/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <regex>

namespace bnn::bench {
namespace {

constexpr const char* kDescription =
    "Measures every binary kernel beside what this core can do at most, and beside oneDNN on the same shapes.";

constexpr const char* kFooter = R"(
HOW IT MEASURES
  What is compared runs in turn, 1.5 ms each, in every repetition; a ratio is the median of the ratios of the
  repetitions. Times are CPU time of one thread, except in the section "threads". "share" is the part of the limit of
  the kernel's own instruction set, "vpopcnt" of the limit with AVX-512 VPOPCNTDQ on the same core; "x f32" and "x int8"
  say how many times faster than oneDNN a kernel is.
  For figures that can be compared, run it on one core: taskset -c 1 bench_kernels

EXAMPLES
  bench_kernels --json results.json
  bench_kernels --section conv --isa avx2
  bench_kernels --filter 'conv/3x3/28x28.*floats'

EXIT CODES
  0 success; 1 the JSON file cannot be written; 2 a wrong command line.
)";

std::string CheckRegex(const std::string& text) {
  try {
    const std::regex regex(text);
    return "";
  } catch (const std::regex_error& error) {
    return "'" + text + "' is no regular expression: " + error.what();
  }
}

std::string CheckIsa(const std::string& text) {
  kernels::Isa isa;
  if (!kernels::IsaFromName(text, &isa)) {
    std::string names;
    for (const kernels::Isa known : kernels::kAllIsas) names += std::string(" ") + kernels::IsaName(known);
    return "'" + text + "' is none of:" + names;
  }
  return kernels::IsaSupported(isa) ? "" : "this CPU or its operating system does not support " + text;
}

}  // namespace

bool Options::WantsSection(const std::string& name) const {
  return sections.empty() || std::find(sections.begin(), sections.end(), name) != sections.end();
}

bool Options::WantsRow(const std::string& name) const { return !filter || filter(name); }

bool Options::WantsIsa(kernels::Isa candidate) const {
  if (isa) return candidate == *isa;
  return candidate != kernels::Isa::kReference && kernels::IsaSupported(candidate);
}

std::optional<int> ParseOptions(int argc, char** argv, const std::vector<std::string>& section_names,
                                Options& options) {
  CLI::App app(kDescription, "bench_kernels");
  app.footer(kFooter);
  std::string filter, isa, output;
  int repetitions = 0;
  app.add_option("--section", options.sections, "Only these sections, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(section_names));
  app.add_option("--filter", filter, "Only rows whose section/case/kernel/output the regular expression finds")
      ->check(CLI::Validator(CheckRegex, "REGEX"));
  app.add_option("--isa", isa,
                 "Only kernels of this instruction set: avx512vpopcnt, avx512, avx2, sve, neonsha3, neon, "
                 "reference")
      ->check(CLI::Validator(CheckIsa, "NAME"));
  std::vector<std::string> outputs;
  for (const Output known : kAllOutputs) outputs.emplace_back(NameOf(known));
  app.add_option(
         "--output", output,
         "Only this epilogue: floats (affine), bits (integer thresholds), residual (affine, + residual, PReLU), "
         "in-place (residual, whose place the output takes), shortcut (affine, + residual in place; floats and bits "
         "leave); networks then use it for all layers")
      ->check(CLI::IsMember(outputs));
  app.add_flag("--cold-weights", options.cold_weights,
               "Networks: weights of convolutions come from L3, as in a whole network, not from L2");
  app.add_option("--repetitions", repetitions, "How often each comparison is repeated")
      ->check(CLI::Range(1, 10000).description(""))
      ->default_str(std::to_string(options.contest.rounds));
  app.add_option("--json", options.json_file, "Also write all results to this file")->type_name("FILE");
  app.add_flag("--quick", options.quick, "Run everything once, shortly: shows that it works; the numbers mean nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!filter.empty()) {
    options.filter = [regex = std::regex(filter)](const std::string& name) { return std::regex_search(name, regex); };
  }
  if (kernels::Isa chosen; kernels::IsaFromName(isa, &chosen)) options.isa = chosen;
  for (const Output known : kAllOutputs) {
    if (output == NameOf(known)) options.output = known;
  }
  if (options.quick) options.contest = {.rounds = 1, .sample_seconds = 0};
  if (repetitions > 0) options.contest.rounds = repetitions;
  return std::nullopt;
}

}  // namespace bnn::bench
