#include "engine/thread_pool.h"

#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "engine/parallel.h"

namespace bnn::engine {
namespace {

TEST_CASE("every part runs once, on a thread of its own, whatever the pool slept before") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (int round = 0; round < 300; ++round) {
      if (round % 100 == 50) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the workers fall asleep
      if (round % 3 == 0) pool.Wake();
      const int parts = round % threads + 1;
      std::vector<int> calls(static_cast<size_t>(threads));
      std::vector<std::thread::id> ids(static_cast<size_t>(parts));
      pool.Run(parts, [&](int part) {
        ++calls[static_cast<size_t>(part)];
        ids[static_cast<size_t>(part)] = std::this_thread::get_id();
      });
      for (int p = 0; p < threads; ++p) REQUIRE(calls[static_cast<size_t>(p)] == (p < parts ? 1 : 0));
      REQUIRE(std::set<std::thread::id>(ids.begin(), ids.end()).size() == ids.size());
      REQUIRE(ids[0] == std::this_thread::get_id());
    }
  }
}

TEST_CASE("ParallelFor covers a range in contiguous parts, one thread or more items or fewer") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 4, 5, 6, 97}) {
      std::vector<int> hits(static_cast<size_t>(count));
      ParallelFor(pool, count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
      });
      CHECK(hits == std::vector<int>(static_cast<size_t>(count), 1));
    }
  }
}

TEST_CASE("pools come and go, used or not") {
  for (int i = 0; i < 50; ++i) {
    ThreadPool unused(3);
    ThreadPool used(2);
    int sum = 0;
    used.Run(2, [&](int part) {
      if (part == 0) sum = 1;
    });
    CHECK(sum == 1);
  }
}

}  // namespace
}  // namespace bnn::engine
