// bnn-run: runs a .bnn model from the command line. A user of the public API like any other.
#include <cstdio>
#include <exception>
#include <string>
#include <variant>

#include "tools/bnn_run/app.h"

namespace {

int Fail(const std::string& message) {
  std::fprintf(stderr, "bnn-run: %s\n", message.c_str());
  return bnn::run::kExitFailed;
}

int RunMain(int argc, char** argv) {
  const auto parsed = bnn::run::ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<bnn::run::Options>(parsed);

  const auto report = bnn::run::RunTool(options);
  if (!report.ok()) return Fail(report.status().message());
  const std::string text = options.json ? ToJson(*report) + "\n" : ToText(*report);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? bnn::run::kExitOk : Fail("the results could not be written to stdout");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return RunMain(argc, argv);
  } catch (const std::bad_alloc&) {
    return Fail("out of memory");
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}
