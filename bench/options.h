// The command line of bench_kernels.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/epilogue_work.h"
#include "bench/timing.h"
#include "kernels/cpu_features.h"

namespace bnn::bench {

struct Options {
  std::vector<std::string> sections;                    // empty: all
  std::function<bool(const std::string& name)> filter;  // empty: all rows
  std::optional<kernels::Isa> isa;
  std::optional<Output> output;
  bool cold_weights = false;
  bool quick = false;
  std::string json_file;
  ContestOptions contest;

  bool WantsSection(const std::string& name) const;
  // `name` is "section/case/kernel/output", as far as a row has these.
  bool WantsRow(const std::string& name) const;
  // Kernels of this instruction set run here and are asked for. The reference is slow and must be asked for by name.
  bool WantsIsa(kernels::Isa isa) const;
  bool WantsOutput(Output candidate) const { return !output || candidate == *output; }
};

// An exit code when there is nothing left to do: --help, or a wrong command line, which it explains on stderr.
std::optional<int> ParseOptions(int argc, char** argv, const std::vector<std::string>& section_names, Options& options);

}  // namespace bnn::bench
