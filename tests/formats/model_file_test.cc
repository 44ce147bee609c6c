// Reader and writer in memory: what goes in comes out, and nothing else is accepted.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "formats/bnn_model.pb.h"
#include "formats/validate.h"
#include "formats/writer.h"
#include "tests/formats/model_bytes.h"
#include "tests/formats/model_fixtures.h"
#include "tests/test_support.h"

namespace bnn::formats {
namespace {

std::string Serialized(const ModelDef& model) {
  const Result<std::string> bytes = SerializeModel(model);
  INFO(bytes.status().message());
  REQUIRE(bytes.ok());
  return *bytes;
}

const std::string& EveryOpFile() {
  static const std::string file = Serialized(EveryOpModel());
  return file;
}

// The file of EveryOpModel with a changed structure section.
std::string Edited(const std::function<void(proto::Model&)>& edit, uint16_t minor = kFormatMinor) {
  const Sections sections = Split(EveryOpFile());
  proto::Model message;
  REQUIRE(message.ParseFromString(sections.structure));
  edit(message);
  return Seal(message.SerializeAsString(), sections.data, minor);
}

void CheckRefused(const std::string& file, StatusCode code, const std::string& fragment) {
  const Result<ModelDef> model = Parse(file);
  REQUIRE_FALSE(model.ok());
  CAPTURE(model.status().message());
  CHECK(model.status().code() == code);
  CHECK(model.status().message().starts_with("test.bnn: "));
  CHECK(model.status().message().find(fragment) != std::string::npos);
}

TEST_CASE("a model with every operator comes back equal") {
  const ModelDef model = EveryOpModel();
  std::vector<bool> seen(std::variant_size_v<Op>, false);
  for (const NodeDef& node : model.nodes) seen[node.op.index()] = true;
  for (size_t i = 0; i < seen.size(); ++i) {
    CAPTURE(i);
    CHECK(seen[i]);
  }
  const Result<ModelDef> read = Parse(Serialized(model));
  INFO(read.status().message());
  REQUIRE(read.ok());
  CHECK(*read == model);
}

TEST_CASE("random models come back equal, and equal models give equal bytes") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const ModelDef model = RandomModel(seed);
    const std::string file = Serialized(model);
    const Result<ModelDef> read = Parse(file);
    REQUIRE(read.ok());
    CHECK(*read == model);
    CHECK(Serialized(*read) == file);
  }
}

TEST_CASE("a file that is cut at any byte is refused") {
  for (size_t size = 0; size < EveryOpFile().size(); ++size) {
    CAPTURE(size);
    CheckRefused(EveryOpFile().substr(0, size), StatusCode::kInvalidModel, "truncated");
  }
}

// The time goes with the square of the size, since each flip has the checksum of its section computed. Emulators flip
// all bits of the preamble, whose fields say where everything is, and from there on one of each byte, in turn.
TEST_CASE("a file with any bit flipped is refused") {
  if (test::kIsEmulated) test::Skip("emulated: behind the preamble, one bit of each byte is flipped, not eight");
  std::string file = EveryOpFile();
  for (size_t at = 0; at < file.size(); ++at) {
    const size_t step = test::kIsEmulated && at >= static_cast<size_t>(kPreambleBytes) ? 8 : 1;
    for (size_t bit = at % step; bit < 8; bit += step) {
      file[at] = static_cast<char>(file[at] ^ (1 << bit));
      const Result<ModelDef> model = Parse(file);
      file[at] = static_cast<char>(file[at] ^ (1 << bit));
      CAPTURE(at);
      CAPTURE(bit);
      REQUIRE_FALSE(model.ok());
      REQUIRE(model.status().code() == StatusCode::kInvalidModel);
    }
  }
}

TEST_CASE("what is around and between the sections is checked") {
  const Sections sections = Split(EveryOpFile());
  const auto refused = [](const std::string& file, const char* text) {
    CheckRefused(file, StatusCode::kInvalidModel, text);
  };
  refused(EveryOpFile() + '\0', "bytes after the end");
  refused("", "truncated");
  refused("PK\3\4 and so on", "not a .bnn file");
  refused(Seal(sections.structure, sections.data + std::string(4, '\0')), "blob section: found");
  refused(Seal(sections.structure, sections.data.substr(4)), "blob section: found");
  refused(Seal("", ""), "tensors: found 0");
  refused(Seal("\x0A", ""), "not a protobuf message");
  refused(Seal("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", ""), "not a protobuf message");

  Preamble wrong;
  wrong.structure_bytes = static_cast<int64_t>(sections.structure.size());
  wrong.data_bytes = static_cast<int64_t>(sections.data.size());
  wrong.data_crc = Crc32c(AsBytes(sections.data));
  wrong.structure_crc = Crc32c(AsBytes(sections.structure)) ^ 1;
  refused(WithPreamble(wrong, sections.structure, sections.data), "structure: its checksum");
  wrong.structure_crc ^= 1;
  wrong.data_crc ^= 0x80000000u;
  refused(WithPreamble(wrong, sections.structure, sections.data), "blob section: its checksum");
  wrong.structure_bytes = kMaxStructureBytes + 1;
  refused(WithPreamble(wrong, sections.structure, sections.data), "structure_bytes: found 67108865");
  wrong.structure_bytes = 10;
  wrong.data_bytes = -1;  // 2^64 - 1 in the file
  refused(WithPreamble(wrong, sections.structure, sections.data), "data_bytes: found 18446744073709551615");
}

TEST_CASE("versions: a newer minor loads, a newer major is named") {
  const Sections sections = Split(EveryOpFile());
  CHECK(Parse(Seal(sections.structure, sections.data, 9)).ok());
  Preamble preamble;
  preamble.major = 2;
  preamble.minor = 3;
  CheckRefused(WithPreamble(preamble, "", ""), StatusCode::kUnsupported,
               "format version 2.3 is newer than this bnn, which reads versions up to 1.x");
  preamble.major = 0;
  CheckRefused(WithPreamble(preamble, "", ""), StatusCode::kInvalidModel, "found major 0");
}

// Wire bytes of field `number` as a varint of value 1.
std::string VarintField(int number) {
  const int tag = number << 3;
  std::string bytes;
  if (tag < 0x80) {
    bytes = {static_cast<char>(tag)};
  } else if (tag < 0x4000) {
    bytes = {static_cast<char>(0x80 | (tag & 0x7F)), static_cast<char>(tag >> 7)};
  } else {
    bytes = {static_cast<char>(0x80 | (tag & 0x7F)), static_cast<char>(0x80 | ((tag >> 7) & 0x7F)),
             static_cast<char>(tag >> 14)};
  }
  return bytes + '\1';
}

// Each message of the format: its path as in messages, and its unknown fields.
struct Place {
  std::string path;
  std::function<std::string*(proto::Model&)> unknown;
};

std::vector<Place> Places() {
  std::vector<Place> places = {
      {"model: ", [](proto::Model& m) { return m.mutable_unknown_fields(); }},
      {"tensors[1]: ", [](proto::Model& m) { return m.mutable_tensors(1)->mutable_unknown_fields(); }},
      {"blobs[2]: ", [](proto::Model& m) { return m.mutable_blobs(2)->mutable_unknown_fields(); }},
      {"nodes[3]: ", [](proto::Model& m) { return m.mutable_nodes(3)->mutable_unknown_fields(); }},
      {"inputs[0]: ", [](proto::Model& m) { return m.mutable_inputs(0)->mutable_unknown_fields(); }},
      {"inputs[0].preprocessing: ",
       [](proto::Model& m) { return m.mutable_inputs(0)->mutable_preprocessing()->mutable_unknown_fields(); }},
      {"nodes[1].conv2d.window: ",
       [](proto::Model& m) {
         return m.mutable_nodes(1)->mutable_conv2d()->mutable_window()->mutable_unknown_fields();
       }},
  };
  // The operators, by the first node of each in EveryOpModel.
  const ModelDef model = EveryOpModel();
  const auto add = [&](const char* op, const char* field, std::function<std::string*(proto::Node*)> unknown) {
    for (size_t i = 0; i < model.nodes.size(); ++i) {
      if (std::string(OpName(model.nodes[i].op)) != op) continue;
      places.push_back({"nodes[" + std::to_string(i) + "]." + field + ": ",
                        [=](proto::Model& m) { return unknown(m.mutable_nodes(static_cast<int>(i))); }});
      return;
    }
  };
#define BNN_PLACE(Op, field) \
  add(#Op, #field, [](proto::Node* n) { return n->mutable_##field()->mutable_unknown_fields(); })
  BNN_PLACE(BConv2d, bconv2d);
  BNN_PLACE(BDense, bdense);
  BNN_PLACE(BMaxPool, bmaxpool);
  BNN_PLACE(Binarize, binarize);
  BNN_PLACE(Unpack, unpack);
  BNN_PLACE(Conv2d, conv2d);
  BNN_PLACE(Dense, dense);
  BNN_PLACE(Affine, affine);
  BNN_PLACE(PRelu, prelu);
  BNN_PLACE(Clamp, clamp);
  BNN_PLACE(Unary, unary);
  BNN_PLACE(Binary, binary);
  BNN_PLACE(MaxPool, maxpool);
  BNN_PLACE(AvgPool, avgpool);
  BNN_PLACE(Concat, concat);
  BNN_PLACE(Slice, slice);
  BNN_PLACE(Pad, pad);
  BNN_PLACE(Transpose, transpose);
  BNN_PLACE(Reshape, reshape);
  BNN_PLACE(Softmax, softmax);
  BNN_PLACE(Quantize, quantize);
  BNN_PLACE(Dequantize, dequantize);
  BNN_PLACE(QConv2d, qconv2d);
  BNN_PLACE(QDense, qdense);
  BNN_PLACE(DetectionOutput, detection_output);
#undef BNN_PLACE
  add("Quantize", "quantize.to",
      [](proto::Node* n) { return n->mutable_quantize()->mutable_to()->mutable_unknown_fields(); });
  add("Dequantize", "dequantize.from",
      [](proto::Node* n) { return n->mutable_dequantize()->mutable_from()->mutable_unknown_fields(); });
  add("QConv2d", "qconv2d.input",
      [](proto::Node* n) { return n->mutable_qconv2d()->mutable_input()->mutable_unknown_fields(); });
  add("QConv2d", "qconv2d.window",
      [](proto::Node* n) { return n->mutable_qconv2d()->mutable_window()->mutable_unknown_fields(); });
  add("QDense", "qdense.input",
      [](proto::Node* n) { return n->mutable_qdense()->mutable_input()->mutable_unknown_fields(); });
  return places;
}

TEST_CASE("an unknown field below 1000 is refused in every message, one from 1000 on is ignored") {
  const std::vector<Place> places = Places();
  CHECK(places.size() == 37);
  for (const Place& place : places) {
    CAPTURE(place.path);
    // The first that the message itself does not have: windows have a field 1000.
    const int ignorable = place.path.find("window") == std::string::npos ? 1000 : 1001;
    const auto with = [&](const std::string& bytes) {
      return Edited([&](proto::Model& m) { *place.unknown(m) += bytes; }, 1);
    };
    for (const int number : {100, 999}) {
      CheckRefused(with(VarintField(ignorable) + VarintField(number)), StatusCode::kUnsupported,
                   place.path + "field " + std::to_string(number) + " is critical");
    }
    const Result<ModelDef> read = Parse(with(VarintField(ignorable) + VarintField(20000)));
    INFO(read.status().message());
    REQUIRE(read.ok());
    CHECK(*read == EveryOpModel());
  }
}

TEST_CASE("unknown operators, enum values and wire types are refused") {
  CheckRefused(Edited([](proto::Model& m) {
                 m.mutable_nodes(0)->clear_op();
                 *m.mutable_nodes(0)->mutable_unknown_fields() += VarintField(500);
               }),
               StatusCode::kUnsupported, "nodes[0]: field 500 is critical");
  CheckRefused(Edited([](proto::Model& m) { m.mutable_nodes(0)->clear_op(); }), StatusCode::kInvalidModel,
               "nodes[0]: has no operator");
  CheckRefused(Edited([](proto::Model& m) {  // tensor.type = 1 as wire bytes after its clearing, then value 99
                 m.mutable_tensors(0)->clear_type();
                 *m.mutable_tensors(0)->mutable_unknown_fields() += "\x10\x63";
               }),
               StatusCode::kUnsupported, "tensors[0]: field 2 is critical");
  CheckRefused(Edited([](proto::Model& m) {  // the name as a varint
                 m.mutable_tensors(0)->clear_name();
                 *m.mutable_tensors(0)->mutable_unknown_fields() += "\x08\x01";
               }),
               StatusCode::kUnsupported, "tensors[0]: field 1 is critical");
  CheckRefused(Edited([](proto::Model& m) {  // a group of number 1000
                 *m.mutable_unknown_fields() += "\xC3\x3E\xC4\x3E";
               }),
               StatusCode::kInvalidModel, "not a protobuf message");
}

TEST_CASE("absent fields are refused where there is no default") {
  const auto refused = [](const std::function<void(proto::Model&)>& edit, const char* text) {
    CheckRefused(Edited(edit), StatusCode::kInvalidModel, text);
  };
  refused([](proto::Model& m) { m.mutable_tensors(0)->clear_type(); }, "type: found value 0");
  refused([](proto::Model& m) { m.mutable_nodes(0)->clear_output(); }, "output: found no tensor");
  refused([](proto::Model& m) { m.mutable_inputs(0)->clear_tensor(); }, "inputs[0].tensor: found no tensor");
  refused([](proto::Model& m) { m.mutable_nodes(1)->mutable_conv2d()->clear_weights(); }, "weights: found blob none");
  refused([](proto::Model& m) { m.mutable_nodes(1)->mutable_conv2d()->clear_window(); }, "window.kernel_h: found 0");
  refused([](proto::Model& m) { m.mutable_nodes(1)->mutable_conv2d()->clear_groups(); }, "groups: found 0");
  refused([](proto::Model& m) { m.mutable_blobs(0)->clear_type(); }, "blobs[0].");
}

TEST_CASE("sizes are checked before memory is asked for") {
  const auto refused = [](const std::function<void(proto::Model&)>& edit, const char* text) {
    CheckRefused(Edited(edit), StatusCode::kInvalidModel, text);
  };
  refused([](proto::Model& m) { m.mutable_blobs(0)->set_data_bytes(m.blobs(0).data_bytes() + 4); },
          "blobs[0].data_bytes: found 220, expected 216");
  refused([](proto::Model& m) { m.mutable_blobs(0)->set_data_bytes(-1); }, "blobs[0].data_bytes: found -1");
  refused([](proto::Model& m) { m.mutable_blobs(0)->set_dims(0, int64_t{1} << 62); }, "blobs[0].dims");
  refused([](proto::Model& m) { m.mutable_blobs(0)->set_dims(0, -6); }, "blobs[0].dims");
  refused(  // a sound gigabyte that the file does not hold
      [](proto::Model& m) {
        proto::Blob* blob = m.mutable_blobs(0);
        blob->clear_dims();
        blob->add_dims(1 << 14);
        blob->add_dims(1 << 14);
        blob->set_data_bytes(1 << 30);
      },
      "blob section: found");
  // Two bytes a message: small in the file, large in memory.
  std::string tensors;
  std::string nodes;
  for (int64_t i = 0; i <= kMaxTensors; ++i) tensors += std::string("\x22\0", 2);
  for (int64_t i = 0; i <= kMaxNodes; ++i) nodes += std::string("\x32\0", 2);
  CheckRefused(Seal(tensors, ""), StatusCode::kInvalidModel, "tensors: found more than 131072");
  CheckRefused(Seal(nodes, ""), StatusCode::kInvalidModel, "nodes: found more than 65536");
}

TEST_CASE("a model that is not valid is not written") {
  ModelDef model = EveryOpModel();
  model.outputs.clear();
  const Result<std::string> bytes = SerializeModel(model);
  REQUIRE_FALSE(bytes.ok());
  CHECK(bytes.status().code() == StatusCode::kInvalidModel);
  CHECK(bytes.status().message() == "every_op.onnx: outputs: found 0, expected 1 to 131072");
}

}  // namespace
}  // namespace bnn::formats
