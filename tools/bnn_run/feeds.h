// The files of --input and --dataset, loaded and checked against the inputs of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bnn/bnn.hpp"
#include "tools/bnn_run/preprocess.h"

namespace bnn::run {

// Everything that goes into one input of the model: the samples of several arrays, one after the other.
class InputFeed {
 public:
  explicit InputFeed(Preprocessor preprocessor) : preprocessor_(std::move(preprocessor)) {}

  // Adds the samples of a file: an array, or a picture, which is one sample.
  Status AddFile(const std::string& path);
  // The same for an array in memory.
  Status AddArray(Array array, const std::string& name);

  int64_t samples() const { return samples_; }

  // "cat.jpg", or "images.npy[17]" for a sample of a file that holds several.
  std::string SampleName(int64_t sample) const;
  const Preprocessor& preprocessor() const { return preprocessor_; }

  // Writes samples first .. first + count - 1 to `out` and zeros to the rest of it.
  void Fill(int64_t first, int64_t count, std::span<float> out) const;

 private:
  Preprocessor preprocessor_;
  std::vector<std::unique_ptr<const Array>> arrays_;  // feeds point to them
  std::vector<Feed> feeds_;
  std::vector<std::string> names_;  // of each feed
  int64_t samples_ = 0;
};

// One feed for each input. `files`: FILE or NAME=FILE; models with several inputs need the names. All inputs must get
// the same number of samples, at least one.
Result<std::vector<InputFeed>> LoadFeeds(const std::vector<TensorInfo>& inputs, const PreprocessFlags& flags,
                                         const std::vector<std::string>& files);

}  // namespace bnn::run
