#include "tools/bnn_run/statistics.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tools/bnn_run/table.h"

namespace bnn::run {
namespace {

TEST_CASE("quantiles interpolate between neighbours in sorted order") {
  const std::vector<double> values{4, 1, 3, 2};
  CHECK(Quantile(values, 0) == 1);
  CHECK(Quantile(values, 1) == 4);
  CHECK(Quantile(values, 0.5) == 2.5);
  CHECK(Quantile(values, 0.9) == doctest::Approx(3.7));
  CHECK(Quantile(std::vector<double>{7}, 0.99) == 7);
  CHECK(Quantile({}, 0.5) == 0);
}

TEST_CASE("a summary is in milliseconds") {
  std::vector<double> seconds;
  for (int i = 100; i >= 0; --i) seconds.push_back(i * 1e-3);
  const LatencySummary summary = Summarize(seconds);
  CHECK(summary.min == 0);
  CHECK(summary.median == doctest::Approx(50));
  CHECK(summary.p90 == doctest::Approx(90));
  CHECK(summary.p99 == doctest::Approx(99));
  CHECK(summary.mean == doctest::Approx(50));
}

TEST_CASE("peak memory sees what was used") {
  const int64_t before = PeakMemoryBytes();
  CHECK(before > 1 << 20);
  std::vector<char> block(int64_t{64} << 20);
  std::memset(block.data(), 1, block.size());
  CHECK(block[block.size() / 2] == 1);
  CHECK(PeakMemoryBytes() >= (int64_t{64} << 20));
}

TEST_CASE("columns are as wide as their widest cell, in characters") {
  Table table({{"name"}, {"ms", Align::kRight}});
  table.AddRow({"größe", "1.5"});
  table.AddLine();
  table.AddRow({"a", "10.25"});
  CHECK(table.ToString() ==
        "name      ms\n"
        "------------\n"
        "größe    1.5\n"
        "------------\n"
        "a      10.25\n");
}

}  // namespace
}  // namespace bnn::run
