#include "engine/weight_store.h"

#include <utility>
#include <variant>

namespace bnn::engine {
namespace {

// For each blob, whether it is the table of a Binarize or an Unpack.
std::vector<bool> FindTables(const formats::ModelDef& model) {
  std::vector<bool> is_table(model.blobs.size(), false);
  const auto mark = [&](int blob) {
    if (blob != formats::kNone) is_table[static_cast<size_t>(blob)] = true;
  };
  for (const formats::NodeDef& node : model.nodes) {
    if (const auto* binarize = std::get_if<formats::Binarize>(&node.op)) mark(binarize->thresholds);
    if (const auto* unpack = std::get_if<formats::Unpack>(&node.op)) mark(unpack->values);
  }
  return is_table;
}

}  // namespace

WeightStore::WeightStore(formats::ModelDef* model) : entries_(model->blobs.size()) {
  const std::vector<bool> is_table = FindTables(*model);
  for (size_t i = 0; i < entries_.size(); ++i) {
    formats::Blob& blob = model->blobs[i];
    if (blob.dims.size() < 2) continue;
    entries_[i].bytes = static_cast<int64_t>(blob.data.size());
    // A table stays in the model as well: another node may use it as weights.
    entries_[i].owned = std::make_shared<const Source>(is_table[i] ? blob.data : std::exchange(blob.data, {}));
    entries_[i].source = entries_[i].owned;
  }
}

std::shared_ptr<const WeightStore::Source> WeightStore::SourceOf(int blob) {
  const std::lock_guard lock(mutex_);
  return SourceOf(&entries_[static_cast<size_t>(blob)]);
}

std::shared_ptr<const WeightStore::Source> WeightStore::SourceOf(Entry* entry) {
  if (std::shared_ptr<const Source> alive = entry->source.lock()) return alive;
  auto restored = std::make_shared<Source>(static_cast<size_t>(entry->bytes));
  entry->home->Restore(restored->data());
  entry->source = restored;
  return restored;
}

void WeightStore::Add(Entry* entry, const std::shared_ptr<const WeightForm>& form) {
  std::erase_if(entry->forms, [](const std::weak_ptr<const WeightForm>& known) { return known.expired(); });
  entry->forms.push_back(form);
  if (entry->home != nullptr || !form->is_restorable()) return;
  entry->home = form;
  entry->owned.reset();
}

int64_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t total = 0;
  for (const Entry& entry : entries_) {
    if (!entry.source.expired()) total += entry.bytes;
    for (const std::weak_ptr<const WeightForm>& known : entry.forms) {
      if (const std::shared_ptr<const WeightForm> form = known.lock()) total += form->bytes();
    }
  }
  return total;
}

}  // namespace bnn::engine
