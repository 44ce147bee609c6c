#include "bench/report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/test_support.h"

namespace bnn::bench {
namespace {

TEST_CASE("JSON holds the context, and each section's rows by their columns' keys") {
  nlohmann::ordered_json context;
  context["cpu"] = "a core";
  Report report(context);
  report.BeginSection("conv", "what it is", {{"case", "case", 8}, {"us", "microseconds", 8, 2}, {"share", "%", 5, 1}});
  report.AddRow({"3x3", 1.5, 97.25});
  report.AddRow({"1x1", std::numeric_limits<double>::quiet_NaN(), {}});
  report.BeginSection("threads", "", {{"case", "case", 8}});
  report.AddNote("skipped");

  const nlohmann::ordered_json expected = {
      {"context", {{"cpu", "a core"}}},
      {"sections",
       {{{"name", "conv"},
         {"explanation", "what it is"},
         {"notes", nlohmann::ordered_json::array()},
         {"rows",
          {{{"case", "3x3"}, {"us", 1.5}, {"share", 97.25}}, {{"case", "1x1"}, {"us", nullptr}, {"share", nullptr}}}}},
        {{"name", "threads"},
         {"explanation", ""},
         {"notes", {"skipped"}},
         {"rows", nlohmann::ordered_json::array()}}}}};
  CHECK(report.json() == expected);
}

TEST_CASE("A file is written whole or not at all") {
  const std::string path = test::ScratchDir() + "/bench_report.json";
  std::filesystem::remove(path);
  REQUIRE(WriteFile(path, "first, longer text"));
  REQUIRE(WriteFile(path, "second"));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK(text.str() == "second");
  CHECK_FALSE(std::filesystem::exists(path + ".part"));

  CHECK_FALSE(WriteFile(test::ScratchDir() + "/no-such-folder/x.json", "text"));
  const std::string folder = test::ScratchDir() + "/bench_report_folder";
  std::filesystem::create_directories(folder);
  CHECK_FALSE(WriteFile(folder, "text"));  // cannot take the place of a folder
  CHECK_FALSE(std::filesystem::exists(folder + ".part"));
}

}  // namespace
}  // namespace bnn::bench
