// Ways to break a model, each of which Validate() must name.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "formats/validate.h"
#include "tests/formats/model_fixtures.h"

namespace bnn::formats {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A way to break EveryOpModel, and a part of the message.
struct Break {
  const char* fragment;
  std::function<void(ModelDef&)> apply;
};

inline void CheckAll(const std::vector<Break>& breaks) {
  for (const Break& rule : breaks) {
    CAPTURE(rule.fragment);
    ModelDef model = EveryOpModel();
    rule.apply(model);
    const Status status = Validate(model, "m.bnn");
    CAPTURE(status.message());
    CHECK(status.code() == StatusCode::kInvalidModel);
    CHECK(status.message().starts_with("m.bnn: "));
    CHECK(status.message().find(rule.fragment) != std::string::npos);
  }
}

// The first node of that operator.
template <typename T>
NodeDef& NodeOf(ModelDef& model) {
  for (NodeDef& node : model.nodes) {
    if (std::holds_alternative<T>(node.op)) return node;
  }
  FAIL("no such operator");
  return model.nodes.front();
}

template <typename T>
T& OpOf(ModelDef& model) {
  return std::get<T>(NodeOf<T>(model).op);
}

inline TensorDef& OutputOf(ModelDef& model, const NodeDef& node) {
  return model.tensors[static_cast<size_t>(node.output)];
}

// Sets element 0 of a float blob.
inline void SetFloat(ModelDef& model, int blob, float value) {
  std::memcpy(model.blobs[static_cast<size_t>(blob)].data.data(), &value, sizeof value);
}

inline Blob& BlobAt(ModelDef& model, int index) { return model.blobs[static_cast<size_t>(index)]; }

}  // namespace bnn::formats
