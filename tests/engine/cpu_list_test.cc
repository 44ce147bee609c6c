#include "engine/cpu_list.h"

#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "engine/thread_pool.h"
#include "tests/test_support.h"

namespace bnn::engine {
namespace {

TEST_CASE("lists of CPUs, as Linux writes them") {
  const auto parse = [](const char* text) {
    const Result<CpuList> cpus = ParseCpuList(text);
    REQUIRE_MESSAGE(cpus.ok(), cpus.status().message());
    return *cpus;
  };
  CHECK(parse("0") == CpuList{0});
  CHECK(parse("4-7") == CpuList{4, 5, 6, 7});
  CHECK(parse("5-6,0,2") == CpuList{0, 2, 5, 6});
  CHECK(parse("3,1-4,3") == CpuList{1, 2, 3, 4});
  CHECK(parse("0-1023").size() == 1024);
  for (const char* text : {"", " 1", "1 ", "a", "-1", "1-", "3-2", "1,", ",1", "1,,2", "1024", "0-1024", "0-9999999999",
                           "1--2", "+1", "1;2", "0x1"}) {
    CAPTURE(text);
    const Result<CpuList> cpus = ParseCpuList(text);
    REQUIRE(!cpus.ok());
    CHECK(cpus.status().code() == StatusCode::kInvalidArgument);
    CHECK(cpus.status().message().find("cpus: found '" + std::string(text) + "'") == 0);
  }
}

// A system of CPUs with these capacities, -1: it does not tell.
class FakeSystem {
 public:
  explicit FakeSystem(const std::vector<int>& capacities) {
    std::filesystem::remove_all(root_);
    for (size_t cpu = 0; cpu < capacities.size(); ++cpu) {
      const std::filesystem::path folder = root_ / ("cpu" + std::to_string(cpu));
      std::filesystem::create_directories(folder);
      if (capacities[cpu] >= 0) std::ofstream(folder / "cpu_capacity") << capacities[cpu] << "\n";
    }
  }
  ~FakeSystem() { std::filesystem::remove_all(root_); }
  FakeSystem(const FakeSystem&) = delete;
  FakeSystem& operator=(const FakeSystem&) = delete;

  std::string root() const { return root_.string(); }

 private:
  const std::filesystem::path root_ = std::filesystem::path(BNN_BINARY_DIR) / "test-scratch" / "cpu_list";
};

TEST_CASE("threads stay on the fastest cores of which there are enough") {
  const CpuList none;
  const CpuList all = {0, 1, 2, 3, 4, 5, 6, 7};
  {
    const FakeSystem rk3588({414, 414, 414, 414, 1024, 1024, 1024, 1024});
    for (const int threads : {1, 2, 4}) CHECK(FastestCpus(all, threads, rk3588.root()) == CpuList{4, 5, 6, 7});
    CHECK(FastestCpus(all, 5, rk3588.root()) == none);  // all of them
    CHECK(FastestCpus({0, 1, 6}, 1, rk3588.root()) == CpuList{6});
    CHECK(FastestCpus({0, 1, 6}, 2, rk3588.root()) == none);
    CHECK(FastestCpus({0, 1}, 1, rk3588.root()) == none);  // all that the host left us are alike
  }
  {
    const FakeSystem three_classes({250, 250, 250, 250, 870, 870, 870, 1024});
    CHECK(FastestCpus(all, 1, three_classes.root()) == CpuList{7});
    CHECK(FastestCpus(all, 2, three_classes.root()) == CpuList{4, 5, 6, 7});
    CHECK(FastestCpus(all, 8, three_classes.root()) == none);
  }
  const FakeSystem alike({1024, 1024, 1024, 1024});
  CHECK(FastestCpus({0, 1, 2, 3}, 2, alike.root()) == none);
  const FakeSystem silent({1024, -1});
  CHECK(FastestCpus({0, 1}, 1, silent.root()) == none);
  CHECK(FastestCpus({}, 1, silent.root()) == none);
}

TEST_CASE("a choice by name must be one that this thread may use") {
  const CpuList allowed = AllowedCpus();
  if (allowed.empty()) return test::Skip("this system does not say which CPUs a thread may use");
  const Result<CpuList> chosen = ChooseCpus(std::to_string(allowed.back()), 4);
  REQUIRE(chosen.ok());
  CHECK(*chosen == CpuList{allowed.back()});
  if (allowed.size() == static_cast<size_t>(kMaxCpus)) return;
  int absent = 0;
  for (const int cpu : allowed) absent += cpu == absent ? 1 : 0;
  const Result<CpuList> refused = ChooseCpus(std::to_string(absent), 1);
  REQUIRE(!refused.ok());
  CHECK(refused.status().message().find("cpus: found " + std::to_string(absent)) == 0);
}

TEST_CASE("threads of a pool run where they are told; the caller's stays where it is") {
  const CpuList before = AllowedCpus();
  if (before.size() < 2) return test::Skip("this thread may use only one CPU");
  ThreadPool pool(3, {before[1]});
  std::mutex mutex;
  std::set<CpuList> seen;
  pool.Run(3, [&](int part) {
    if (part == 0) return;
    const std::lock_guard lock(mutex);
    seen.insert(AllowedCpus());
  });
  CHECK(seen == std::set<CpuList>{{before[1]}});
  CHECK(AllowedCpus() == before);
}

TEST_CASE("an idle pool takes no time of any CPU") {
  ThreadPool pool(4);
  pool.Run(4, [](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // until they sleep
  const std::clock_t begin = std::clock();                    // of all threads of this process
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 0.02);  // one that spins would take 0.2
}

}  // namespace
}  // namespace bnn::engine
