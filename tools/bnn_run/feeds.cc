#include "tools/bnn_run/feeds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tools/bnn_run/image.h"
#include "tools/bnn_run/load_array.h"

namespace bnn::run {
namespace {

std::string InputNames(const std::vector<TensorInfo>& inputs) {
  std::vector<std::string> names;
  for (const TensorInfo& input : inputs) names.push_back(input.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Which input a command line argument names; `path` becomes what follows the '='. Input names may hold any character,
// '=' too, so that the argument is compared with each of them.
Result<size_t> FindInput(const std::vector<TensorInfo>& inputs, const std::string& argument, std::string& path) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string prefix = inputs[i].name + "=";
    if (!argument.starts_with(prefix)) continue;
    path = argument.substr(prefix.size());
    return i;
  }
  path = argument;
  if (inputs.size() == 1) return size_t{0};
  return InvalidArgument(
      fmt::format("--input {}: the model has {} inputs, so NAME=FILE is needed with one of these names: {}", argument,
                  inputs.size(), InputNames(inputs)));
}

}  // namespace

Status InputFeed::AddArray(Array array, const std::string& name) {
  arrays_.push_back(std::make_unique<const Array>(std::move(array)));
  BNN_ASSIGN_OR_RETURN(const Feed feed, preprocessor_.Match(*arrays_.back(), name));
  feeds_.push_back(feed);
  names_.push_back(name);
  samples_ += feed.samples;
  return OkStatus();
}

Status InputFeed::AddFile(const std::string& path) {
  BNN_ASSIGN_OR_RETURN(const FileFormat format, DetectFormat(path));
  if (format != FileFormat::kImage) {
    BNN_ASSIGN_OR_RETURN(Array array, LoadArray(path));
    return AddArray(std::move(array), path);
  }
  if (!preprocessor_.is_image()) {
    return InvalidArgument(
        fmt::format("{}: a picture, but the model's input is no image; --layout says which order its "
                    "4 dimensions have, if it has so many",
                    path));
  }
  BNN_ASSIGN_OR_RETURN(Array array,
                       ReadImage(path, preprocessor_.height(), preprocessor_.width(), preprocessor_.channels()));
  return AddArray(std::move(array), path);
}

std::string InputFeed::SampleName(int64_t sample) const {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (sample < feeds_[i].samples)
      return feeds_[i].samples == 1 ? names_[i] : fmt::format("{}[{}]", names_[i], sample);
    sample -= feeds_[i].samples;
  }
  return "";
}

void InputFeed::Fill(int64_t first, int64_t count, std::span<float> out) const {
  const int64_t sample_size = preprocessor_.sample_size();
  int64_t done = 0;
  int64_t begin = 0;  // number of the feed's first sample
  for (const Feed& feed : feeds_) {
    const int64_t from = std::max(first, begin), to = std::min(first + count, begin + feed.samples);
    if (from < to) {
      preprocessor_.Fill(feed, from - begin, to - from, out.subspan(static_cast<size_t>(done * sample_size)));
      done += to - from;
    }
    begin += feed.samples;
  }
  const std::span<float> rest = out.subspan(static_cast<size_t>(done * sample_size));
  std::fill(rest.begin(), rest.end(), 0.0F);
}

Result<std::vector<InputFeed>> LoadFeeds(const std::vector<TensorInfo>& inputs, const PreprocessFlags& flags,
                                         const std::vector<std::string>& files) {
  std::vector<InputFeed> feeds;
  for (const TensorInfo& input : inputs) {
    BNN_ASSIGN_OR_RETURN(Preprocessor preprocessor, Preprocessor::Create(input, flags));
    feeds.emplace_back(std::move(preprocessor));
  }
  for (const std::string& file : files) {
    std::string path;
    BNN_ASSIGN_OR_RETURN(const size_t index, FindInput(inputs, file, path));
    BNN_RETURN_IF_ERROR(feeds[index].AddFile(path));
  }
  for (size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].samples() == 0) return InvalidArgument(fmt::format("no samples for input '{}'", inputs[i].name));
    if (feeds[i].samples() != feeds[0].samples()) {
      return InvalidArgument(fmt::format("input '{}' has {} samples, but input '{}' has {}", inputs[i].name,
                                         feeds[i].samples(), inputs[0].name, feeds[0].samples()));
    }
  }
  return feeds;
}

}  // namespace bnn::run
