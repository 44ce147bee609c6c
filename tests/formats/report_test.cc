#include "formats/report.h"

#include <doctest/doctest.h>

namespace bnn::formats {
namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("the table has a line a layer, totals and notes") {
  ConversionReport report;
  report.layers.push_back({"first", "Conv", RunsAs::kFloat, "because of x", 1'560'000, 6912, 6912});
  report.layers.push_back({"second layer", "MatMul", RunsAs::kBinary, "because of y", 4'680'000, 32000, 1000});
  report.notes = {"'sign': an assumption"};
  const std::string text = FormatReport(report);
  CHECK(Contains(text, "first         Conv    float    1.56 M"));
  CHECK(Contains(text, "second layer  MatMul  binary   4.68 M"));
  CHECK(Contains(text, "1 of 2   6.24 M"));
  CHECK(Contains(text, "38912"));
  CHECK(Contains(text, "7912"));
  CHECK(Contains(text, "75.0 % of the MACs are binary"));
  CHECK(Contains(text, "note: 'sign': an assumption\n"));
}

TEST_CASE("int8 layers are named, and their share") {
  ConversionReport report;
  report.layers.push_back({"first", "Conv", RunsAs::kInt8, "because of x", 1'000'000, 6912, 1728});
  report.layers.push_back({"second", "Conv", RunsAs::kBinary, "because of y", 3'000'000, 32000, 1000});
  const std::string text = FormatReport(report);
  CHECK(Contains(text, "first   Conv  int8     1.00 M"));
  CHECK(Contains(text, "75.0 % of the MACs are binary, 25.0 % int8"));
}

TEST_CASE("zeros in the weights are shown where there are any; what BinarizeWeights did stands beside the reason") {
  ConversionReport report;
  report.layers.push_back({"first", "Conv", RunsAs::kFloat, "because of x", 1'000'000, 6000, 6000});
  CHECK(!Contains(FormatReport(report), "zeros"));
  report.layers.push_back({"second", "Conv", RunsAs::kBinary, "because of y", 3'000'000, 2000, 100, 0.25, "done: f"});
  const std::string text = FormatReport(report);
  CHECK(Contains(text, "weights (B)   zeros  in .bnn (B)"));
  CHECK(Contains(text, "6000                 6000  because of x\n"));
  CHECK(Contains(text, "2000  25.0 %          100  because of y; BinarizeWeights done: f\n"));
  CHECK(Contains(text, "8000   6.2 %         6100"));
}

TEST_CASE("a network without layers has a table too") { CHECK(Contains(FormatReport({}), "0 of 0")); }

}  // namespace
}  // namespace bnn::formats
