// The weights of one model, shared by all its plans.
//
// Weights come as the file has them: the *source* of a blob. No plan reads them like that; each kernel wants a *form*
// of its own: bits in the order in which its lanes read them, floats in the blocking that oneDNN chose. Which form
// depends on the kernel, and the kernel on batch and resolution, so sessions of one model may want different forms.
//
//  * A form is made once, by the first plan that asks for it. Others that ask get the same one.
//  * The source is dropped as soon as there is a form from which it can be restored (that is the blob's home): weights
//    are in memory once, packed. A plan that asks for another form later has it made from the restored source.
//  * The home stays as long as the model; other forms die with the last plan that uses them.
//
// Only compiling comes here, under a lock; a run reads forms through the pointers that its plan holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "formats/model_def.h"

namespace bnn::engine {

// A blob in the form that some kernel reads. Immutable.
class WeightForm {
 public:
  virtual ~WeightForm() = default;
  virtual int64_t bytes() const = 0;
  // True when Restore() gives back the source bit by bit.
  virtual bool is_restorable() const = 0;
  // Writes the source to `source`, which has its size.
  virtual void Restore(std::byte* source) const = 0;
};

class WeightStore {
 public:
  using Source = std::vector<std::byte>;

  // Moves the data of all blobs of two or more axes here: weights of layers, and constants that are whole tensors.
  // What stays in the model, one value, one value a channel, or such rows for a few levels, is small and is read by
  // every compilation.
  explicit WeightStore(formats::ModelDef* model);

  // False: the blob's data are in the model.
  bool Holds(int blob) const { return entries_[static_cast<size_t>(blob)].bytes > 0; }

  // The blob as the file has it. Restored where it was dropped; then it lives as long as the result.
  std::shared_ptr<const Source> SourceOf(int blob);

  // The form of type Form for which matches(form) holds, or else make(source): a shared_ptr<const Form> made from the
  // blob's bytes in the file. What make throws leaves the store as it was.
  template <typename Form, typename Matches, typename Make>
  std::shared_ptr<const Form> Get(int blob, const Matches& matches, const Make& make) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[static_cast<size_t>(blob)];
    for (const std::weak_ptr<const WeightForm>& known : entry.forms) {
      auto form = std::dynamic_pointer_cast<const Form>(known.lock());
      if (form != nullptr && matches(*form)) return form;
    }
    std::shared_ptr<const Form> form = make(SourceOf(&entry)->data());
    Add(&entry, form);
    return form;
  }

  // Of all sources and forms that are alive.
  int64_t bytes() const;

 private:
  struct Entry {
    int64_t bytes = 0;                    // of the source; 0: the model has it
    std::shared_ptr<const Source> owned;  // the source, until there is a home
    std::weak_ptr<const Source> source;   // the source where anybody holds it
    std::shared_ptr<const WeightForm> home;
    std::vector<std::weak_ptr<const WeightForm>> forms;  // the home, too
  };

  static std::shared_ptr<const Source> SourceOf(Entry* entry);
  static void Add(Entry* entry, const std::shared_ptr<const WeightForm>& form);

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // by blob
};

}  // namespace bnn::engine
