#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "formats/ops/detection_output.h"
#include "formats/ops/evaluator.h"
#include "formats/ops/prior_box.h"

namespace bnn::formats {
namespace {

using Box = std::array<float, 4>;  // xmin, ymin, xmax, ymax

struct Candidate {
  float score = 0;
  int64_t label = 0;
  int64_t prior = 0;
};

Box Decoded(const DetectionOutput& op, const Box& p, const Box& variance, const Box& d) {
  Box box{};
  if (op.code == BoxCode::kCorner) {
    for (size_t i = 0; i < 4; ++i) box[i] = p[i] + variance[i] * d[i];
  } else {
    for (size_t i = 0; i < 2; ++i) {
      const float size = p[i + 2] - p[i];
      const float center = variance[i] * d[i] * size + (p[i] + p[i + 2]) / 2;
      const float half = std::exp(variance[i + 2] * d[i + 2]) * size / 2;
      box[i] = center - half;
      box[i + 2] = center + half;
    }
  }
  if (op.clip_before) {
    for (float& side : box) side = std::clamp(side, 0.0F, 1.0F);
  }
  return box;
}

float Area(const Box& box) { return box[2] < box[0] || box[3] < box[1] ? 0 : (box[2] - box[0]) * (box[3] - box[1]); }

// Intersection / union.
float Overlap(const Box& a, const Box& b) {
  const float width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const float height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  return width * height / (Area(a) + Area(b) - width * height);
}

// Best first.
bool IsBetter(const Candidate& a, const Candidate& b) {
  return std::tuple(-a.score, a.label, a.prior) < std::tuple(-b.score, b.label, b.prior);
}

// Those of one list that are kept: `boxes` is [priors][1 or classes].
void Suppress(const DetectionOutput& op, const std::vector<Box>& boxes, std::vector<Candidate> candidates,
              std::vector<Candidate>* kept) {
  std::sort(candidates.begin(), candidates.end(), IsBetter);
  if (op.top_k > 0 && static_cast<int64_t>(candidates.size()) > op.top_k) {
    candidates.resize(static_cast<size_t>(op.top_k));
  }
  const auto box_of = [&](const Candidate& c) {
    return boxes[static_cast<size_t>(op.share_location ? c.prior : c.prior * op.classes + c.label)];
  };
  for (const Candidate& candidate : candidates) {
    const bool is_dropped = std::any_of(kept->begin(), kept->end(), [&](const Candidate& better) {
      return better.label == candidate.label && Overlap(box_of(candidate), box_of(better)) > op.overlap_threshold;
    });
    if (!is_dropped) kept->push_back(candidate);
  }
}

// The candidates with best_class.
std::vector<Candidate> BestClasses(const DetectionOutput& op, const std::vector<float>& scores, int64_t priors) {
  std::vector<Candidate> candidates;
  for (int64_t prior = 0; prior < priors; ++prior) {
    Candidate best{-INFINITY, 0, prior};
    for (int64_t label = 1; label < op.classes; ++label) {
      const float score = scores[static_cast<size_t>(prior * op.classes + label)];
      if (score > best.score) best = {score, label, prior};
    }
    if (best.label > 0 && best.score >= op.score_threshold) candidates.push_back(best);
  }
  return candidates;
}

std::vector<Candidate> OfClass(const DetectionOutput& op, const std::vector<float>& scores, int64_t priors,
                               int64_t label) {
  std::vector<Candidate> candidates;
  for (int64_t prior = 0; prior < priors; ++prior) {
    const float score = scores[static_cast<size_t>(prior * op.classes + label)];
    if (score > op.score_threshold) candidates.push_back({score, label, prior});
  }
  return candidates;
}

std::vector<Box> DecodeAll(const DetectionOutput& op, const std::vector<float>& boxes, const std::vector<float>& priors,
                           bool has_variances) {
  const auto at = [](const std::vector<float>& values, size_t box) {
    return Box{values[box * 4], values[box * 4 + 1], values[box * 4 + 2], values[box * 4 + 3]};
  };
  const size_t count = priors.size() / (has_variances ? 8 : 4);
  const size_t per_prior = op.share_location ? 1 : static_cast<size_t>(op.classes);
  std::vector<Box> decoded;
  for (size_t i = 0; i < count * per_prior; ++i) {
    const size_t prior = i / per_prior;
    const Box variance = has_variances ? at(priors, count + prior) : Box{1, 1, 1, 1};
    decoded.push_back(Decoded(op, at(priors, prior), variance, at(boxes, i)));
  }
  return decoded;
}

Result<int64_t> TopAttribute(const SourceNode& node, const char* key, int64_t found) {
  if (found == -1) return int64_t{0};
  if (found >= 1 && found <= kMaxDim) return found;
  return NodeError(node, std::string("attribute '") + key + "' is " + std::to_string(found) + ", expected -1 or 1 to " +
                             std::to_string(kMaxDim));
}

Status CheckFinite(const SourceNode& node, const char* key, float found) {
  if (std::isfinite(found)) return OkStatus();
  return NodeError(node, std::string("attribute '") + key + "' is " + std::to_string(found));
}

int64_t NumbersOfPrior(const SourceNode& node) { return node.Int("normalized", 0) != 0 ? 4 : 5; }

int64_t RowsOf(const DetectionOutput& op, int64_t scores) {
  return op.keep_top_k > 0 ? op.keep_top_k : op.top_k > 0 ? op.top_k * op.classes : scores;
}

// Boxes, scores and priors must be of the same priors and classes. Sets op->classes.
Status CheckInputs(const SourceNode& node, const std::vector<Dims>& dims, DetectionOutput* op) {
  const Dims &boxes = dims[0], &scores = dims[1], &priors = dims[2];
  const bool has_variances = node.Int("variance_encoded_in_target", 0) == 0;
  if (boxes.size() != 2 || scores.size() != 2 || priors.size() != 3 || priors[1] != (has_variances ? 2 : 1)) {
    return NodeError(node, "has inputs of dims " + DimsToString(boxes) + ", " + DimsToString(scores) + " and " +
                               DimsToString(priors) + ", expected [N, boxes], [N, scores] and [1, " +
                               (has_variances ? "2" : "1") + ", priors]");
  }
  if (boxes[0] != 1 || scores[0] != 1 || priors[0] != 1) {
    return NodeUnsupported(node,
                           "detections of more than one image in one list are not supported; its inputs have dims " +
                               DimsToString(boxes) + ", " + DimsToString(scores) + " and " + DimsToString(priors));
  }
  const int64_t count = priors[2] / NumbersOfPrior(node);
  if (count < 1 || count > kMaxDim || priors[2] % NumbersOfPrior(node) != 0) {
    return NodeError(node, "has priors of dims " + DimsToString(priors));
  }
  // Opset 8 leaves the number of classes to the dims.
  const int64_t stated = node.Int("num_classes", -1);
  op->classes = scores[1] / count;
  if (op->classes < 1 || op->classes > kMaxDim || (stated != -1 && stated != op->classes) || scores[1] % count != 0 ||
      boxes[1] != count * 4 * (op->share_location ? 1 : op->classes)) {
    return NodeError(node, "has boxes of dims " + DimsToString(boxes) + " and scores of dims " + DimsToString(scores) +
                               " for " + std::to_string(count) + " priors" +
                               (stated == -1 ? "" : " and " + std::to_string(stated) + " classes"));
  }
  return OkStatus();
}

}  // namespace

Result<DetectionOutput> ReadDetectionOutput(const SourceNode& node, const std::vector<Dims>& dims) {
  DetectionOutput op;
  op.share_location = node.Int("share_location", 1) != 0;
  op.best_class = node.Int("decrease_label_id", 0) != 0;
  op.clip_before = node.Int("clip_before_nms", 0) != 0;
  op.clip_after = node.Int("clip_after_nms", 0) != 0;
  op.score_threshold = node.Float("confidence_threshold", 0);
  op.overlap_threshold = node.Float("nms_threshold", 0);
  op.code = node.String("code_type", "corner") == "corner" ? BoxCode::kCorner : BoxCode::kCenterSize;
  BNN_RETURN_IF_ERROR(CheckFinite(node, "confidence_threshold", op.score_threshold));
  BNN_RETURN_IF_ERROR(CheckFinite(node, "nms_threshold", op.overlap_threshold));
  BNN_ASSIGN_OR_RETURN(op.top_k, TopAttribute(node, "top_k", node.Int("top_k", -1)));
  BNN_ASSIGN_OR_RETURN(op.keep_top_k, TopAttribute(node, "keep_top_k", node.Int("keep_top_k", -1)));
  BNN_RETURN_IF_ERROR(CheckInputs(node, dims, &op));
  op.background = node.Int("background_label_id", 0);
  if (op.background < 0 || op.background >= op.classes) op.background = kNone;
  if (op.best_class && op.background != 0) {
    return NodeUnsupported(node, "attribute 'background_label_id' is not 0 where labels are decreased");
  }
  return op;
}

Result<Dims> DetectionOutputDims(const SourceNode& node, const std::vector<Dims>& dims) {
  BNN_ASSIGN_OR_RETURN(const DetectionOutput op, ReadDetectionOutput(node, dims));
  return Dims{1, 1, RowsOf(op, dims[1][1]), 7};
}

Result<std::vector<float>> DetectionPriors(const SourceNode& node, const Tensor& priors) {
  const std::vector<float>& values = priors.floats;
  if (NumbersOfPrior(node) == 4) return values;
  const auto width = static_cast<float>(node.Int("input_width", 1));
  const auto height = static_cast<float>(node.Int("input_height", 1));
  if (!(width >= 1 && height >= 1)) return NodeError(node, "has an image of no size for priors in pixels");
  const size_t count = static_cast<size_t>(priors.dims[2]) / 5;
  std::vector<float> result;
  for (size_t i = 0; i < count * 4; ++i) {
    result.push_back(values[i / 4 * 5 + 1 + i % 4] / (i % 2 == 0 ? width : height));
  }
  // Variances have no number in front; what is left of their row is not read.
  if (priors.dims[1] == 2) {
    const auto first = values.begin() + priors.dims[2];
    result.insert(result.end(), first, first + static_cast<ptrdiff_t>(count) * 4);
  }
  return result;
}

std::vector<float> Detect(const DetectionOutput& op, const std::vector<float>& boxes, const std::vector<float>& scores,
                          const std::vector<float>& priors, bool has_variances, int64_t rows) {
  const std::vector<Box> decoded = DecodeAll(op, boxes, priors, has_variances);
  const auto count = static_cast<int64_t>(priors.size()) / (has_variances ? 8 : 4);
  std::vector<Candidate> kept;
  if (op.best_class) {
    Suppress(op, decoded, BestClasses(op, scores, count), &kept);
  } else {
    for (int64_t label = 0; label < op.classes; ++label) {
      if (label != op.background) Suppress(op, decoded, OfClass(op, scores, count, label), &kept);
    }
  }
  std::sort(kept.begin(), kept.end(), IsBetter);
  if (op.keep_top_k > 0 && static_cast<int64_t>(kept.size()) > op.keep_top_k) {
    kept.resize(static_cast<size_t>(op.keep_top_k));
  }
  std::stable_sort(kept.begin(), kept.end(), [](const Candidate& a, const Candidate& b) { return a.label < b.label; });
  std::vector<float> out;
  for (const Candidate& c : kept) {
    const auto label = static_cast<float>(op.best_class ? c.label - 1 : c.label);
    out.insert(out.end(), {0.0F, label, c.score});
    for (const float side :
         decoded[static_cast<size_t>(op.share_location ? c.prior : c.prior * op.classes + c.label)]) {
      out.push_back(op.clip_after ? std::clamp(side, 0.0F, 1.0F) : side);
    }
  }
  const auto all = static_cast<size_t>(rows) * 7;
  if (out.size() < all) out.push_back(-1);
  out.resize(all, 0.0F);
  return out;
}

Result<OutputTensors> EvaluateDetectionOutput(const SourceNode& node, const InputTensors& inputs) {
  BNN_RETURN_IF_ERROR(ExpectFloat(node, inputs));
  const std::vector<Dims> dims = {inputs[0]->dims, inputs[1]->dims, inputs[2]->dims};
  BNN_ASSIGN_OR_RETURN(const DetectionOutput op, ReadDetectionOutput(node, dims));
  BNN_ASSIGN_OR_RETURN(const std::vector<float> priors, DetectionPriors(node, *inputs[2]));
  const int64_t rows = RowsOf(op, inputs[1]->size());
  BNN_ASSIGN_OR_RETURN(Tensor out, AllocateOutput(node, DType::kFloat32, {1, 1, rows, 7}));
  out.floats = Detect(op, inputs[0]->floats, inputs[1]->floats, priors, inputs[2]->dims[1] == 2, rows);
  return OutputTensors{std::move(out)};
}

}  // namespace bnn::formats
