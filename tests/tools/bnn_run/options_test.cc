#include "tools/bnn_run/options.h"

#include <doctest/doctest.h>

#include <iostream>
#include <sstream>
#include <utility>

namespace bnn::run {
namespace {

// What the program would print while parsing.
struct Captured {
  std::ostringstream out, err;
  std::streambuf* old_out = std::cout.rdbuf(out.rdbuf());
  std::streambuf* old_err = std::cerr.rdbuf(err.rdbuf());
  ~Captured() {
    std::cout.rdbuf(old_out);
    std::cerr.rdbuf(old_err);
  }
};

std::variant<Options, int> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bnn-run");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST_CASE("a full command line") {
  const auto parsed = Parse(
      {"m.bnn",  "--dataset", "i.npy",  "l.npy",         "--threads", "2",        "--batch",   "8",       "--repeat",
       "3",      "--mean",    "1,2,3",  "--scale",       "1/255",     "--layout", "NHWC",      "--limit", "10",
       "--json", "--profile", "--plan", "--no-progress", "--output",  "o.npy",    "--max-isa", "avx2"});
  REQUIRE(std::holds_alternative<Options>(parsed));
  const auto& options = std::get<Options>(parsed);
  CHECK(options.model == "m.bnn");
  CHECK(options.dataset == std::vector<std::string>{"i.npy", "l.npy"});
  CHECK(options.threads == 2);
  CHECK(options.batch == 8);
  CHECK(options.repeat == 3);
  CHECK(options.limit == 10);
  CHECK(*options.preprocess.mean == std::vector<float>{1, 2, 3});
  CHECK(options.preprocess.scale->divisor == std::vector<float>{255});
  CHECK(*options.preprocess.layout == BNN_LAYOUT_NHWC);
  CHECK((options.json && options.profile && options.plan && !options.progress));
  CHECK(options.output == "o.npy");
  CHECK(options.max_isa == "avx2");
}

TEST_CASE("--profile with and without a format, and the file that it writes") {
  const auto profile = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "a/net.v2.bnn");
    const auto parsed = Parse(arguments);
    REQUIRE(std::holds_alternative<Options>(parsed));
    return std::get<Options>(parsed);
  };
  CHECK_FALSE(profile({}).profile);
  for (const char* flag : {"--profile", "--profile=table"}) {
    CHECK(profile({flag}).profile);
    CHECK(profile({flag}).profile_format == ProfileFormat::kTable);
    CHECK(profile({flag, "--plan"}).profile_output.empty());
  }
  CHECK(profile({"--profile=trace"}).profile_format == ProfileFormat::kTrace);
  CHECK(profile({"--profile=trace"}).profile_output == "net.v2.trace.json");
  CHECK(profile({"--profile=html"}).profile_format == ProfileFormat::kHtml);
  CHECK(profile({"--profile=html"}).profile_output == "net.v2.profile.html");
  CHECK(profile({"--profile=html", "--profile-output", "x"}).profile_output == "x");
}

TEST_CASE("--resolution is one number or two") {
  const auto resolution = [](const char* text) {
    const auto parsed = Parse({"m.bnn", "--resolution", text});
    REQUIRE(std::holds_alternative<Options>(parsed));
    return std::pair(std::get<Options>(parsed).height, std::get<Options>(parsed).width);
  };
  CHECK(resolution("320x256") == std::pair<int64_t, int64_t>(320, 256));
  CHECK(resolution("96") == std::pair<int64_t, int64_t>(96, 96));
}

TEST_CASE("defaults") {
  const auto parsed = Parse({"m.bnn", "--input", "a.png", "b.png"});
  REQUIRE(std::holds_alternative<Options>(parsed));
  const auto& options = std::get<Options>(parsed);
  CHECK(options.inputs == std::vector<std::string>{"a.png", "b.png"});
  CHECK(options.top_k == 5);
  CHECK(options.threads == 1);
  CHECK(options.batch == 0);
  CHECK(options.progress);
  CHECK_FALSE(options.preprocess.mean.has_value());
}

TEST_CASE("usage errors are one line on stderr and exit code 2") {
  const std::vector<std::vector<const char*>> wrong{{},
                                                    {"m", "--no-such-option"},
                                                    {"m", "--threads", "0"},
                                                    {"m", "--batch", "-1"},
                                                    {"m", "--repeat", "x"},
                                                    {"m", "--top-k", "0"},
                                                    {"m", "--dataset", "one"},
                                                    {"m", "--layout", "chw"},
                                                    {"m", "--mean", "x"},
                                                    {"m", "--scale", "1/0"},
                                                    {"m", "--output", "o.npy"},
                                                    {"m", "--labels", "l.txt"},
                                                    {"m", "--limit", "3"},
                                                    {"m", "--resolution", "0x5"},
                                                    {"m", "--resolution", "5x"},
                                                    {"m", "--resolution", "5x6x7"},
                                                    {"m", "--resolution", "-5"},
                                                    {"m", "--resolution", "99999999999999999999"},
                                                    {"m", "--profile=svg"},
                                                    {"m", "--profile-output", "x"},
                                                    {"m", "--profile", "--profile-output", "x"},
                                                    {"m", "--input", "a", "--dataset", "i", "l"}};
  for (const auto& arguments : wrong) {
    CAPTURE(arguments.size());
    Captured captured;
    const auto parsed = Parse(arguments);
    REQUIRE(std::holds_alternative<int>(parsed));
    CHECK(std::get<int>(parsed) == kExitUsage);
    CHECK(captured.out.str().empty());
    const std::string message = captured.err.str();
    CHECK(message.starts_with("bnn-run: "));
    CHECK(message.find('\n') == message.size() - 1);
  }
}

TEST_CASE("--help goes to stdout and names every option") {
  Captured captured;
  const auto parsed = Parse({"--help"});
  REQUIRE(std::holds_alternative<int>(parsed));
  CHECK(std::get<int>(parsed) == kExitOk);
  const std::string help = captured.out.str();
  for (const char* name : {"--input",   "--dataset", "--labels",      "--top-k",  "--threads",  "--batch",  "--repeat",
                           "--max-isa", "--profile", "--plan",        "--json",   "--output",   "--limit",  "--mean",
                           "--scale",   "--layout",  "--no-progress", "--warmup", "EXIT CODES", "EXAMPLES", "1/255"}) {
    CAPTURE(name);
    CHECK(help.find(name) != std::string::npos);
  }
}

}  // namespace
}  // namespace bnn::run
