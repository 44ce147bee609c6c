// Weights come back bit by bit from every layout that oneDNN chooses.
#include "engine/ops/onednn_weights.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/engine/step_harness.h"
#include "tests/formats/model_builder.h"

namespace bnn::engine {
namespace {

using dnnl::memory;

int64_t Count(const std::vector<int64_t>& dims) { return formats::ElementCount(dims); }

TEST_CASE("convolutions") {
  struct Case {
    int64_t in, out, kernel, groups;
  };
  for (const Case c :
       {Case{3, 64, 7, 1}, Case{64, 128, 1, 1}, Case{16, 16, 3, 16}, Case{12, 20, 3, 2}, Case{5, 3, 3, 1}}) {
    CAPTURE(c.in);
    CAPTURE(c.out);
    const int64_t in = c.in / c.groups;
    formats::ModelBuilder b;
    const std::vector<int64_t> dims = {c.out, c.kernel, c.kernel, in};
    const int blob = b.Floats(dims, test::RandomFloats(Count(dims), 1));
    const auto original = b.model().blobs[static_cast<size_t>(blob)].data;
    formats::Window2d window;
    window.kernel_h = window.kernel_w = c.kernel;
    const auto desc =
        onednn::ConvolutionDesc(onednn::Nhwc(1, 20, 20, c.in), onednn::PreferredWeights(window, c.in, c.out, c.groups),
                                {}, onednn::Nhwc(1, 21 - c.kernel, 21 - c.kernel, c.out), window);
    WeightStore store(&b.model());
    const std::vector<onednn::Weights::Block> blocks = {
        {0, onednn::ModelWeights(window, c.in, c.out, c.groups), desc.weights_desc()}};
    const auto form = onednn::Weights::Of(store, blob, blocks);
    CHECK(form->is_restorable());
    CHECK(onednn::Weights::Of(store, blob, blocks) == form);
    CHECK(store.bytes() == form->bytes());
    CHECK(*store.SourceOf(blob) == original);
  }
}

TEST_CASE("blocks of a dense layer") {
  formats::ModelBuilder b;
  const int blob = b.Floats({150, 30}, test::RandomFloats(150 * 30, 2));
  const auto original = b.model().blobs[static_cast<size_t>(blob)].data;
  WeightStore store(&b.model());
  std::vector<onednn::Weights::Block> blocks;
  for (const int64_t first : {0, 64, 128}) {
    const int64_t count = std::min<int64_t>(64, 150 - first);
    const auto desc =
        onednn::InnerProductDesc(onednn::Dense({4, 30}), onednn::AnyLayout({count, 30}), {}, onednn::Dense({4, count}));
    blocks.push_back({first * 30 * 4, onednn::Dense({count, 30}), desc.weights_desc()});
  }
  const auto form = onednn::Weights::Of(store, blob, blocks);
  CHECK(*store.SourceOf(blob) == original);
  // The same blob in the layout of the file is another form.
  const auto plain = onednn::Weights::Of(store, blob, {{0, onednn::Dense({150, 30}), onednn::Dense({150, 30})}});
  CHECK(plain != form);
  std::vector<std::byte> restored(original.size());
  plain->Restore(restored.data());
  CHECK(restored == original);
}

}  // namespace
}  // namespace bnn::engine
