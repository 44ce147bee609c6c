// A run allocates nothing.
//
// Except inside oneDNN: to execute a primitive, oneDNN 2 puts the arguments that it is given into a hash table, and its
// interface has no way around that. It is a handful of blocks of some ten bytes for each primitive, freed before the
// call returns; memory that depends on a tensor's size is bnn's (scratchpad_mode::user). The test pins down just that.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "tests/api/count_allocations.h"
#include "tests/api/mixed_network.h"
#include "tests/test_support.h"

namespace bnn {
namespace {

// Other processors than x86-64 multiply matrices by oneDNN's reference code, which allocates more.
#if defined(__x86_64__)
constexpr int64_t kMostOfAPrimitive = 10;
#else
constexpr int64_t kMostOfAPrimitive = 50;
#endif

TEST_CASE("allocations are counted, in this program and in shared libraries") {
  if (!test::CanCountAllocations()) return test::Skip("this build replaces malloc itself");
  test::Allocations before = test::CountAllocations();
  auto ours = std::make_unique<std::vector<int>>(100);
  CHECK(test::CountAllocations().by_others >= before.by_others + 2);
  CHECK(test::CountAllocations().held() >= before.held() + 2);
  ours.reset();
  CHECK(test::CountAllocations().held() == before.held());
  const std::string bytes = test::MixedNetwork(16, 16);
  before = test::CountAllocations();
  CHECK(Model::LoadMemory(std::as_bytes(std::span(bytes))).ok());
  CHECK(test::CountAllocations().by_others > before.by_others + 100);
  if (BNN_HAS_ONEDNN) CHECK(test::CountAllocations().by_onednn > before.by_onednn + 100);
}

// What `runs` runs allocate after the first one.
test::Allocations AllocationsOf(const Model& model, bool profile, int runs) {
  auto session = Session::Create(model, profile);
  REQUIRE(session.ok());
  const std::vector<float> x = test::Values(model.inputs()[0].size(), 1);
  std::vector<std::vector<float>> y;
  std::vector<bnn_buffer> out;
  for (const TensorInfo& info : session->outputs()) {
    y.emplace_back(info.size());
    out.push_back({y.back().data(), info.bytes});
  }
  const bnn_buffer in{const_cast<float*>(x.data()), x.size() * sizeof(float)};
  bool ok = session->Run({&in, 1}, out).ok();
  const test::Allocations before = test::CountAllocations();
  for (int i = 0; i < runs; ++i) ok = session->Run({&in, 1}, out).ok() && ok;
  const test::Allocations after = test::CountAllocations();
  CHECK(ok);
  return {after.by_onednn - before.by_onednn, after.by_others - before.by_others, after.freed - before.freed};
}

TEST_CASE("after the first run, runs allocate nothing") {
  if (!test::CanCountAllocations()) return test::Skip("this build replaces malloc itself");
  const std::string bytes = test::MixedNetwork(64, 64);
  for (const int threads : {1, 2}) {
    for (const bool profile : {false, true}) {
      CAPTURE(threads);
      CAPTURE(profile);
      const auto model = Model::LoadMemory(std::as_bytes(std::span(bytes)), {3, threads, ""});
      REQUIRE_MESSAGE(model.ok(), model.status().message());
      int64_t primitives = 0;
      for (const StepInfo& step : model->plan()) primitives += step.kernel.find("onednn") == 0 ? 1 : 0;
      REQUIRE(primitives >= (BNN_HAS_ONEDNN ? 3 : 0));
      const test::Allocations made = AllocationsOf(*model, profile, 5);
      CHECK(made.by_others == 0);
      CHECK(made.held() == 0);
      CHECK(made.by_onednn % 5 == 0);  // no run differs from another
      // A step cuts its work into parts; the network is so small that none has more than three.
      CHECK(made.by_onednn <= 5 * primitives * 3 * kMostOfAPrimitive);
    }
  }
}

TEST_CASE("without oneDNN, nobody allocates anything") {
  if (!test::CanCountAllocations()) return test::Skip("this build replaces malloc itself");
  formats::ModelBuilder b;
  const int x = b.Input({12, 12, 64});
  int sum = x;
  for (int i = 0; i < 3; ++i) {
    const int weights = b.Bits({64, 3, 3, 64}, [&](int64_t r, int64_t k) { return (r * 5 + k * 3 + i) % 7 < 3; });
    const int dot = b.Node("conv", formats::BConv2d{test::Square(3, 1, 1), 1, formats::PadValue::kZero, weights},
                           {b.Binarize("sign", sum)});
    sum = b.Node("add", formats::Binary{}, {b.Affine("bn", dot, {0.01f}, {0.1f}), sum});
  }
  b.Output(b.Node("softmax", formats::Softmax{2}, {b.Node("concat", formats::Concat{2}, {sum, x})}));
  b.model().producer = "test";
  const auto bytes = formats::SerializeModel(b.model());
  REQUIRE(bytes.ok());
  for (const int threads : {1, 2}) {
    const auto model = Model::LoadMemory(std::as_bytes(std::span(*bytes)), {2, threads, ""});
    REQUIRE(model.ok());
    const test::Allocations made = AllocationsOf(*model, false, 5);
    CHECK(made.by_onednn == 0);
    CHECK(made.by_others == 0);
    CHECK(made.freed == 0);
  }
}

}  // namespace
}  // namespace bnn
