// The C++ interface on models that the test builds itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bnn/bnn.hpp"
#include "formats/writer.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/square_window.h"
#include "tests/test_support.h"

namespace bnn {
namespace {

using formats::ModelBuilder;

// x (6x5x40) -> bits -> 3x3 conv, one padding -> affine -> + x -> clamp; a second head keeps bits.
std::string SmallModel(int64_t source_batch = 0) {
  ModelBuilder b;
  const int x = b.Input({6, 5, 40});
  b.model().inputs[0].layout = formats::ImageLayout::kNhwc;
  b.model().inputs[0].preprocessing = {{127.5f}, {1 / 127.5f}};
  const int bits = b.Binarize("sign", x, {0.25f});
  formats::BConv2d conv;
  conv.window = test::Square(3, 1, 1);
  conv.pad_value = formats::PadValue::kOne;
  conv.weights = b.Bits({40, 3, 3, 40}, [](int64_t r, int64_t i) { return (r * 31 + i * 17) % 7 < 3; });
  const int dot = b.Node("conv", conv, {bits});
  const int scaled = b.Affine("bn", dot, {0.125f}, {-0.5f});
  const int sum = b.Node("add", formats::Binary{}, {scaled, x});
  b.Output(b.Node("clamp", formats::Clamp{-4, 4}, {sum}));
  b.Output(b.Node("unpack", formats::Unpack{b.Floats({1}, {-1}), b.Floats({1}, {1})}, {bits}));
  b.model().source_batch = source_batch;
  b.model().producer = "test";
  const auto bytes = formats::SerializeModel(b.model());
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  return *bytes;
}

Result<Model> Load(const std::string& bytes, const ModelOptions& options = {}) {
  return Model::LoadMemory(std::as_bytes(std::span(bytes)), options);
}

std::vector<float> Ramp(size_t size, size_t seed) {
  std::vector<float> values(size);
  for (size_t i = 0; i < size; ++i) values[i] = static_cast<float>((i * 37 + seed * 11) % 101) / 50.f - 1.f;
  return values;
}

struct Outputs {
  std::vector<float> clamp, unpack;
  bool operator==(const Outputs&) const = default;
};

Outputs RunOnce(Session& session, const std::vector<float>& x) {
  Outputs out{std::vector<float>(session.output_size(0)), std::vector<float>(session.output_size(1))};
  const bnn_buffer in{const_cast<float*>(x.data()), x.size() * sizeof(float)};
  const bnn_buffer outs[] = {{out.clamp.data(), out.clamp.size() * sizeof(float)},
                             {out.unpack.data(), out.unpack.size() * sizeof(float)}};
  const Status status = session.Run({&in, 1}, outs);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return out;
}

TEST_CASE("what a model tells about its tensors and its plan") {
  const auto model = Load(SmallModel());
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  const std::vector<TensorInfo> inputs = model->inputs();
  REQUIRE(inputs.size() == 1);
  CHECK(inputs[0].dims == std::vector<int64_t>{1, 6, 5, 40});
  CHECK(inputs[0].layout == BNN_LAYOUT_NHWC);
  CHECK(inputs[0].mean == std::vector<float>{127.5f});
  CHECK(model->outputs().size() == 2);
  const std::vector<StepInfo> plan = model->plan();
  REQUIRE(plan.size() == 3);
  CHECK(plan[0].op == "binarize");
  CHECK(plan[1].op == "bconv2d+affine+add+clamp");
  CHECK(plan[1].is_binary);
  CHECK(plan[1].macs == 6 * 5 * 40 * 9 * 40);
  CHECK(plan[2].op == "unpack");
}

TEST_CASE("results are those of the definition") {
  auto model = Load(SmallModel());
  REQUIRE(model.ok());
  auto session = Session::Create(*model);
  REQUIRE(session.ok());
  const std::vector<float> x = Ramp(6 * 5 * 40, 1);
  const Outputs out = RunOnce(*session, x);
  for (int64_t y = 0; y < 6; ++y) {
    for (int64_t w = 0; w < 5; ++w) {
      for (int64_t o = 0; o < 40; ++o) {
        int acc = 0;
        for (int64_t k = 0; k < 9 * 40; ++k) {
          const int64_t r = y + k / 120 - 1, c = w + k / 40 % 3 - 1;
          const bool inside = r >= 0 && r < 6 && c >= 0 && c < 5;
          const int a = !inside || x[static_cast<size_t>((r * 5 + c) * 40 + k % 40)] >= 0.25f ? 1 : -1;
          acc += a * ((o * 31 + k * 17) % 7 < 3 ? 1 : -1);
        }
        const auto at = static_cast<size_t>((y * 5 + w) * 40 + o);
        const float expected = std::min(4.f, std::max(-4.f, static_cast<float>(acc) * 0.125f - 0.5f + x[at]));
        REQUIRE(out.clamp[at] == expected);
        REQUIRE(out.unpack[at] == (x[at] >= 0.25f ? 1.f : -1.f));
      }
    }
  }
}

TEST_CASE("threads, batches and instruction sets do not change results") {
  const std::string bytes = SmallModel();
  const size_t sample = 6 * 5 * 40;
  const std::vector<float> x = Ramp(3 * sample, 2);
  auto one = Load(bytes);
  REQUIRE(one.ok());
  auto session = Session::Create(*one);
  std::vector<Outputs> expected;
  for (size_t n = 0; n < 3; ++n) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(n * sample);
    expected.push_back(RunOnce(*session, {first, first + static_cast<ptrdiff_t>(sample)}));
  }
  for (const std::string isa : {"", "reference", "avx2", "avx512vpopcnt", "neon", "neonsha3", "sve"}) {
    if (!isa.empty() && !test::CpuHasIsa(isa.c_str())) continue;  // isa-forced CTest runs print what is missing
    for (const int threads : {1, 2, 3}) {
      auto model = Load(bytes, {3, threads, isa});
      REQUIRE_MESSAGE(model.ok(), model.status().message());
      auto batched = Session::Create(*model);
      const Outputs all = RunOnce(*batched, x);
      for (size_t n = 0; n < 3; ++n) {
        const auto at = static_cast<ptrdiff_t>(n * sample);
        CHECK(std::equal(expected[n].clamp.begin(), expected[n].clamp.end(), all.clamp.begin() + at));
        CHECK(std::equal(expected[n].unpack.begin(), expected[n].unpack.end(), all.unpack.begin() + at));
      }
    }
  }
}

TEST_CASE("one model serves many sessions on many threads") {
  auto model = Load(SmallModel());
  REQUIRE(model.ok());
  std::vector<Outputs> expected;
  auto session = Session::Create(*model);
  for (size_t seed = 0; seed < 4; ++seed) expected.push_back(RunOnce(*session, Ramp(6 * 5 * 40, seed)));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (size_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      auto own = Session::Create(*model);
      for (int repeat = 0; repeat < 50; ++repeat) {
        if (!(RunOnce(*own, Ramp(6 * 5 * 40, seed)) == expected[seed])) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("the source's batch is the default, and options override it") {
  const std::string bytes = SmallModel(2);
  CHECK(Load(bytes)->inputs()[0].dims[0] == 2);
  CHECK(Load(bytes, {5, 1, ""})->inputs()[0].dims[0] == 5);
}

TEST_CASE("errors say what was found and what was expected") {
  const std::string bytes = SmallModel();
  CHECK(Load(bytes, {0, 1, "sse9"}).status().message().find("'sse9'") != std::string::npos);
  CHECK(Load(bytes, {0, -1, ""}).status().code() == StatusCode::kInvalidArgument);
  CHECK(Load(bytes, {int64_t{1} << 40, 1, ""}).status().code() == StatusCode::kInvalidArgument);
  CHECK(Load(bytes.substr(0, bytes.size() / 2)).status().code() == StatusCode::kInvalidModel);
  auto model = Load(bytes);
  auto session = Session::Create(*model);
  std::vector<float> small(3), out(session->output_size(0));
  const Status status = session->Run(small, out);
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(session->step_seconds(0) == 0);
}

}  // namespace
}  // namespace bnn
