// The detections of an SSD, as model_def.h states them. A sample runs on one thread, in its own part of the scratch
// tensor: [decoded boxes][candidates of a list][kept detections].
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/ops/loops.h"
#include "engine/ops/make_step.h"

namespace bnn::engine {
namespace {

struct Box {
  float xmin, ymin, xmax, ymax;
};

struct Candidate {
  float score;
  int32_t label;
  int32_t prior;
};

// Best first; ties in the order of labels and priors, so that the order is total and sorting needs not be stable.
bool IsBetter(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.label != b.label ? a.label < b.label : a.prior < b.prior;
}

bool IsFirstInOutput(const Candidate& a, const Candidate& b) {
  return a.label != b.label ? a.label < b.label : IsBetter(a, b);
}

float Area(const Box& box) {
  return box.xmax < box.xmin || box.ymax < box.ymin ? 0.0f : (box.xmax - box.xmin) * (box.ymax - box.ymin);
}

// Intersection / union.
float Overlap(const Box& a, const Box& b) {
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
  if (!(width > 0 && height > 0)) return 0;
  return width * height / (Area(a) + Area(b) - width * height);
}

Box Clipped(const Box& box) {
  const auto clip = [](float x) { return std::clamp(x, 0.0f, 1.0f); };
  return {clip(box.xmin), clip(box.ymin), clip(box.xmax), clip(box.ymax)};
}

class DetectionOutputStep final : public Step {
 public:
  DetectionOutputStep(StepContext& context, const FloatNode& node, const formats::DetectionOutput& op, int64_t bytes)
      : op_(op),
        priors_(context.SharedFloats(op.priors)),
        batch_(context.plan.batch),
        bytes_(bytes),
        rows_(context.Tensor(node.output).dims[1]) {
    const std::vector<int64_t>& dims = context.model.blobs[static_cast<size_t>(op.priors)].dims;
    count_ = dims[1];
    has_variances_ = dims[0] == 2;
    inputs = node.inputs;
    outputs = {node.output};
    scratch = context.AddScratch(bytes * batch_);
    description.name = node.name;
    description.op = "detection_output";
    description.kernel = "plain";
    description.shape = std::to_string(count_) + " priors, " + std::to_string(op.classes) + " classes -> " +
                        std::to_string(rows_) + " rows";
  }

  // Of one sample; -1 where that is beyond any memory.
  static int64_t ScratchBytes(const formats::DetectionOutput& op, int64_t priors, int64_t batch) {
    const int64_t scores = priors * op.classes;  // a tensor has as many elements: at most 2^30
    const int64_t bytes = (op.share_location ? priors : scores) * int64_t{sizeof(Box)} +
                          (priors + KeptAtMost(op, priors)) * int64_t{sizeof(Candidate)};
    int64_t all = 0;
    return __builtin_mul_overflow(bytes, batch, &all) || all > (int64_t{1} << 46) ? -1 : bytes;
  }

  Status Run(const RunContext& context) const override {
    const int64_t boxes = count_ * locations() * 4, scores = count_ * op_.classes;
    ParallelItems(*context.pool, batch_, boxes + scores, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Sample sample{context.Floats(inputs[0]) + i * boxes, context.Floats(inputs[1]) + i * scores};
        sample.decoded = reinterpret_cast<Box*>(context.Bytes(scratch) + i * bytes_);
        sample.candidates = reinterpret_cast<Candidate*>(sample.decoded + count_ * locations());
        sample.kept = sample.candidates + count_;
        RunSample(&sample, context.Floats(outputs[0]) + i * rows_ * 7);
      }
    });
    return OkStatus();
  }

 private:
  struct Sample {
    const float* boxes;
    const float* scores;
    Box* decoded = nullptr;
    Candidate* candidates = nullptr;
    Candidate* kept = nullptr;
    int64_t kept_count = 0;
  };

  static int64_t KeptAtMost(const formats::DetectionOutput& op, int64_t priors) {
    const int64_t of_list = op.top_k > 0 ? std::min(op.top_k, priors) : priors;
    return op.best_class ? of_list : of_list * op.classes;
  }

  int64_t locations() const { return op_.share_location ? 1 : op_.classes; }

  const Box& BoxOf(const Sample& sample, const Candidate& c) const {
    return sample.decoded[op_.share_location ? c.prior : c.prior * op_.classes + c.label];
  }

  void RunSample(Sample* sample, float* out) const {
    Decode(sample);
    if (op_.best_class) {
      Suppress(CollectBest(*sample), 0, sample);
    } else {
      for (int64_t label = 0; label < op_.classes; ++label) {
        if (label != op_.background) Suppress(Collect(*sample, label), sample->kept_count, sample);
      }
    }
    int64_t count = sample->kept_count;
    if (op_.keep_top_k > 0 && count > op_.keep_top_k) {
      std::sort(sample->kept, sample->kept + count, IsBetter);
      count = op_.keep_top_k;
    }
    std::sort(sample->kept, sample->kept + count, IsFirstInOutput);
    Write(*sample, count, out);
  }

  void Decode(Sample* sample) const {
    for (int64_t i = 0; i < count_ * locations(); ++i) {
      const int64_t prior = i / locations();
      static constexpr float kOnes[] = {1, 1, 1, 1};
      const float* variance = has_variances_ ? priors_.get() + (count_ + prior) * 4 : kOnes;
      const Box box = DecodedBox(priors_.get() + prior * 4, variance, sample->boxes + i * 4);
      sample->decoded[i] = op_.clip_before ? Clipped(box) : box;
    }
  }

  Box DecodedBox(const float* p, const float* v, const float* d) const {
    if (op_.code == formats::BoxCode::kCorner) {
      return {p[0] + v[0] * d[0], p[1] + v[1] * d[1], p[2] + v[2] * d[2], p[3] + v[3] * d[3]};
    }
    const float width = p[2] - p[0], height = p[3] - p[1];
    const float x = v[0] * d[0] * width + (p[0] + p[2]) / 2, y = v[1] * d[1] * height + (p[1] + p[3]) / 2;
    const float half_width = std::exp(v[2] * d[2]) * width / 2, half_height = std::exp(v[3] * d[3]) * height / 2;
    return {x - half_width, y - half_height, x + half_width, y + half_height};
  }

  // The priors that score for a class; returns how many.
  int64_t Collect(const Sample& sample, int64_t label) const {
    int64_t found = 0;
    for (int64_t prior = 0; prior < count_; ++prior) {
      const float score = sample.scores[prior * op_.classes + label];
      if (!(score > op_.score_threshold)) continue;
      sample.candidates[found++] = {score, static_cast<int32_t>(label), static_cast<int32_t>(prior)};
    }
    return found;
  }

  // Each prior once, with its best class.
  int64_t CollectBest(const Sample& sample) const {
    int64_t found = 0;
    for (int64_t prior = 0; prior < count_; ++prior) {
      Candidate best{-HUGE_VALF, 0, static_cast<int32_t>(prior)};
      for (int64_t label = 1; label < op_.classes; ++label) {
        const float score = sample.scores[prior * op_.classes + label];
        if (score > best.score) best = {score, static_cast<int32_t>(label), best.prior};
      }
      if (best.label > 0 && best.score >= op_.score_threshold) sample.candidates[found++] = best;
    }
    return found;
  }

  // Appends those of `found` candidates to the kept ones that no better one of their class, from `first` on, overlaps.
  void Suppress(int64_t found, int64_t first, Sample* sample) const {
    Candidate* const candidates = sample->candidates;
    if (op_.top_k > 0 && found > op_.top_k) {
      std::nth_element(candidates, candidates + op_.top_k, candidates + found, IsBetter);
      found = op_.top_k;
    }
    std::sort(candidates, candidates + found, IsBetter);
    for (int64_t i = 0; i < found; ++i) {
      const Candidate candidate = candidates[i];
      const Box& box = BoxOf(*sample, candidate);
      const bool is_dropped =
          std::any_of(sample->kept + first, sample->kept + sample->kept_count, [&](const Candidate& better) {
            return better.label == candidate.label && Overlap(box, BoxOf(*sample, better)) > op_.overlap_threshold;
          });
      if (!is_dropped) sample->kept[sample->kept_count++] = candidate;
    }
  }

  void Write(const Sample& sample, int64_t count, float* out) const {
    std::fill_n(out, rows_ * 7, 0.0f);
    const int64_t written = std::min(count, rows_);
    for (int64_t i = 0; i < written; ++i, out += 7) {
      const Candidate& c = sample.kept[i];
      const Box box = op_.clip_after ? Clipped(BoxOf(sample, c)) : BoxOf(sample, c);
      const float row[] = {
          0,       static_cast<float>(op_.best_class ? c.label - 1 : c.label), c.score, box.xmin, box.ymin, box.xmax,
          box.ymax};
      std::copy_n(row, 7, out);
    }
    if (written < rows_) out[0] = -1;
  }

  const formats::DetectionOutput op_;
  const std::shared_ptr<const float> priors_;
  const int64_t batch_;
  const int64_t bytes_;  // of scratch, a sample
  const int64_t rows_;
  int64_t count_ = 0;
  bool has_variances_ = false;
};

}  // namespace

Result<StepPtr> MakeDetectionOutput(StepContext& context, const FloatNode& node, const formats::DetectionOutput& op) {
  const int64_t priors = context.model.blobs[static_cast<size_t>(op.priors)].dims[1];
  const int64_t bytes = DetectionOutputStep::ScratchBytes(op, priors, context.plan.batch);
  if (bytes < 0) {
    return OutOfMemory("node '" + node.name + "': " + std::to_string(priors) + " priors of " +
                       std::to_string(op.classes) + " classes times a batch of " + std::to_string(context.plan.batch) +
                       " exceed memory");
  }
  return StepPtr(std::make_unique<DetectionOutputStep>(context, node, op, bytes));
}

}  // namespace bnn::engine
