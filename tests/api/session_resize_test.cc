// Sessions at other batch sizes and resolutions, and the weights that they share.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bnn/bnn.hpp"
#include "tests/api/mixed_network.h"
#include "tests/formats/model_builder.h"

namespace bnn {
namespace {

Model Load(const std::string& bytes, const ModelOptions& options = {}) {
  auto model = Model::LoadMemory(std::as_bytes(std::span(bytes)), options);
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  return *std::move(model);
}

using Outputs = std::pair<std::vector<float>, std::vector<float>>;

Outputs Run(Session& session) {
  const std::vector<float> x = test::Values(session.inputs()[0].size(), 7);
  Outputs y{std::vector<float>(session.output_size(0)), std::vector<float>(session.output_size(1))};
  const bnn_buffer in{const_cast<float*>(x.data()), x.size() * sizeof(float)};
  const bnn_buffer out[] = {{y.first.data(), y.first.size() * sizeof(float)},
                            {y.second.data(), y.second.size() * sizeof(float)}};
  const Status status = session.Run({&in, 1}, out);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return y;
}

TEST_CASE("a resized session computes what a model of that size computes") {
  const Model model = Load(test::MixedNetwork(32, 32));
  auto session = Session::Create(model);
  REQUIRE(session.ok());
  const Outputs at_32 = Run(*session);
  struct Size {
    int64_t batch, height, width;
  };
  for (const Size& size : {Size{5, 32, 32}, {1, 64, 48}, {2, 16, 16}, {9, 40, 64}, {1, 32, 32}}) {
    const int64_t batch = size.batch, height = size.height, width = size.width;
    CAPTURE(batch);
    CAPTURE(height);
    CAPTURE(width);
    const Status status = session->Resize({{batch, 3, height, width}});
    REQUIRE_MESSAGE(status.ok(), status.message());
    const Model other = Load(test::MixedNetwork(height, width), {batch, 1, ""});
    auto expected = Session::Create(other);
    REQUIRE(expected.ok());
    CHECK(session->inputs()[0].dims == std::vector<int64_t>{batch, 3, height, width});
    CHECK(session->inputs()[0].layout == BNN_LAYOUT_NCHW);
    CHECK(session->outputs()[0].dims == expected->outputs()[0].dims);
    CHECK(session->output_size(0) == expected->output_size(0));
    CHECK(session->memory_bytes() == expected->memory_bytes());
    REQUIRE(session->plan().size() == expected->plan().size());
    for (size_t i = 0; i < expected->plan().size(); ++i) {
      CHECK(session->plan()[i].shape == expected->plan()[i].shape);
      CHECK(session->plan()[i].kernel == expected->plan()[i].kernel);
    }
    CHECK(Run(*session) == Run(*expected));
  }
  CHECK(Run(*session) == at_32);
  CHECK(model.inputs()[0].dims == std::vector<int64_t>{1, 3, 32, 32});  // the model stays what it was
}

TEST_CASE("a session may begin at another size") {
  const Model model = Load(test::MixedNetwork(32, 32));
  auto session = Session::Create(model, {.profile = true, .input_dims = {{2, 3, 48, 32}}});
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  CHECK(session->outputs()[1].dims == std::vector<int64_t>{2, 10});
  Run(*session);
  REQUIRE(session->SetBatch(3).ok());  // keeps measuring
  CHECK(session->outputs()[1].dims == std::vector<int64_t>{3, 10});
  Run(*session);
  double seconds = 0;
  for (size_t i = 0; i < session->plan().size(); ++i) seconds += session->step_seconds(i);
  CHECK(seconds > 0);
  CHECK_FALSE(Session::Create(model, {.profile = false, .input_dims = {{1, 3, 33, 32}}}).ok());
}

TEST_CASE("sizes that do not fit are errors, and the session stays as it was") {
  const Model model = Load(test::MixedNetwork(32, 32));
  auto session = Session::Create(model);
  REQUIRE(session->Resize({{2, 3, 64, 64}}).ok());
  const Outputs before = Run(*session);
  const auto refused = [&](const std::vector<std::vector<int64_t>>& dims, const std::string& part) {
    const Status status = session->Resize(dims);
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK_MESSAGE(status.message().find(part) != std::string::npos, status.message());
  };
  refused({}, "shapes");
  refused({{1, 3, 32, 32}, {1, 3, 32, 32}}, "expected those of 1");
  refused({{1, 3, 32}}, "as many axes");
  refused({{0, 3, 32, 32}}, "batch: found 0");
  refused({{int64_t{1} << 40, 3, 32, 32}}, "batch");
  refused({{1, 4, 32, 32}}, "3 channels");
  refused({{1, 3, 0, 32}}, "at least 1");
  refused({{1, 3, int64_t{1} << 40, 32}}, "at most");
  refused({{1, 3, 35, 32}}, "'stem' (Conv2d)");
  refused({{1, 3, 34, 32}}, "'pool' (MaxPool)");
  CHECK(session->inputs()[0].dims == std::vector<int64_t>{2, 3, 64, 64});
  CHECK(Run(*session) == before);
  CHECK(bnn_session_resize(nullptr, nullptr, 0, nullptr) == BNN_INVALID_ARGUMENT);
  const bnn_shape no_axes{};
  bnn_error error{};
  auto other = Session::Create(model);
  CHECK(other.ok());
  CHECK(bnn_session_input_info(nullptr, 0, nullptr, &error) == BNN_INVALID_ARGUMENT);
  CHECK(no_axes.rank == 0);
}

TEST_CASE("sessions share the weights of their model") {
  const Model model = Load(test::MixedNetwork(32, 32));
  auto first = Session::Create(model);
  const size_t alone = first->memory().weight_bytes;
  CHECK(alone > 0);
  {
    auto second = Session::Create(model);
    CHECK(first->memory().weight_bytes == alone);
    REQUIRE(second->Resize({{1, 3, 64, 64}}).ok());
    CHECK(first->memory().weight_bytes <= alone + alone / 2);  // at most a form that the other size wants
    REQUIRE(second->SetBatch(16).ok());
    Run(*second);
  }
  CHECK(first->memory().weight_bytes == alone);  // forms of plans that are gone are gone
}

TEST_CASE("sessions are resized on many threads at once") {
  const Model model = Load(test::MixedNetwork(16, 16));
  std::vector<Outputs> expected;
  for (int64_t batch = 1; batch <= 4; ++batch) {
    auto session = Session::Create(model, {.profile = false, .input_dims = {{batch, 3, 16, 16}}});
    expected.push_back(Run(*session));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto session = Session::Create(model);
      for (size_t i = 0; i < 12; ++i) {
        const size_t batch = 1 + (t + i) % 4;
        if (!session->SetBatch(static_cast<int64_t>(batch)).ok() || Run(*session) != expected[batch - 1]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a session outlives its model and still changes its size") {
  auto model = std::make_unique<Model>(Load(test::MixedNetwork(16, 16)));
  auto session = Session::Create(*model);
  model.reset();
  REQUIRE(session->Resize({{2, 3, 32, 16}}).ok());
  Run(*session);
}

}  // namespace
}  // namespace bnn
