#include <variant>

#include "formats/proto_codec.h"

namespace bnn::formats {
namespace {

template <typename Field>
void Assign(Field* field, const std::vector<int64_t>& values) {
  field->Assign(values.begin(), values.end());
}

void Fill(const Window2d& window, proto::Window2d* out) {
  out->set_kernel_h(window.kernel_h);
  out->set_kernel_w(window.kernel_w);
  out->set_stride_h(window.stride_h);
  out->set_stride_w(window.stride_w);
  out->set_dilation_h(window.dilation_h);
  out->set_dilation_w(window.dilation_w);
  out->set_pad_top(window.pad_top);
  out->set_pad_left(window.pad_left);
  out->set_pad_bottom(window.pad_bottom);
  out->set_pad_right(window.pad_right);
  if (window.whole_map) out->set_whole_map(true);
}

void Fill(const Quantization& quantization, proto::Quantization* out) {
  out->set_scale(quantization.scale);
  out->set_zero_point(quantization.zero_point);
}

// One overload an operator: selects its field of the oneof and fills it. The enumerators of model_def.h have the
// numbers of the proto's (from_proto.cc asserts it). An absent index is an absent field.
struct OpWriter {
  proto::Node* node;

  void operator()(const BConv2d& op) const {
    proto::BConv2d* out = node->mutable_bconv2d();
    Fill(op.window, out->mutable_window());
    out->set_groups(op.groups);
    out->set_pad_value(static_cast<proto::PadValue>(op.pad_value));
    if (op.weights != kNone) out->set_weights(op.weights);
  }
  void operator()(const BDense& op) const {
    proto::BDense* out = node->mutable_bdense();
    if (op.weights != kNone) out->set_weights(op.weights);
  }
  void operator()(const BMaxPool& op) const { Fill(op.window, node->mutable_bmaxpool()->mutable_window()); }
  void operator()(const Binarize& op) const {
    proto::Binarize* out = node->mutable_binarize();
    if (op.bits != 1) out->set_bits(op.bits);
    if (op.thresholds != kNone) out->set_thresholds(op.thresholds);
  }
  void operator()(const Unpack& op) const {
    proto::Unpack* out = node->mutable_unpack();
    if (op.low != kNone) out->set_low(op.low);
    if (op.high != kNone) out->set_high(op.high);
    if (op.bits != 1) out->set_bits(op.bits);
    if (op.values != kNone) out->set_values(op.values);
  }
  void operator()(const Conv2d& op) const {
    proto::Conv2d* out = node->mutable_conv2d();
    Fill(op.window, out->mutable_window());
    out->set_groups(op.groups);
    if (op.weights != kNone) out->set_weights(op.weights);
    if (op.bias != kNone) out->set_bias(op.bias);
  }
  void operator()(const Dense& op) const {
    proto::Dense* out = node->mutable_dense();
    if (op.weights != kNone) out->set_weights(op.weights);
    if (op.bias != kNone) out->set_bias(op.bias);
  }
  void operator()(const Affine& op) const {
    proto::Affine* out = node->mutable_affine();
    if (op.scale != kNone) out->set_scale(op.scale);
    if (op.bias != kNone) out->set_bias(op.bias);
  }
  void operator()(const PRelu& op) const {
    proto::PRelu* out = node->mutable_prelu();
    if (op.slope != kNone) out->set_slope(op.slope);
  }
  void operator()(const Clamp& op) const {
    proto::Clamp* out = node->mutable_clamp();
    out->set_low(op.low);
    out->set_high(op.high);
  }
  void operator()(const Unary& op) const {
    proto::Unary* out = node->mutable_unary();
    out->set_kind(static_cast<proto::UnaryKind>(op.kind));
    out->set_alpha(op.alpha);
    out->set_beta(op.beta);
  }
  void operator()(const Binary& op) const {
    proto::Binary* out = node->mutable_binary();
    out->set_kind(static_cast<proto::BinaryKind>(op.kind));
    if (op.constant != kNone) out->set_constant(op.constant);
    out->set_constant_first(op.constant_first);
  }
  void operator()(const MaxPool& op) const { Fill(op.window, node->mutable_maxpool()->mutable_window()); }
  void operator()(const AvgPool& op) const {
    proto::AvgPool* out = node->mutable_avgpool();
    Fill(op.window, out->mutable_window());
    out->set_count_include_pad(op.count_include_pad);
  }
  void operator()(const Concat& op) const { node->mutable_concat()->set_axis(op.axis); }
  void operator()(const Slice& op) const {
    proto::Slice* out = node->mutable_slice();
    Assign(out->mutable_begin(), op.begin);
    Assign(out->mutable_end(), op.end);
    Assign(out->mutable_step(), op.step);
  }
  void operator()(const Pad& op) const {
    proto::Pad* out = node->mutable_pad();
    Assign(out->mutable_before(), op.before);
    Assign(out->mutable_after(), op.after);
    out->set_mode(static_cast<proto::PadMode>(op.mode));
    out->set_value(op.value);
  }
  void operator()(const Transpose& op) const { Assign(node->mutable_transpose()->mutable_perm(), op.perm); }
  void operator()(const Reshape&) const { node->mutable_reshape(); }
  void operator()(const Softmax& op) const {
    proto::Softmax* out = node->mutable_softmax();
    out->set_axis(op.axis);
    out->set_log(op.log);
  }
  void operator()(const Quantize& op) const {
    proto::Quantize* out = node->mutable_quantize();
    out->set_type(static_cast<proto::ElementType>(op.type));
    Fill(op.to, out->mutable_to());
  }
  void operator()(const Dequantize& op) const { Fill(op.from, node->mutable_dequantize()->mutable_from()); }
  void operator()(const QConv2d& op) const {
    proto::QConv2d* out = node->mutable_qconv2d();
    Fill(op.window, out->mutable_window());
    out->set_groups(op.groups);
    Fill(op.input, out->mutable_input());
    if (op.weights != kNone) out->set_weights(op.weights);
    if (op.weight_scales != kNone) out->set_weight_scales(op.weight_scales);
    if (op.bias != kNone) out->set_bias(op.bias);
  }
  void operator()(const QDense& op) const {
    proto::QDense* out = node->mutable_qdense();
    Fill(op.input, out->mutable_input());
    if (op.weights != kNone) out->set_weights(op.weights);
    if (op.weight_scales != kNone) out->set_weight_scales(op.weight_scales);
    if (op.bias != kNone) out->set_bias(op.bias);
  }
  void operator()(const FakeQuantize& op) const {
    proto::FakeQuantize* out = node->mutable_fake_quantize();
    out->set_levels(op.levels);
    if (op.input_low != kNone) out->set_input_low(op.input_low);
    if (op.input_high != kNone) out->set_input_high(op.input_high);
    if (op.output_low != kNone) out->set_output_low(op.output_low);
    if (op.output_high != kNone) out->set_output_high(op.output_high);
  }
  void operator()(const ConvTranspose2d& op) const {
    proto::ConvTranspose2d* out = node->mutable_conv_transpose2d();
    Fill(op.window, out->mutable_window());
    out->set_groups(op.groups);
    if (op.weights != kNone) out->set_weights(op.weights);
    if (op.bias != kNone) out->set_bias(op.bias);
    out->set_output_pad_h(op.output_pad_h);
    out->set_output_pad_w(op.output_pad_w);
  }
  void operator()(const Resize2d& op) const {
    proto::Resize2d* out = node->mutable_resize2d();
    out->set_kind(static_cast<proto::ResizeKind>(op.kind));
    out->set_coordinates(static_cast<proto::Coordinates>(op.coordinates));
    out->set_nearest(static_cast<proto::Nearest>(op.nearest));
    out->set_height(op.height);
    out->set_width(op.width);
    out->set_scale_h(op.scale_h);
    out->set_scale_w(op.scale_w);
  }
  void operator()(const Reduce& op) const {
    proto::Reduce* out = node->mutable_reduce();
    out->set_kind(static_cast<proto::ReduceKind>(op.kind));
    Assign(out->mutable_axes(), op.axes);
  }
  void operator()(const Lrn& op) const {
    proto::Lrn* out = node->mutable_lrn();
    Assign(out->mutable_axes(), op.axes);
    out->set_size(op.size);
    out->set_alpha(op.alpha);
    out->set_beta(op.beta);
    out->set_bias(op.bias);
  }
  void operator()(const NormalizeL2& op) const {
    proto::NormalizeL2* out = node->mutable_normalize_l2();
    Assign(out->mutable_axes(), op.axes);
    out->set_eps(op.eps);
    out->set_eps_mode(static_cast<proto::EpsMode>(op.eps_mode));
  }
  void operator()(const DetectionOutput& op) const {
    proto::DetectionOutput* out = node->mutable_detection_output();
    out->set_classes(op.classes);
    if (op.background != kNone) out->set_background(op.background);
    out->set_top_k(op.top_k);
    out->set_keep_top_k(op.keep_top_k);
    out->set_code(static_cast<proto::BoxCode>(op.code));
    out->set_share_location(op.share_location);
    out->set_best_class(op.best_class);
    out->set_clip_before(op.clip_before);
    out->set_clip_after(op.clip_after);
    out->set_score_threshold(op.score_threshold);
    out->set_overlap_threshold(op.overlap_threshold);
    if (op.priors != kNone) out->set_priors(op.priors);
  }
};

void Fill(const InputDef& input, proto::Input* out) {
  if (input.tensor != kNone) out->set_tensor(input.tensor);
  out->set_layout(static_cast<proto::ImageLayout>(input.layout));
  const Preprocessing& preprocessing = input.preprocessing;
  if (preprocessing.mean.empty() && preprocessing.scale.empty()) return;
  out->mutable_preprocessing()->mutable_mean()->Assign(preprocessing.mean.begin(), preprocessing.mean.end());
  out->mutable_preprocessing()->mutable_scale()->Assign(preprocessing.scale.begin(), preprocessing.scale.end());
}

}  // namespace

proto::Model ToProto(const ModelDef& model) {
  proto::Model out;
  out.set_producer(model.producer);
  out.set_source(model.source);
  out.set_source_batch(model.source_batch);
  for (const TensorDef& tensor : model.tensors) {
    proto::Tensor* to = out.add_tensors();
    to->set_name(tensor.name);
    to->set_type(static_cast<proto::ElementType>(tensor.type));
    Assign(to->mutable_dims(), tensor.dims);
  }
  for (const Blob& blob : model.blobs) {
    proto::Blob* to = out.add_blobs();
    to->set_type(static_cast<proto::ElementType>(blob.type));
    Assign(to->mutable_dims(), blob.dims);
    to->set_data_bytes(static_cast<int64_t>(blob.data.size()));
  }
  for (const NodeDef& node : model.nodes) {
    proto::Node* to = out.add_nodes();
    to->set_name(node.name);
    to->mutable_inputs()->Assign(node.inputs.begin(), node.inputs.end());
    if (node.output != kNone) to->set_output(node.output);
    std::visit(OpWriter{to}, node.op);
  }
  for (const InputDef& input : model.inputs) Fill(input, out.add_inputs());
  out.mutable_outputs()->Assign(model.outputs.begin(), model.outputs.end());
  return out;
}

}  // namespace bnn::formats
