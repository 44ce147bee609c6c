// bnn-convert: a trained network in, a .bnn model out.
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <variant>

#include "tools/bnn_convert/app.h"

namespace {

int Fail(const std::string& message, int exit_code = bnn::convert::kExitFailed) {
  std::fprintf(stderr, "bnn-convert: %s\n", message.c_str());
  return exit_code;
}

int RunMain(int argc, char** argv) {
  const auto parsed = bnn::convert::ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<bnn::convert::Options>(parsed);

  const auto outcome = bnn::convert::Convert(options);
  if (!outcome.ok()) return Fail(outcome.status().message());
  const std::string& text = outcome->text;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail("the report could not be written to stdout");
  }
  if (outcome->verified) return bnn::convert::kExitOk;
  return Fail("the engine differs from the source; " + options.output + " was not written", bnn::convert::kExitDiffers);
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
