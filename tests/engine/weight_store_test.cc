// Weights are in memory once, whatever forms the plans of a model want.
#include "engine/weight_store.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/ops/packed_bits.h"
#include "kernels/bconv2d/bconv2d.h"
#include "kernels/bdense/bdense.h"
#include "tests/formats/model_builder.h"

namespace bnn::engine {
namespace {

using Bytes = std::vector<std::byte>;

// Every byte reversed in bits: a form that can be turned back, or says that it cannot.
class Flipped final : public WeightForm {
 public:
  Flipped(const std::byte* source, size_t size, int kind_, bool restorable)
      : kind(kind_), restorable_(restorable), data_(source, source + size) {
    for (std::byte& b : data_) b = ~b;
  }
  int64_t bytes() const override { return static_cast<int64_t>(data_.size()); }
  bool is_restorable() const override { return restorable_; }
  void Restore(std::byte* source) const override {
    for (size_t i = 0; i < data_.size(); ++i) source[i] = ~data_[i];
  }
  const int kind;

 private:
  const bool restorable_;
  Bytes data_;
};

struct Fixture {
  Fixture() {
    formats::ModelBuilder b;
    weights = b.Floats({2, 3}, {1, 2, 3, 4, 5, 6});
    vector = b.Floats({3}, {7, 8, 9});
    model = b.model();
    original = model.blobs[static_cast<size_t>(weights)].data;
    store = std::make_unique<WeightStore>(&model);
  }

  std::shared_ptr<const Flipped> Get(int kind, bool restorable = true) {
    return store->Get<Flipped>(
        weights, [&](const Flipped& form) { return form.kind == kind; },
        [&](const std::byte* source) {
          ++made;
          CHECK(std::memcmp(source, original.data(), original.size()) == 0);
          return std::make_shared<const Flipped>(source, original.size(), kind, restorable);
        });
  }

  formats::ModelDef model;
  int weights, vector;
  Bytes original;
  std::unique_ptr<WeightStore> store;
  int made = 0;
};

TEST_CASE("the store takes what has two axes or more, the model keeps the rest") {
  Fixture f;
  CHECK(f.store->Holds(f.weights));
  CHECK_FALSE(f.store->Holds(f.vector));
  CHECK(f.model.blobs[static_cast<size_t>(f.weights)].data.empty());
  CHECK(f.model.blobs[static_cast<size_t>(f.weights)].dims == std::vector<int64_t>{2, 3});
  CHECK(f.model.blobs[static_cast<size_t>(f.vector)].data.size() == 12);
  CHECK(f.store->bytes() == 24);
  CHECK(*f.store->SourceOf(f.weights) == f.original);
}

TEST_CASE("a form is made once, and takes the place of the source") {
  Fixture f;
  const auto a = f.Get(1);
  CHECK(f.store->bytes() == 24);
  CHECK(f.Get(1) == a);
  CHECK(f.made == 1);
  const auto source = f.store->SourceOf(f.weights);  // restored
  CHECK(*source == f.original);
  CHECK(f.store->SourceOf(f.weights) == source);
  CHECK(f.store->bytes() == 48);
}

TEST_CASE("the first form stays for the model, others go with their last user") {
  Fixture f;
  auto home = f.Get(1);
  auto other = f.Get(2);
  CHECK(f.store->bytes() == 48);
  CHECK(f.Get(2) == other);
  other.reset();
  CHECK(f.store->bytes() == 24);
  home.reset();
  CHECK(f.store->bytes() == 24);
  CHECK(f.Get(1)->kind == 1);
  CHECK(f.made == 2);
  CHECK(f.Get(2)->kind == 2);  // made anew, from the source that the first gives back
  CHECK(f.made == 3);
}

TEST_CASE("a form that does not hold everything leaves the source where it is") {
  Fixture f;
  const auto form = f.Get(1, /*restorable=*/false);
  CHECK(f.store->bytes() == 48);
  const auto whole = f.Get(2);
  CHECK(f.store->bytes() == 48);
}

TEST_CASE("what fails changes nothing") {
  Fixture f;
  const auto fail = [&] {
    f.store->Get<Flipped>(
        f.weights, [](const Flipped&) { return false; },
        [](const std::byte*) -> std::shared_ptr<const Flipped> { throw std::runtime_error("no"); });
  };
  CHECK_THROWS_AS(fail(), std::runtime_error);
  CHECK(f.store->bytes() == 24);
  CHECK(*f.store->SourceOf(f.weights) == f.original);
}

TEST_CASE("a source in use outlives its place in the store") {
  Fixture f;
  const auto source = f.store->SourceOf(f.weights);
  f.Get(1);
  CHECK(*source == f.original);
  CHECK(f.store->SourceOf(f.weights) == source);  // not a second copy
}

// Bits of every order come back from every other.
template <typename List, typename Shape>
void CheckOrders(const List& list, const Shape& shape, int64_t groups, int64_t source_words,
                 const std::vector<int64_t>& dims) {
  formats::ModelBuilder b;
  const int blob = b.Bits(dims, [](int64_t r, int64_t i) { return (r * 13 + i * 7) % 5 < 2; });
  const Bytes original = b.model().blobs[static_cast<size_t>(blob)].data;
  using Kernel = std::remove_cvref_t<decltype(**list.begin)>;
  using Form = PackedBits<Kernel, Shape>;
  for (int64_t first = 0; first < list.size; ++first) {
    formats::ModelDef model = b.model();
    WeightStore store(&model);
    const auto home = Form::Of(store, blob, *list.begin[first], shape, groups, source_words);
    CHECK(store.bytes() == home->bytes());
    CHECK(*store.SourceOf(blob) == original);
    for (int64_t second = 0; second < list.size; ++second) {
      const auto other = Form::Of(store, blob, *list.begin[second], shape, groups, source_words);
      CHECK((other == home) == (list.begin[first]->pack == list.begin[second]->pack));
      std::vector<std::byte> restored(original.size());
      other->Restore(restored.data());
      CHECK(restored == original);
      CHECK(reinterpret_cast<uintptr_t>(other->group(groups - 1)) % kAlignment == 0);
    }
  }
}

TEST_CASE("binary weights move between the orders of all kernels") {
  kernels::BConv2dShape conv;
  conv.in_h = conv.in_w = 8;
  conv.kernel_h = conv.kernel_w = 3;
  conv.in_channels = 21;
  conv.out_channels = 35;
  CheckOrders(kernels::BConv2dKernels(), conv, 2, 35 * 6, {70, 3, 3, 21});
  CheckOrders(kernels::BDenseKernels(), kernels::BDenseShape{1, 100, 33}, 1, 33 * 4, {33, 100});
}

}  // namespace
}  // namespace bnn::engine
