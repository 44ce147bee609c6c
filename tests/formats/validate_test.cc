// Each rule of a model: one way to break it, and what the message must say.
#include "formats/validate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "formats/text.h"
#include "tests/formats/model_builder.h"
#include "tests/formats/validate_check.h"

namespace bnn::formats {
namespace {

TEST_CASE("sound models are accepted") {
  CHECK(Validate(EveryOpModel(), "m").ok());
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Status status = Validate(RandomModel(seed), "m");
    CAPTURE(seed);
    CAPTURE(status.message());
    CHECK(status.ok());
  }
}

TEST_CASE("names and header") {
  CheckAll({
      {"tensors[2].name: found an empty name", [](ModelDef& m) { m.tensors[2].name.clear(); }},
      {"tensors[4].name: found 'image' a second time", [](ModelDef& m) { m.tensors[4].name = "image"; }},
      {"tensors[4].name: found control characters", [](ModelDef& m) { m.tensors[4].name = "a\nb"; }},
      {"tensors[4].name: found control characters or broken UTF-8", [](ModelDef& m) { m.tensors[4].name = "\xC3"; }},
      {"tensors[4].name: found 1025 bytes", [](ModelDef& m) { m.tensors[4].name.assign(1025, 'x'); }},
      {"nodes[3].name: found an empty name", [](ModelDef& m) { m.nodes[3].name.clear(); }},
      {"nodes[3].name: found control", [](ModelDef& m) { m.nodes[3].name = std::string("a\0b", 3); }},
      {"producer: found control", [](ModelDef& m) { m.producer = "\x1B[31m"; }},
      {"source: found control", [](ModelDef& m) { m.source = "\x7F"; }},
      {"source_batch: found -1", [](ModelDef& m) { m.source_batch = -1; }},
      {"source_batch: found 16777217", [](ModelDef& m) { m.source_batch = kMaxDim + 1; }},
      {"tensors: found 131073", [](ModelDef& m) { m.tensors.resize(kMaxTensors + 1); }},
      {"nodes: found 65537", [](ModelDef& m) { m.nodes.resize(kMaxNodes + 1); }},
      {"blobs: found 131073", [](ModelDef& m) { m.blobs.resize(kMaxBlobs + 1); }},
  });
}

TEST_CASE("UTF-8") {
  for (const char* good : {"", "plain", "r\xC3\xA9seau", "\xE7\xBD\x91", "\xF0\x9F\x90\xA6"}) {
    CAPTURE(good);
    CHECK(IsPrintableUtf8(good));
  }
  // Stray continuation, cut, overlong, surrogate, above U+10FFFF, a lead byte that does not exist, a C1 control.
  for (const char* bad : {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xFF", "\xC2\x85", "\t"}) {
    CAPTURE(bad);
    CHECK_FALSE(IsPrintableUtf8(bad));
  }
}

TEST_CASE("tensors and blobs") {
  CheckAll({
      {"type: found value 9", [](ModelDef& m) { m.tensors[0].type = static_cast<ElementType>(9); }},
      {"tensor 'image', dims: found [3,0,8]",
       [](ModelDef& m) {
         m.tensors[0].dims = {3, 0, 8};
       }},
      {"dims: found [3,-8,8]",
       [](ModelDef& m) {
         m.tensors[0].dims = {3, -8, 8};
       }},
      {"dims: found [16777217]", [](ModelDef& m) { m.tensors[0].dims = {kMaxDim + 1}; }},
      {"expected at most 1073741824 elements",
       [](ModelDef& m) {
         m.tensors[0].dims = {1 << 16, 1 << 14, 2};
       }},
      {"expected at most 6 axes", [](ModelDef& m) { m.tensors[0].dims.assign(7, 1); }},
      {"at most 6 axes", [](ModelDef& m) { m.tensors[0].dims.assign(1000000, 1); }},
      {"blobs[0].type: found value 0", [](ModelDef& m) { m.blobs[0].type = static_cast<ElementType>(0); }},
      {"blobs[0].dims: found [6,0,3,1]", [](ModelDef& m) { m.blobs[0].dims[1] = 0; }},
      {"blobs[0].dims: found [16777216,16777216]",
       [](ModelDef& m) {
         m.blobs[0].dims = {kMaxDim, kMaxDim};
       }},
      {"blobs[0].data: found 212 bytes, expected 216 for float32 [6,3,3,1]",
       [](ModelDef& m) { m.blobs[0].data.resize(212); }},
      {"row 3 has spare bits that are 1",
       [](ModelDef& m) {
         Blob& weights = BlobAt(m, OpOf<BConv2d>(m).weights);  // rows of 27 bits
         weights.data[3 * 4 + 3] |= std::byte{0x08};
       }},
  });
}

TEST_CASE("inputs and outputs") {
  CheckAll({
      {"inputs: found 0", [](ModelDef& m) { m.inputs.clear(); }},
      {"inputs[0].tensor: found tensor 99999", [](ModelDef& m) { m.inputs[0].tensor = 99999; }},
      {"inputs[0].tensor: found tensor -2", [](ModelDef& m) { m.inputs[0].tensor = -2; }},
      {"inputs[1].tensor: found 'image', which something else", [](ModelDef& m) { m.inputs[1].tensor = 0; }},
      {"inputs[2]: found bits 'vector'", [](ModelDef& m) { m.tensors[2].type = ElementType::kBits; }},
      {"inputs[0].layout: found dims [192]", [](ModelDef& m) { m.tensors[0].dims = {192}; }},
      {"inputs[0].layout: found value 3", [](ModelDef& m) { m.inputs[0].layout = static_cast<ImageLayout>(3); }},
      {"inputs[0].preprocessing.mean: found 2 values, expected none, 1 or 3",
       [](ModelDef& m) {
         m.inputs[0].preprocessing.mean = {1, 2};
       }},
      {"inputs[2].preprocessing.scale: found 5 values",
       [](ModelDef& m) {
         m.inputs[2].preprocessing.scale = {1, 2, 3, 4, 5};
       }},
      {"inputs[0].preprocessing.scale: found", [](ModelDef& m) { m.inputs[0].preprocessing.scale = {kInfinity}; }},
      {"outputs: found 0", [](ModelDef& m) { m.outputs.clear(); }},
      {"outputs[1]: found tensor 5000", [](ModelDef& m) { m.outputs[1] = 5000; }},
      {"outputs[1]: found 'AvgPool", [](ModelDef& m) { m.outputs[1] = m.outputs[0]; }},
      {"outputs[0]: found bits 'Binarize", [](ModelDef& m) { m.outputs[0] = NodeOf<Binarize>(m).output; }},
  });
}

TEST_CASE("order: each tensor is given once, before it is read") {
  CheckAll({
      {"which nothing before this node gives", [](ModelDef& m) { std::swap(m.nodes[1], m.nodes[2]); }},
      {"'Transpose0' (Transpose), inputs[0]: found 'Transpose0:0', which nothing before",
       [](ModelDef& m) { m.nodes[0].inputs[0] = m.nodes[0].output; }},
      {"output: found 'Transpose0:0', which something else already gives",
       [](ModelDef& m) { m.nodes[1].output = m.nodes[0].output; }},
      {"output: found 'image', which something else", [](ModelDef& m) { m.nodes[0].output = 0; }},
      {"output: found no tensor", [](ModelDef& m) { m.nodes[0].output = kNone; }},
      {"inputs[0]: found tensor 7777", [](ModelDef& m) { m.nodes[0].inputs[0] = 7777; }},
      {"inputs: found 2, expected 1", [](ModelDef& m) { m.nodes[0].inputs.push_back(0); }},
      {"(Transpose), inputs: found 0", [](ModelDef& m) { m.nodes[0].inputs.clear(); }},
      {"(Reshape), inputs: found 0", [](ModelDef& m) { NodeOf<Reshape>(m).inputs.clear(); }},
      {"(Concat), inputs: found 0", [](ModelDef& m) { NodeOf<Concat>(m).inputs.clear(); }},
      {"inputs: found 1, expected 2", [](ModelDef& m) { NodeOf<Binary>(m).inputs.resize(1); }},
      {"tensor 'unused': found no node or input that gives it",
       [](ModelDef& m) {
         m.tensors.push_back({"unused", ElementType::kFloat32, {1}});
       }},
      {"output: found dims [8,8,4], expected [8,8,3]",
       [](ModelDef& m) {
         OutputOf(m, m.nodes[0]).dims = {8, 8, 4};
       }},
      {"output: found float32 [8,8,6], expected bits",
       [](ModelDef& m) { OutputOf(m, NodeOf<Binarize>(m)).type = ElementType::kFloat32; }},
      {"inputs[0]: found float32, expected bits",
       [](ModelDef& m) { NodeOf<BMaxPool>(m).inputs = NodeOf<Binarize>(m).inputs; }},
      {"inputs[1]: found bits, expected float32",
       [](ModelDef& m) { NodeOf<Concat>(m).inputs[1] = NodeOf<BMaxPool>(m).output; }},
  });
}

TEST_CASE("an input and an output may share a name, nothing else may") {
  ModelBuilder b(1);
  const int in = b.Input("x", {4});
  b.Output(b.AddReshape(in, {4}));
  b.Output(b.Add(Unary{UnaryKind::kAbs}, {in}));
  ModelDef model = b.model();
  model.tensors[1].name = "x";
  CHECK(Validate(model, "m").ok());
  model.tensors[2].name = "x";
  CHECK(Validate(model, "m").message().starts_with("m: tensors[2].name: found 'x' a second time"));
}

TEST_CASE("windows") {
  const auto conv = [](auto change) { return [=](ModelDef& m) { change(OpOf<Conv2d>(m).window); }; };
  const auto pool = [](auto change) { return [=](ModelDef& m) { change(OpOf<MaxPool>(m).window); }; };
  CheckAll({
      {"(Conv2d), window.kernel_h: found 0, expected 1 to 65536", conv([](Window2d& w) { w.kernel_h = 0; })},
      {"window.kernel_w: found 65537", conv([](Window2d& w) { w.kernel_w = kMaxWindow + 1; })},
      {"window.stride_h: found -1", conv([](Window2d& w) { w.stride_h = -1; })},
      {"window.stride_w: found 9223372036854775807", conv([](Window2d& w) { w.stride_w = INT64_MAX; })},
      {"window.dilation_h: found 0", conv([](Window2d& w) { w.dilation_h = 0; })},
      {"window.dilation_w: found 65537", conv([](Window2d& w) { w.dilation_w = kMaxWindow + 1; })},
      {"window.pads_h: found -1", conv([](Window2d& w) { w.pad_bottom = -1; })},
      {"window.pads_w: found 65537", conv([](Window2d& w) { w.pad_left = kMaxWindow + 1; })},
      {"found a reach of 21, expected at most the padded input's 10", conv([](Window2d& w) { w.dilation_w = 10; })},
      {"has too many elements", conv([](Window2d& w) { w.pad_left = w.pad_top = kMaxWindow; })},
      {"expected [out channels] followed by [5,3,1]", conv([](Window2d& w) { w.kernel_h = 5; })},
      {"(MaxPool), window.pads_h: window 0 holds only padding", pool([](Window2d& w) { w.pad_top = 2; })},
      {"(MaxPool), window.pads_h: window 2 holds only padding", pool([](Window2d& w) { w.pad_bottom = 2; })},
      {"(AvgPool), window.pads_w: window 0",
       [](ModelDef& m) {
         OpOf<AvgPool>(m).count_include_pad = false;
         OpOf<AvgPool>(m).window.pad_left = 5;
       }},
      {"(BMaxPool), window.pads_h: window 4", [](ModelDef& m) { OpOf<BMaxPool>(m).window.pad_bottom = 2; }},
  });
}

TEST_CASE("operators of version 1.2") {
  CheckAll({
      {"levels: found 1, expected 2 to 16777216", [](ModelDef& m) { OpOf<FakeQuantize>(m).levels = 1; }},
      {"levels: found 16777217", [](ModelDef& m) { OpOf<FakeQuantize>(m).levels = kMaxLevels + 1; }},
      {"input_low: found blob none", [](ModelDef& m) { OpOf<FakeQuantize>(m).input_low = kNone; }},
      {"input_high: found blob 100000", [](ModelDef& m) { OpOf<FakeQuantize>(m).input_high = 100000; }},
      {"output_low: found inf", [](ModelDef& m) { SetFloat(m, OpOf<FakeQuantize>(m).output_low, HUGE_VALF); }},
      {"output_high: found nan", [](ModelDef& m) { SetFloat(m, OpOf<FakeQuantize>(m).output_high, kNan); }},
      {"groups: found 0", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).groups = 0; }},
      {"weights: found dims", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).groups = 1; }},
      {"output_pad_h: found 2, expected 0 to 1", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).output_pad_h = 2; }},
      {"output_pad_w: found -1, expected 0 to 0", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).output_pad_w = -1; }},
      {"window.stride_h: found 0", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).window.stride_h = 0; }},
      {"window.kernel_w: found 9000000000000000000",
       [](ModelDef& m) { OpOf<ConvTranspose2d>(m).window.kernel_w = 9000000000000000000; }},
      {"window.pads_h: found 101, expected less than",
       [](ModelDef& m) { OpOf<ConvTranspose2d>(m).window.pad_top = 101; }},
      {"window.whole_map: found true", [](ModelDef& m) { OpOf<ConvTranspose2d>(m).window.whole_map = true; }},
      {"bias: found nan", [](ModelDef& m) { SetFloat(m, OpOf<ConvTranspose2d>(m).bias, kNan); }},
      {"kind: found value 3", [](ModelDef& m) { OpOf<Resize2d>(m).kind = static_cast<ResizeKind>(3); }},
      {"coordinates: found value 0", [](ModelDef& m) { OpOf<Resize2d>(m).coordinates = static_cast<Coordinates>(0); }},
      {"nearest: found value 5", [](ModelDef& m) { OpOf<Resize2d>(m).nearest = static_cast<Nearest>(5); }},
      {"height: found a size and scale_h", [](ModelDef& m) { OpOf<Resize2d>(m).height = 2; }},
      {"scale_h: found nan", [](ModelDef& m) { OpOf<Resize2d>(m).scale_h = kNan; }},
      {"scale_h: found 0.0", [](ModelDef& m) { OpOf<Resize2d>(m).scale_h = 0.01f; }},
      {"scale_h: found -1", [](ModelDef& m) { OpOf<Resize2d>(m).scale_h = -1; }},
      {"scale_h: found 1000000015", [](ModelDef& m) { OpOf<Resize2d>(m).scale_h = 1e30f; }},
      {"output: found dims", [](ModelDef& m) { OpOf<Resize2d>(m).width = -3; }},
      {"output: found dims", [](ModelDef& m) { OpOf<Resize2d>(m).width = INT64_MAX; }},
      {"kind: found value 0", [](ModelDef& m) { OpOf<Reduce>(m).kind = static_cast<ReduceKind>(0); }},
      {"axes: found none", [](ModelDef& m) { OpOf<Reduce>(m).axes.clear(); }},
      {"axes[1]: found 3, expected 1 to 2",
       [](ModelDef& m) {
         OpOf<Reduce>(m).axes = {0, 3};
       }},
      {"axes[1]: found 2, expected 3 to 2",
       [](ModelDef& m) {
         OpOf<Reduce>(m).axes = {2, 2};
       }},
      {"axes[0]: found -1", [](ModelDef& m) { OpOf<Lrn>(m).axes = {-1}; }},
      {"size: found 0", [](ModelDef& m) { OpOf<Lrn>(m).size = 0; }},
      {"size: found 65537", [](ModelDef& m) { OpOf<Lrn>(m).size = kMaxWindow + 1; }},
      {"alpha: found nan", [](ModelDef& m) { OpOf<Lrn>(m).alpha = kNan; }},
      {"beta: found inf", [](ModelDef& m) { OpOf<Lrn>(m).beta = HUGE_VALF; }},
      {"bias: found -inf", [](ModelDef& m) { OpOf<Lrn>(m).bias = -HUGE_VALF; }},
      {"eps: found -1", [](ModelDef& m) { OpOf<NormalizeL2>(m).eps = -1; }},
      {"eps: found nan", [](ModelDef& m) { OpOf<NormalizeL2>(m).eps = kNan; }},
      {"eps_mode: found value 3", [](ModelDef& m) { OpOf<NormalizeL2>(m).eps_mode = static_cast<EpsMode>(3); }},
      {"axes[0]: found 3", [](ModelDef& m) { OpOf<NormalizeL2>(m).axes = {3}; }},
  });
}

TEST_CASE("operators of version 1.3") {
  CheckAll({
      {"classes: found 0, expected 1 to", [](ModelDef& m) { OpOf<DetectionOutput>(m).classes = 0; }},
      {"classes: found 9223372036854775807", [](ModelDef& m) { OpOf<DetectionOutput>(m).classes = INT64_MAX; }},
      {"inputs[1]: found dims", [](ModelDef& m) { OpOf<DetectionOutput>(m).classes = kMaxDim; }},
      {"background: found 3, expected -1 to 2", [](ModelDef& m) { OpOf<DetectionOutput>(m).background = 3; }},
      {"background: found -2", [](ModelDef& m) { OpOf<DetectionOutput>(m).background = -2; }},
      {"top_k: found -1", [](ModelDef& m) { OpOf<DetectionOutput>(m).top_k = -1; }},
      {"keep_top_k: found 16777217", [](ModelDef& m) { OpOf<DetectionOutput>(m).keep_top_k = kMaxDim + 1; }},
      {"output", [](ModelDef& m) { OpOf<DetectionOutput>(m).keep_top_k = 6; }},
      {"output: found dims",
       [](ModelDef& m) {
         OpOf<DetectionOutput>(m).keep_top_k = 0;
         OpOf<DetectionOutput>(m).top_k = kMaxDim;
       }},
      {"code: found value 0", [](ModelDef& m) { OpOf<DetectionOutput>(m).code = static_cast<BoxCode>(0); }},
      {"inputs[0]: found dims", [](ModelDef& m) { OpOf<DetectionOutput>(m).share_location = false; }},
      {"score_threshold: found nan", [](ModelDef& m) { OpOf<DetectionOutput>(m).score_threshold = kNan; }},
      {"overlap_threshold: found inf", [](ModelDef& m) { OpOf<DetectionOutput>(m).overlap_threshold = HUGE_VALF; }},
      {"priors: found blob none", [](ModelDef& m) { OpOf<DetectionOutput>(m).priors = kNone; }},
      {"priors: found dims", [](ModelDef& m) { OpOf<DetectionOutput>(m).priors = OpOf<Conv2d>(m).weights; }},
      {"priors: found inf", [](ModelDef& m) { SetFloat(m, OpOf<DetectionOutput>(m).priors, HUGE_VALF); }},
  });
}

TEST_CASE("operators: parameters, types and dims of their constants") {
  CheckAll({
      {"groups: found 0", [](ModelDef& m) { OpOf<Conv2d>(m).groups = 0; }},
      {"groups: found 2, expected a divisor of the 3 input", [](ModelDef& m) { OpOf<Conv2d>(m).groups = 2; }},
      {"(BConv2d), groups: found 3, expected a divisor of the 4 output",
       [](ModelDef& m) {
         m.blobs.push_back({ElementType::kBits, {4, 3, 3, 2}, std::vector<std::byte>(16)});
         OpOf<BConv2d>(m).weights = static_cast<int>(m.blobs.size()) - 1;
         OpOf<BConv2d>(m).groups = 3;
       }},
      {"weights: found blob none", [](ModelDef& m) { OpOf<BConv2d>(m).weights = kNone; }},
      {"weights: found blob 5555", [](ModelDef& m) { OpOf<BConv2d>(m).weights = 5555; }},
      {"(BConv2d), weights: found float32", [](ModelDef& m) { OpOf<BConv2d>(m).weights = 0; }},
      {"(Conv2d), weights: found bits", [](ModelDef& m) { OpOf<Conv2d>(m).weights = OpOf<BConv2d>(m).weights; }},
      {"pad_value: found value 4", [](ModelDef& m) { OpOf<BConv2d>(m).pad_value = static_cast<PadValue>(4); }},
      {"bias: found dims [6,3,3,1], expected [6]", [](ModelDef& m) { OpOf<Conv2d>(m).bias = 0; }},
      {"(BDense), weights: found dims [4,3,3,3]",
       [](ModelDef& m) { OpOf<BDense>(m).weights = OpOf<BConv2d>(m).weights; }},
      {"(Dense), weights: found dims [6,3,3,1]", [](ModelDef& m) { OpOf<Dense>(m).weights = 0; }},
      {"(Dense), bias: found dims [6,3,3,1], expected [40]", [](ModelDef& m) { OpOf<Dense>(m).bias = 0; }},
      {"thresholds: found dims [12], expected [1] or [6]",
       [](ModelDef& m) { OpOf<Binarize>(m).thresholds = OpOf<PRelu>(m).slope; }},
      {"low: found blob none", [](ModelDef& m) { OpOf<Unpack>(m).low = kNone; }},
      {"high: found dims [12]", [](ModelDef& m) { OpOf<Unpack>(m).high = OpOf<PRelu>(m).slope; }},
      {"scale: found dims [12]", [](ModelDef& m) { OpOf<Affine>(m).scale = OpOf<PRelu>(m).slope; }},
      {"(Affine), bias: found blob none", [](ModelDef& m) { OpOf<Affine>(m).bias = kNone; }},
      {"slope: found dims [6,3,3,1]", [](ModelDef& m) { OpOf<PRelu>(m).slope = 0; }},
      {"kind: found value 20", [](ModelDef& m) { OpOf<Unary>(m).kind = static_cast<UnaryKind>(20); }},
      {"kind: found value 0", [](ModelDef& m) { OpOf<Binary>(m).kind = static_cast<BinaryKind>(0); }},
      {"constant_first: found true without a constant", [](ModelDef& m) { OpOf<Binary>(m).constant_first = true; }},
      {"expected dims that broadcast", [](ModelDef& m) { NodeOf<Binary>(m).inputs[1] = 2; }},
      {"(Concat), axis: found 3", [](ModelDef& m) { OpOf<Concat>(m).axis = 3; }},
      {"(Concat), axis: found -1", [](ModelDef& m) { OpOf<Concat>(m).axis = -1; }},
      {"(Concat), inputs[1]: found dims [5], expected [4,4,4] except for axis 2",
       [](ModelDef& m) { NodeOf<Concat>(m).inputs[1] = 2; }},
      {"axis: found 1, expected an axis of [5]", [](ModelDef& m) { OpOf<Softmax>(m).axis = 1; }},
  });
}

TEST_CASE("operators that move data") {
  CheckAll({
      {"perm: found [0,0,1], expected each axis once",
       [](ModelDef& m) {
         OpOf<Transpose>(m).perm = {0, 0, 1};
       }},
      {"perm: found [0,1,3]",
       [](ModelDef& m) {
         OpOf<Transpose>(m).perm = {0, 1, 3};
       }},
      {"perm: found 2 values",
       [](ModelDef& m) {
         OpOf<Transpose>(m).perm = {1, 0};
       }},
      {"begin: found 4 values, expected one for each of 3", [](ModelDef& m) { OpOf<Slice>(m).begin.push_back(0); }},
      {"end[1]: found 5, expected 0 to 3", [](ModelDef& m) { OpOf<Slice>(m).end[1] = 5; }},
      {"begin[1]: found 3, expected 0 to 2", [](ModelDef& m) { OpOf<Slice>(m).begin[1] = 3; }},
      {"begin[0]: found -1", [](ModelDef& m) { OpOf<Slice>(m).begin[0] = -1; }},
      {"step[2]: found 0", [](ModelDef& m) { OpOf<Slice>(m).step[2] = 0; }},
      {"step[2]: found 9223372036854775807", [](ModelDef& m) { OpOf<Slice>(m).step[2] = INT64_MAX; }},
      {"before[0]: found -1", [](ModelDef& m) { OpOf<Pad>(m).before[0] = -1; }},
      {"after[0]: found 16777217", [](ModelDef& m) { OpOf<Pad>(m).after[0] = kMaxDim + 1; }},
      {"after: found 0 values", [](ModelDef& m) { OpOf<Pad>(m).after.clear(); }},
      {"before[0]: found 2, expected 0 to 1",
       [](ModelDef& m) {
         OpOf<Pad>(m).mode = PadMode::kReflect;
         OpOf<Pad>(m).before[0] = 2;
       }},
      {"mode: found value 0", [](ModelDef& m) { OpOf<Pad>(m).mode = static_cast<PadMode>(0); }},
      {"output: found dims [1,1,41], expected as many elements as [40]",
       [](ModelDef& m) {
         OutputOf(m, NodeOf<Reshape>(m)).dims = {1, 1, 41};
       }},
      {"output: found bits [1,40,1], expected the last axis of [40]",
       [](ModelDef& m) {
         OutputOf(m, NodeOf<Reshape>(m)).dims = {1, 40, 1};
       }},
  });
}

TEST_CASE("values: what must be finite is, what must be a number is") {
  CheckAll({
      {"(Binarize), thresholds: found", [](ModelDef& m) { SetFloat(m, OpOf<Binarize>(m).thresholds, kNan); }},
      {"(Conv2d), weights: found inf at element 0, expected a finite number",
       [](ModelDef& m) { SetFloat(m, OpOf<Conv2d>(m).weights, kInfinity); }},
      {"(Conv2d), bias: found", [](ModelDef& m) { SetFloat(m, OpOf<Conv2d>(m).bias, kNan); }},
      {"(Dense), weights: found", [](ModelDef& m) { SetFloat(m, OpOf<Dense>(m).weights, kNan); }},
      {"(Dense), bias: found", [](ModelDef& m) { SetFloat(m, OpOf<Dense>(m).bias, kNan); }},
      {"(Affine), scale: found", [](ModelDef& m) { SetFloat(m, OpOf<Affine>(m).scale, -kInfinity); }},
      {"(Affine), bias: found", [](ModelDef& m) { SetFloat(m, OpOf<Affine>(m).bias, kNan); }},
      {"(PRelu), slope: found", [](ModelDef& m) { SetFloat(m, OpOf<PRelu>(m).slope, kInfinity); }},
      {"(Unpack), low: found", [](ModelDef& m) { SetFloat(m, OpOf<Unpack>(m).low, kNan); }},
      {"(Unpack), high: found", [](ModelDef& m) { SetFloat(m, OpOf<Unpack>(m).high, kNan); }},
      {"(Clamp), low: found", [](ModelDef& m) { OpOf<Clamp>(m).low = kNan; }},
      {"(Clamp), high: found", [](ModelDef& m) { OpOf<Clamp>(m).high = kNan; }},
      {"expected at most high = 6.5", [](ModelDef& m) { OpOf<Clamp>(m).low = 7; }},
      {"(Unary), alpha: found", [](ModelDef& m) { OpOf<Unary>(m).alpha = kInfinity; }},
      {"(Unary), beta: found", [](ModelDef& m) { OpOf<Unary>(m).beta = kNan; }},
      {"(Pad), value: found", [](ModelDef& m) { OpOf<Pad>(m).value = kNan; }},
  });
}

TEST_CASE("constants of Binary: infinities only where they are limits that do not limit") {
  for (int kind = 1; kind <= static_cast<int>(BinaryKind::kMin); ++kind) {
    for (const float value : {kInfinity, kNan}) {
      ModelBuilder b(1);
      const int x = b.Input("x", {3});
      b.Output(b.Add(Binary{static_cast<BinaryKind>(kind), b.Floats({1}, {value})}, {x}));
      const bool is_limit = kind >= static_cast<int>(BinaryKind::kMax);
      CAPTURE(kind);
      CHECK(Validate(b.model(), "m").ok() == (is_limit && std::isinf(value)));
    }
  }
}

}  // namespace
}  // namespace bnn::formats
