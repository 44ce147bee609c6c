// The committed networks with expected outputs (data/make_onnx_fixtures.py describes the file format, and
// data/make_openvino_fixtures.py its second version).
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "formats/tensor.h"
#include "tests/test_support.h"

namespace bnn::test {

struct OnnxCase {
  std::string name;
  std::string kind;     // version 2 only
  float tolerance = 0;  // relative to max(1, |expected|); 0: exact
  std::string model;
  std::string weights;  // version 2 only: the .bin of an IR
  std::vector<std::pair<std::string, formats::Tensor>> inputs;
  std::vector<std::pair<std::string, formats::Tensor>> outputs;
};

// Reads the container; throws when it is damaged, which fails the test that reads it.
class OnnxCaseReader {
 public:
  explicit OnnxCaseReader(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(stream), {});
    ReadMagic(path);
  }
  OnnxCaseReader(const std::string& path, std::string bytes) : bytes_(std::move(bytes)) { ReadMagic(path); }

  std::vector<OnnxCase> ReadAll() {
    std::vector<OnnxCase> cases(Read<uint32_t>());
    for (OnnxCase& one : cases) {
      one.name = ReadString();
      if (version_ == 2) one.kind = ReadString();
      one.tolerance = Read<float>();
      one.model = ReadString();
      if (version_ == 2) one.weights = ReadString();
      for (auto* tensors : {&one.inputs, &one.outputs}) {
        tensors->resize(Read<uint32_t>());
        for (auto& [name, tensor] : *tensors) {
          name = ReadString();
          tensor = ReadTensor();
        }
      }
    }
    return cases;
  }

 private:
  void ReadMagic(const std::string& path) {
    const bool is_known = bytes_.starts_with("BNNCASE1") || bytes_.starts_with("BNNCASE2");
    if (!is_known) throw std::runtime_error(path + " is no case file");
    version_ = bytes_[7] - '0';
    at_ = 8;
  }

  template <typename T>
  T Read() {
    if (bytes_.size() - at_ < sizeof(T)) throw std::runtime_error("the case file ends early");
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string ReadString() {
    const auto length = Read<uint32_t>();
    if (bytes_.size() - at_ < length) throw std::runtime_error("the case file ends early");
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }

  formats::Tensor ReadTensor() {
    formats::Tensor tensor;
    tensor.type = static_cast<formats::DType>(Read<uint8_t>());
    tensor.dims.resize(Read<uint32_t>());
    for (int64_t& dim : tensor.dims) dim = Read<int64_t>();
    const int64_t count = formats::CountElements(tensor.dims);
    for (int64_t i = 0; i < count; ++i) {
      if (tensor.type == formats::DType::kFloat32) {
        tensor.floats.push_back(Read<float>());
      } else {
        tensor.integers.push_back(Read<int64_t>());
      }
    }
    return tensor;
  }

  std::string bytes_;
  int version_ = 1;
  size_t at_ = 0;
};

inline std::vector<OnnxCase> ReadOnnxCases(int opset) {
  return OnnxCaseReader(SourceDir() + "/tests/formats/data/onnx_opset" + std::to_string(opset) + ".cases").ReadAll();
}

}  // namespace bnn::test
