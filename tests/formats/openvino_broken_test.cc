// Broken and hostile IRs: each is an error that names file, layer and what is wrong with it.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "formats/importers/importer.h"
#include "formats/importers/openvino_importer.h"
#include "tests/formats/openvino_net_text.h"

namespace bnn::formats {
namespace {

using test::Replaced;
using test::SmallNet;
using test::SmallWeights;

std::string ErrorOf(const std::string& xml, const std::string& weights = SmallWeights(),
                    const ImportOptions& options = {}) {
  const Result<SourceGraph> graph = ImportOpenvinoBytes(xml, weights, "net.xml", options);
  return graph.ok() ? "no error" : graph.status().message();
}

// The error of the small network with one change.
std::string ErrorWith(const std::string& from, const std::string& to) {
  return ErrorOf(Replaced(SmallNet(), from, to));
}

TEST_CASE("the network that the other tests break is sound") {
  const Result<SourceGraph> graph = ImportOpenvinoBytes(SmallNet(), SmallWeights(), "net.xml", {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->inputs == std::vector<std::string>{"x"});
  CHECK(graph->outputs == std::vector<std::string>{"y"});
  CHECK(graph->nodes.size() == 3);
}

TEST_CASE("files that are no IR") {
  CHECK(ErrorOf("") == "net.xml: is no XML, or is damaged: No document element found at byte 0");
  CHECK(ErrorOf("<net version=\"11\"").starts_with("net.xml: is no XML, or is damaged: "));
  CHECK(ErrorOf("<html/>") == "net.xml: is no IR: the root element <net> is missing");
  CHECK(ErrorOf("<net/>") == "net.xml: <net>: attribute 'version' is missing");
  CHECK(ErrorOf("<net version=\"11\"/>") == "net.xml: has no layers");
  CHECK(ErrorWith("version=\"11\"", "version=\"7\"") == "net.xml: is an IR of version 7; supported are 10 and 11");
  CHECK(ErrorWith("version=\"11\"", "version=\"eleven\"") ==
        "net.xml: <net>: attribute 'version' is 'eleven', expected an integer");
}

TEST_CASE("entities are not expanded") {
  std::string bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE net [\n<!ENTITY a \"lol\">\n";
  for (char c = 'b'; c <= 'k'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">\n";
  }
  bomb += "]>\n";
  const std::string expected =
      "net.xml: has a document type declaration, which no IR has; its entities would not be expanded";
  CHECK(ErrorOf(Replaced(SmallNet(), "<?xml version=\"1.0\"?>\n", bomb)) == expected);
  CHECK(ErrorOf(Replaced(SmallNet(), "<?xml version=\"1.0\"?>\n", "<!DOCTYPE net SYSTEM \"file:///etc/passwd\">")) ==
        expected);
  // An entity that is not declared stays text.
  CHECK(ErrorWith("offset=\"0\"", "offset=\"&a;\"") ==
        "net.xml: layer 1 'w' (Const): attribute 'offset' is '&a;', expected a number of bytes");
}

TEST_CASE("deeply nested elements") {
  const int depth = 200000;
  std::string open, close;
  for (int i = 0; i < depth; ++i) {
    open += "<a>";
    close += "</a>";
  }
  CHECK(ErrorOf(Replaced(SmallNet(), "<edges>", open + close + "<edges>")) == "no error");
  CHECK(ErrorOf(open).starts_with("net.xml: is no XML, or is damaged: "));
}

TEST_CASE("layers") {
  CHECK(ErrorWith("id=\"3\" name=\"b\"", "id=\"1\" name=\"b\"") ==
        "net.xml: layer 1 'b' (Const): another layer has the same id");
  CHECK(ErrorWith("id=\"3\" name=\"b\"", "name=\"b\"") ==
        "net.xml: layer 'b', number 3 of the file: attribute 'id' is missing");
  CHECK(ErrorWith("id=\"3\" name=\"b\"", "id=\"99999999999999999999\" name=\"b\"") ==
        "net.xml: layer 'b', number 3 of the file: attribute 'id' is '99999999999999999999', expected an integer");
  CHECK(ErrorWith("type=\"Add\" ", "") == "net.xml: layer 4 'add' (): attribute 'type' is missing");
  CHECK(ErrorWith("type=\"Result\"", "type=\"Relu\"") == "net.xml: layer 6 'result' (Relu): has no output port");
  CHECK(ErrorWith("name=\"relu\"", "name=\"\"") == "no error");
}

TEST_CASE("many layers of one name take no more than linear time") {
  std::string layers;
  for (int i = 10; i < 40000; ++i) {
    layers += "<layer id=\"" + std::to_string(i) + "\" name=\"w\" type=\"Const\" version=\"opset1\">" +
              "<data element_type=\"f32\" shape=\"\" offset=\"0\" size=\"4\"/>" +
              "<output><port id=\"0\" precision=\"FP32\"/></output></layer>";
  }
  CHECK(ErrorOf(Replaced(SmallNet(), "</layers>", layers + "</layers>")) == "no error");
}

TEST_CASE("unknown operators are all listed") {
  const std::string both = Replaced(Replaced(SmallNet(), "\"Add\" version=\"opset1\"", "\"Foo\" version=\"opset1\""),
                                    "type=\"ReLU\" version=\"opset1\"", "type=\"ReLU\" version=\"opset99\"");
  CHECK(ErrorOf(both) ==
        "net.xml: these operators are not supported:\n"
        "  layer 4 'add' (Foo) of opset1\n"
        "  layer 5 'relu' (ReLU) of opset99; known up to opset1");
  CHECK(ErrorWith("type=\"Add\" version=\"opset1\"", "type=\"Add\" version=\"extension\"") ==
        "net.xml: these operators are not supported:\n  layer 4 'add' (Add) of extension; known up to opset1");
}

TEST_CASE("edges and ports") {
  const std::string edge = "<edge from-layer=\"3\" from-port=\"0\" to-layer=\"4\" to-port=\"1\"/>";
  const std::string label = "net.xml: edge from layer 3 port ";
  CHECK(ErrorWith(edge, "") == "net.xml: layer 4 'add' (Add): no edge ends at input port 1");
  CHECK(ErrorWith(edge, edge + edge) == "net.xml: layer 4 'add' (Add): two edges end at input port 1");
  CHECK(ErrorWith(edge, Replaced(edge, "from-port=\"0\"", "from-port=\"7\"")) ==
        label + "7 to layer 4 port 1: layer 3 'b' (Const) has no output port 7");
  CHECK(ErrorWith(edge, Replaced(edge, "to-port=\"1\"", "to-port=\"2\"")) ==
        label + "0 to layer 4 port 2: layer 4 'add' (Add) has no input port 2");
  CHECK(ErrorWith(edge, Replaced(edge, "to-layer=\"4\"", "to-layer=\"44\"")) ==
        label + "0 to layer 44 port 1: there is no layer 44");
  CHECK(ErrorWith(edge, Replaced(edge, "to-layer=\"4\"", "to-layer=\"four\"")) ==
        "net.xml: edge number 3 of the file: attribute 'to-layer' is 'four', expected an integer");
  CHECK(ErrorWith("<port id=\"1\" precision=\"FP32\"><dim>1</dim><dim>4</dim><dim>1</dim>",
                  "<port id=\"0\" precision=\"FP32\"><dim>1</dim><dim>4</dim><dim>1</dim>") ==
        "net.xml: layer 4 'add' (Add): two ports have the id 0");
  CHECK(
      ErrorWith("from-layer=\"3\" from-port=\"0\" to-layer=\"4\"", "from-layer=\"5\" from-port=\"1\" to-layer=\"4\"") ==
      "net.xml: layer 4 'add' (Add): is part of a cycle or depends on one");
}

TEST_CASE("dims of ports") {
  const std::string stated = "<port id=\"2\" precision=\"FP32\"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim>";
  CHECK(ErrorWith(stated, Replaced(stated, "<dim>4</dim>", "<dim>5</dim>")) ==
        "net.xml: layer 2 'conv' (Convolution): output port 2 states dims [1,5,3,3], but its inputs give [1,4,3,3]");
  CHECK(ErrorWith(stated, Replaced(stated, "<dim>4</dim>", "")) ==
        "net.xml: layer 2 'conv' (Convolution): output port 2 states dims [1,3,3], but its inputs give [1,4,3,3]");
  CHECK(ErrorWith(stated, Replaced(stated, "FP32", "I64")) ==
        "net.xml: layer 2 'conv' (Convolution): output port 2 states precision I64, but its inputs give float32");
  CHECK(ErrorWith(stated, Replaced(stated, "<dim>4</dim>", "<dim>four</dim>")) ==
        "net.xml: layer 2 'conv' (Convolution): port 2 has a dim of 'four'");
  CHECK(ErrorWith(stated, Replaced(stated, "<dim>4</dim>", "<dim>-1</dim>")) == "no error");
  CHECK(ErrorWith(stated, Replaced(stated, "<dim>4</dim>", "<dim>4611686018427387904</dim>"))
            .starts_with(
                "net.xml: layer 2 'conv' (Convolution): port 2 has dims [1,4611686018427387904,3,3], the limit"));
}

TEST_CASE("constants") {
  const std::string w = "net.xml: layer 1 'w' (Const): ";
  CHECK(ErrorWith("offset=\"0\"", "offset=\"20\"") ==
        w + "attributes 'offset' and 'size' name 288 bytes at 20, but the .bin file has 304");
  CHECK(ErrorWith("offset=\"0\"", "offset=\"9223372036854775807\"") ==
        w + "attributes 'offset' and 'size' name 288 bytes at 9223372036854775807, but the .bin file has 304");
  CHECK(ErrorWith("offset=\"0\"", "offset=\"-4\"") == w + "attribute 'offset' is '-4', expected a number of bytes");
  CHECK(ErrorWith("size=\"288\"", "size=\"284\"") ==
        w + "attribute 'size' is 284, but shape [4,2,3,3] of f32 takes 288 bytes");
  CHECK(ErrorWith("shape=\"4, 2, 3, 3\"", "shape=\"4, 2, 3, 4\"") ==
        w + "attribute 'size' is 288, but shape [4,2,3,4] of f32 takes 384 bytes");
  CHECK(ErrorWith("shape=\"4, 2, 3, 3\"", "shape=\"4, x, 3, 3\"") ==
        w + "attribute 'shape' is '4, x, 3, 3', expected dims");
  CHECK(ErrorWith("shape=\"4, 2, 3, 3\"", "shape=\"4294967296, 4294967296\"")
            .starts_with(w + "attribute 'shape' has dims"));
  CHECK(ErrorWith("shape=\"4, 2, 3, 3\"", "shape=\"4, -2, 3, 3\"").starts_with(w + "attribute 'shape' has dims"));
  CHECK(ErrorWith("element_type=\"f32\" shape=\"4", "element_type=\"f99\" shape=\"4") ==
        w + "attribute 'element_type' is 'f99', an unknown type");
  CHECK(ErrorWith(" size=\"288\"", "") == w + "attribute 'size' is missing");
  CHECK(ErrorWith(" size=\"288\"", " size=\"288\" size=\"288\"") == w + "attribute 'size' is given twice");
  CHECK(ErrorOf(SmallNet(), "").ends_with("but the .bin file has 0"));
}

TEST_CASE("attributes of operators") {
  const std::string conv = "net.xml: layer 2 'conv' (Convolution): ";
  CHECK(ErrorWith("strides=\"1, 1\" ", "") == conv + "attribute 'strides' is missing");
  CHECK(ErrorWith("strides=\"1, 1\" ", "strides=\"1, one\" ") ==
        conv + "attribute 'strides' is '1, one', expected integers");
  CHECK(ErrorWith("strides=\"1, 1\" ", "strides=\"0, 1\" ")
            .starts_with(conv + "node 'conv' (Conv): attribute 'strides'"));
  CHECK(ErrorWith("pads_end=\"1, 1\"", "pads_end=\"1\"").starts_with(conv + "node 'conv' (Conv): attribute 'pads'"));
  CHECK(ErrorWith("auto_pad=\"explicit\"", "auto_pad=\"most\"") ==
        conv + "attribute 'auto_pad' is 'most'; supported: explicit, notset, same_upper, same_lower, valid");
  CHECK(ErrorWith("auto_broadcast=\"numpy\"", "auto_broadcast=\"pdpd\"") ==
        "net.xml: layer 4 'add' (Add): attribute 'auto_broadcast' is 'pdpd'; supported: numpy, none");
  CHECK(ErrorWith("type=\"ReLU\"", "type=\"Add\"") ==
        "net.xml: layer 5 'relu' (Add): has 1 input ports, expected 2 to 2");
}

TEST_CASE("inputs") {
  const std::string open = Replaced(SmallNet(), "shape=\"1,2,3,3\"", "shape=\"?,2,1..9,3\"");
  CHECK(ErrorOf(open) == "net.xml: input 'x': dim 2 ('1..9') is open; give it with --shape x=N,...");
  ImportOptions options;
  options.input_shapes["x"] = {1, 2, 3, 3};
  const Result<SourceGraph> graph = ImportOpenvinoBytes(open, SmallWeights(), "net.xml", options);
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->batch_is_symbolic);
  options.input_shapes["z"] = {1};
  CHECK(ErrorOf(open, SmallWeights(), options) == "net.xml: --shape names 'z', which is no input");
  const std::string no_rank = Replaced(SmallNet(), "shape=\"1,2,3,3\"", "shape=\"...\"");
  CHECK(ErrorOf(no_rank) == "net.xml: input 'x' has no shape; give it with --shape x=N,...");
  CHECK(ErrorWith("shape=\"1,2,3,3\"", "shape=\"1,two\"") ==
        "net.xml: layer 0 'x' (Parameter): attribute 'shape' is '1,two', expected dims");
  CHECK(ErrorWith("shape=\"1,2,3,3\"", "shape=\"1,0,3,3\"") == "net.xml: input 'x' has a dim of 0");
}

TEST_CASE("the .bin beside the .xml, elsewhere, or missing") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "bnn_openvino_files";
  fs::remove_all(folder);
  fs::create_directories(folder / "other");
  const auto write = [](const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  };
  const std::string xml = (folder / "net.v1.xml").string();
  write(xml, SmallNet());
  const std::string beside = (folder / "net.v1.bin").string();
  const Result<SourceGraph> missing = ImportFile(xml, {});
  REQUIRE(!missing.ok());
  CHECK(missing.status().message() ==
        xml + ": its weights, " + beside + ", are missing; --weights names a file that lies elsewhere");
  write(beside, SmallWeights());
  CHECK(ImportFile(xml, {}).ok());
  ImportOptions options;
  options.weights_path = (folder / "other" / "w.bin").string();
  const Result<SourceGraph> wrong_path = ImportFile(xml, options);
  REQUIRE(!wrong_path.ok());
  CHECK(wrong_path.status().message().starts_with(xml + ": " + options.weights_path + ": cannot be read"));
  write(options.weights_path, SmallWeights());
  fs::remove(beside);
  CHECK(ImportFile(xml, options).ok());
  write(folder / "net.onnx", "\x08\x07");
  const Result<SourceGraph> onnx = ImportFile((folder / "net.onnx").string(), options);
  REQUIRE(!onnx.ok());
  CHECK(
      onnx.status().message().ends_with("--weights is given, but a file of the format onnx holds its weights itself"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace bnn::formats
