#include <string>
#include <utility>

#include "formats/proto_codec.h"
#include "formats/wire_scan.h"

namespace bnn::formats {
namespace {

// The enumerators of model_def.h are stored by their numbers.
static_assert(static_cast<int>(ElementType::kBits) == proto::ELEMENT_TYPE_BITS);
static_assert(static_cast<int>(ElementType::kBits4) == proto::ElementType_MAX);
static_assert(static_cast<int>(PadValue::kOne) == proto::PAD_VALUE_ONE);
static_assert(static_cast<int>(PadValue::kZero) == proto::PadValue_MAX);
static_assert(static_cast<int>(UnaryKind::kSigmoid) == proto::UNARY_KIND_SIGMOID);
static_assert(static_cast<int>(UnaryKind::kLog) == proto::UnaryKind_MAX);
static_assert(static_cast<int>(BinaryKind::kAdd) == proto::BINARY_KIND_ADD);
static_assert(static_cast<int>(BinaryKind::kMin) == proto::BinaryKind_MAX);
static_assert(static_cast<int>(PadMode::kConstant) == proto::PAD_MODE_CONSTANT);
static_assert(static_cast<int>(PadMode::kSymmetric) == proto::PadMode_MAX);
static_assert(static_cast<int>(ResizeKind::kLinear) == proto::ResizeKind_MAX);
static_assert(static_cast<int>(Coordinates::kHalfPixel) == proto::COORDINATES_HALF_PIXEL);
static_assert(static_cast<int>(Coordinates::kTfHalfPixel) == proto::Coordinates_MAX);
static_assert(static_cast<int>(Nearest::kPreferFloor) == proto::NEAREST_PREFER_FLOOR);
static_assert(static_cast<int>(Nearest::kCeil) == proto::Nearest_MAX);
static_assert(static_cast<int>(ReduceKind::kMean) == proto::REDUCE_KIND_MEAN);
static_assert(static_cast<int>(ReduceKind::kMin) == proto::ReduceKind_MAX);
static_assert(static_cast<int>(EpsMode::kMax) == proto::EpsMode_MAX);
static_assert(static_cast<int>(BoxCode::kCorner) == proto::BOX_CODE_CORNER);
static_assert(static_cast<int>(BoxCode::kCenterSize) == proto::BoxCode_MAX);
static_assert(static_cast<int>(ImageLayout::kNhwc) == proto::IMAGE_LAYOUT_NHWC);

// Where in the file a message stands: "nodes[3].conv2d". Made into text only for an error.
struct Path {
  const char* list;
  int index;
  const char* member = "";

  std::string Text() const { return std::string(list) + "[" + std::to_string(index) + "]" + member; }
};

template <typename Message>
Status CheckKnown(const Message& message, const Path& path) {
  if (message.unknown_fields().empty()) return OkStatus();
  return CheckUnknownFields(message.unknown_fields(), path.Text());
}

// Enum values that the parser does not know are among the unknown fields, so those here have a counterpart. An absent
// one is 0, which Validate() refuses where the enum has no such value.
template <typename Enum, typename ProtoEnum>
Enum To(ProtoEnum value) {
  return static_cast<Enum>(value);
}

template <typename Field>
std::vector<int64_t> ToVector(const Field& field) {
  return {field.begin(), field.end()};
}

Status ReadWindow(const proto::Window2d& in, const Path& path, Window2d* out) {
  *out = {.kernel_h = in.kernel_h(),
          .kernel_w = in.kernel_w(),
          .stride_h = in.stride_h(),
          .stride_w = in.stride_w(),
          .dilation_h = in.dilation_h(),
          .dilation_w = in.dilation_w(),
          .pad_top = in.pad_top(),
          .pad_left = in.pad_left(),
          .pad_bottom = in.pad_bottom(),
          .pad_right = in.pad_right(),
          .whole_map = in.whole_map()};
  if (in.unknown_fields().empty()) return OkStatus();
  return CheckUnknownFields(in.unknown_fields(), path.Text() + ".window");
}

Status ReadQuantization(const proto::Quantization& in, const Path& path, const char* field, Quantization* out) {
  *out = {.scale = in.scale(), .zero_point = in.zero_point()};
  if (in.unknown_fields().empty()) return OkStatus();
  return CheckUnknownFields(in.unknown_fields(), path.Text() + field);
}

// One overload an operator.
Status ReadOp(const proto::BConv2d& in, const Path& path, BConv2d* out) {
  out->groups = in.groups();
  if (in.has_weights()) out->weights = in.weights();
  out->pad_value = To<PadValue>(in.pad_value());
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::BDense& in, const Path&, BDense* out) {
  if (in.has_weights()) out->weights = in.weights();
  return OkStatus();
}
Status ReadOp(const proto::BMaxPool& in, const Path& path, BMaxPool* out) {
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::Binarize& in, const Path&, Binarize* out) {
  out->bits = in.bits();
  if (in.has_thresholds()) out->thresholds = in.thresholds();
  return OkStatus();
}
Status ReadOp(const proto::Unpack& in, const Path&, Unpack* out) {
  if (in.has_low()) out->low = in.low();
  if (in.has_high()) out->high = in.high();
  out->bits = in.bits();
  if (in.has_values()) out->values = in.values();
  return OkStatus();
}
Status ReadOp(const proto::Conv2d& in, const Path& path, Conv2d* out) {
  out->groups = in.groups();
  if (in.has_weights()) out->weights = in.weights();
  if (in.has_bias()) out->bias = in.bias();
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::Dense& in, const Path&, Dense* out) {
  if (in.has_weights()) out->weights = in.weights();
  if (in.has_bias()) out->bias = in.bias();
  return OkStatus();
}
Status ReadOp(const proto::Affine& in, const Path&, Affine* out) {
  if (in.has_scale()) out->scale = in.scale();
  if (in.has_bias()) out->bias = in.bias();
  return OkStatus();
}
Status ReadOp(const proto::PRelu& in, const Path&, PRelu* out) {
  if (in.has_slope()) out->slope = in.slope();
  return OkStatus();
}
Status ReadOp(const proto::Clamp& in, const Path&, Clamp* out) {
  *out = {.low = in.low(), .high = in.high()};
  return OkStatus();
}
Status ReadOp(const proto::Unary& in, const Path&, Unary* out) {
  out->alpha = in.alpha();
  out->beta = in.beta();
  out->kind = To<UnaryKind>(in.kind());
  return OkStatus();
}
Status ReadOp(const proto::Binary& in, const Path&, Binary* out) {
  if (in.has_constant()) out->constant = in.constant();
  out->constant_first = in.constant_first();
  out->kind = To<BinaryKind>(in.kind());
  return OkStatus();
}
Status ReadOp(const proto::MaxPool& in, const Path& path, MaxPool* out) {
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::AvgPool& in, const Path& path, AvgPool* out) {
  out->count_include_pad = in.count_include_pad();
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::Concat& in, const Path&, Concat* out) {
  out->axis = in.axis();
  return OkStatus();
}
Status ReadOp(const proto::Slice& in, const Path&, Slice* out) {
  *out = {.begin = ToVector(in.begin()), .end = ToVector(in.end()), .step = ToVector(in.step())};
  return OkStatus();
}
Status ReadOp(const proto::Pad& in, const Path&, Pad* out) {
  out->before = ToVector(in.before());
  out->after = ToVector(in.after());
  out->value = in.value();
  out->mode = To<PadMode>(in.mode());
  return OkStatus();
}
Status ReadOp(const proto::Transpose& in, const Path&, Transpose* out) {
  out->perm = ToVector(in.perm());
  return OkStatus();
}
Status ReadOp(const proto::Reshape&, const Path&, Reshape*) { return OkStatus(); }
Status ReadOp(const proto::Softmax& in, const Path&, Softmax* out) {
  *out = {.axis = in.axis(), .log = in.log()};
  return OkStatus();
}
Status ReadOp(const proto::Quantize& in, const Path& path, Quantize* out) {
  out->type = To<ElementType>(in.type());
  return ReadQuantization(in.to(), path, ".to", &out->to);
}
Status ReadOp(const proto::Dequantize& in, const Path& path, Dequantize* out) {
  return ReadQuantization(in.from(), path, ".from", &out->from);
}
Status ReadOp(const proto::QConv2d& in, const Path& path, QConv2d* out) {
  out->groups = in.groups();
  if (in.has_weights()) out->weights = in.weights();
  if (in.has_weight_scales()) out->weight_scales = in.weight_scales();
  if (in.has_bias()) out->bias = in.bias();
  BNN_RETURN_IF_ERROR(ReadQuantization(in.input(), path, ".input", &out->input));
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::QDense& in, const Path& path, QDense* out) {
  if (in.has_weights()) out->weights = in.weights();
  if (in.has_weight_scales()) out->weight_scales = in.weight_scales();
  if (in.has_bias()) out->bias = in.bias();
  return ReadQuantization(in.input(), path, ".input", &out->input);
}

Status ReadOp(const proto::FakeQuantize& in, const Path&, FakeQuantize* out) {
  out->levels = in.levels();
  if (in.has_input_low()) out->input_low = in.input_low();
  if (in.has_input_high()) out->input_high = in.input_high();
  if (in.has_output_low()) out->output_low = in.output_low();
  if (in.has_output_high()) out->output_high = in.output_high();
  return OkStatus();
}
Status ReadOp(const proto::ConvTranspose2d& in, const Path& path, ConvTranspose2d* out) {
  out->groups = in.groups();
  if (in.has_weights()) out->weights = in.weights();
  if (in.has_bias()) out->bias = in.bias();
  out->output_pad_h = in.output_pad_h();
  out->output_pad_w = in.output_pad_w();
  return ReadWindow(in.window(), path, &out->window);
}
Status ReadOp(const proto::Resize2d& in, const Path&, Resize2d* out) {
  *out = {.kind = To<ResizeKind>(in.kind()),
          .coordinates = To<Coordinates>(in.coordinates()),
          .nearest = To<Nearest>(in.nearest()),
          .height = in.height(),
          .width = in.width(),
          .scale_h = in.scale_h(),
          .scale_w = in.scale_w()};
  return OkStatus();
}
Status ReadOp(const proto::Reduce& in, const Path&, Reduce* out) {
  *out = {.kind = To<ReduceKind>(in.kind()), .axes = ToVector(in.axes())};
  return OkStatus();
}
Status ReadOp(const proto::Lrn& in, const Path&, Lrn* out) {
  *out = {.axes = ToVector(in.axes()), .size = in.size(), .alpha = in.alpha(), .beta = in.beta(), .bias = in.bias()};
  return OkStatus();
}
Status ReadOp(const proto::NormalizeL2& in, const Path&, NormalizeL2* out) {
  *out = {.axes = ToVector(in.axes()), .eps = in.eps(), .eps_mode = To<EpsMode>(in.eps_mode())};
  return OkStatus();
}
Status ReadOp(const proto::DetectionOutput& in, const Path&, DetectionOutput* out) {
  *out = {.classes = in.classes(),
          .background = in.has_background() ? in.background() : kNone,
          .top_k = in.top_k(),
          .keep_top_k = in.keep_top_k(),
          .code = To<BoxCode>(in.code()),
          .share_location = in.share_location(),
          .best_class = in.best_class(),
          .clip_before = in.clip_before(),
          .clip_after = in.clip_after(),
          .score_threshold = in.score_threshold(),
          .overlap_threshold = in.overlap_threshold(),
          .priors = in.has_priors() ? in.priors() : kNone};
  return OkStatus();
}

template <typename OpStruct, typename Message>
Status ReadOpField(const Message& message, int node, const char* field, Op* out) {
  const Path path{"nodes", node, field};
  BNN_RETURN_IF_ERROR(CheckKnown(message, path));
  return ReadOp(message, path, &out->emplace<OpStruct>());
}

Status ReadNodeOp(const proto::Node& node, int index, Op* out) {
  switch (node.op_case()) {
    case proto::Node::kBconv2D:
      return ReadOpField<BConv2d>(node.bconv2d(), index, ".bconv2d", out);
    case proto::Node::kBdense:
      return ReadOpField<BDense>(node.bdense(), index, ".bdense", out);
    case proto::Node::kBmaxpool:
      return ReadOpField<BMaxPool>(node.bmaxpool(), index, ".bmaxpool", out);
    case proto::Node::kBinarize:
      return ReadOpField<Binarize>(node.binarize(), index, ".binarize", out);
    case proto::Node::kUnpack:
      return ReadOpField<Unpack>(node.unpack(), index, ".unpack", out);
    case proto::Node::kConv2D:
      return ReadOpField<Conv2d>(node.conv2d(), index, ".conv2d", out);
    case proto::Node::kDense:
      return ReadOpField<Dense>(node.dense(), index, ".dense", out);
    case proto::Node::kAffine:
      return ReadOpField<Affine>(node.affine(), index, ".affine", out);
    case proto::Node::kPrelu:
      return ReadOpField<PRelu>(node.prelu(), index, ".prelu", out);
    case proto::Node::kClamp:
      return ReadOpField<Clamp>(node.clamp(), index, ".clamp", out);
    case proto::Node::kUnary:
      return ReadOpField<Unary>(node.unary(), index, ".unary", out);
    case proto::Node::kBinary:
      return ReadOpField<Binary>(node.binary(), index, ".binary", out);
    case proto::Node::kMaxpool:
      return ReadOpField<MaxPool>(node.maxpool(), index, ".maxpool", out);
    case proto::Node::kAvgpool:
      return ReadOpField<AvgPool>(node.avgpool(), index, ".avgpool", out);
    case proto::Node::kConcat:
      return ReadOpField<Concat>(node.concat(), index, ".concat", out);
    case proto::Node::kSlice:
      return ReadOpField<Slice>(node.slice(), index, ".slice", out);
    case proto::Node::kPad:
      return ReadOpField<Pad>(node.pad(), index, ".pad", out);
    case proto::Node::kTranspose:
      return ReadOpField<Transpose>(node.transpose(), index, ".transpose", out);
    case proto::Node::kReshape:
      return ReadOpField<Reshape>(node.reshape(), index, ".reshape", out);
    case proto::Node::kSoftmax:
      return ReadOpField<Softmax>(node.softmax(), index, ".softmax", out);
    case proto::Node::kQuantize:
      return ReadOpField<Quantize>(node.quantize(), index, ".quantize", out);
    case proto::Node::kDequantize:
      return ReadOpField<Dequantize>(node.dequantize(), index, ".dequantize", out);
    case proto::Node::kQconv2D:
      return ReadOpField<QConv2d>(node.qconv2d(), index, ".qconv2d", out);
    case proto::Node::kQdense:
      return ReadOpField<QDense>(node.qdense(), index, ".qdense", out);
    case proto::Node::kFakeQuantize:
      return ReadOpField<FakeQuantize>(node.fake_quantize(), index, ".fake_quantize", out);
    case proto::Node::kConvTranspose2D:
      return ReadOpField<ConvTranspose2d>(node.conv_transpose2d(), index, ".conv_transpose2d", out);
    case proto::Node::kResize2D:
      return ReadOpField<Resize2d>(node.resize2d(), index, ".resize2d", out);
    case proto::Node::kReduce:
      return ReadOpField<Reduce>(node.reduce(), index, ".reduce", out);
    case proto::Node::kLrn:
      return ReadOpField<Lrn>(node.lrn(), index, ".lrn", out);
    case proto::Node::kNormalizeL2:
      return ReadOpField<NormalizeL2>(node.normalize_l2(), index, ".normalize_l2", out);
    case proto::Node::kDetectionOutput:
      return ReadOpField<DetectionOutput>(node.detection_output(), index, ".detection_output", out);
    case proto::Node::OP_NOT_SET:
      break;
  }
  return InvalidModel(Path{"nodes", index}.Text() + ": has no operator");
}

Status ReadTensor(proto::Tensor* in, int index, TensorDef* out) {
  BNN_RETURN_IF_ERROR(CheckKnown(*in, Path{"tensors", index}));
  out->name = std::move(*in->mutable_name());
  out->dims = ToVector(in->dims());
  out->type = To<ElementType>(in->type());
  return OkStatus();
}

Status ReadBlob(const proto::Blob& in, int index, Blob* out) {
  const Path path{"blobs", index};
  BNN_RETURN_IF_ERROR(CheckKnown(in, path));
  out->dims = ToVector(in.dims());
  out->type = To<ElementType>(in.type());
  const int64_t expected = BlobBytes(out->type, out->dims);
  if (expected < 0) return InvalidModel(path.Text() + ".dims: found a size of 0, below 0 or beyond the limit");
  if (in.data_bytes() != expected) {
    return InvalidModel(path.Text() + ".data_bytes: found " + std::to_string(in.data_bytes()) + ", expected " +
                        std::to_string(expected) + " for its dims");
  }
  return OkStatus();
}

Status ReadNode(proto::Node* in, int index, NodeDef* out) {
  BNN_RETURN_IF_ERROR(CheckKnown(*in, Path{"nodes", index}));
  out->name = std::move(*in->mutable_name());
  out->inputs.assign(in->inputs().begin(), in->inputs().end());
  if (in->has_output()) out->output = in->output();
  return ReadNodeOp(*in, index, &out->op);
}

Status ReadInput(const proto::Input& in, int index, InputDef* out) {
  BNN_RETURN_IF_ERROR(CheckKnown(in, Path{"inputs", index}));
  BNN_RETURN_IF_ERROR(CheckKnown(in.preprocessing(), Path{"inputs", index, ".preprocessing"}));
  if (in.has_tensor()) out->tensor = in.tensor();
  out->preprocessing.mean.assign(in.preprocessing().mean().begin(), in.preprocessing().mean().end());
  out->preprocessing.scale.assign(in.preprocessing().scale().begin(), in.preprocessing().scale().end());
  out->layout = To<ImageLayout>(in.layout());
  return OkStatus();
}

}  // namespace

Result<ModelDef> FromProto(proto::Model&& message) {
  BNN_RETURN_IF_ERROR(CheckUnknownFields(message.unknown_fields(), "model"));
  ModelDef model;
  model.producer = std::move(*message.mutable_producer());
  model.source = std::move(*message.mutable_source());
  model.source_batch = message.source_batch();
  for (int i = 0; i < message.tensors_size(); ++i) {
    BNN_RETURN_IF_ERROR(ReadTensor(message.mutable_tensors(i), i, &model.tensors.emplace_back()));
  }
  for (int i = 0; i < message.blobs_size(); ++i) {
    BNN_RETURN_IF_ERROR(ReadBlob(message.blobs(i), i, &model.blobs.emplace_back()));
  }
  for (int i = 0; i < message.nodes_size(); ++i) {
    BNN_RETURN_IF_ERROR(ReadNode(message.mutable_nodes(i), i, &model.nodes.emplace_back()));
  }
  for (int i = 0; i < message.inputs_size(); ++i) {
    BNN_RETURN_IF_ERROR(ReadInput(message.inputs(i), i, &model.inputs.emplace_back()));
  }
  model.outputs.assign(message.outputs().begin(), message.outputs().end());
  return model;
}

}  // namespace bnn::formats
