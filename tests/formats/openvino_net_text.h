// Networks of OpenVINO's Intermediate Representation as text, for tests that break them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace bnn::test {

// `text` with the first `from` replaced; a test that breaks nothing would test nothing, so `from` must be there.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) return "Replaced: '" + from + "' is not there";
  return text.replace(at, from.size(), to);
}

// x [1,2,3,3] * w [4,2,3,3] + b, Relu: layers 0 x, 1 w, 2 conv, 3 b, 4 add, 5 relu, 6 the Result.
inline std::string SmallNet() {
  return R"(<?xml version="1.0"?>
<net name="small" version="11">
  <layers>
    <layer id="0" name="x" type="Parameter" version="opset1">
      <data shape="1,2,3,3" element_type="f32"/>
      <output><port id="0" precision="FP32"><dim>1</dim><dim>2</dim><dim>3</dim><dim>3</dim></port></output>
    </layer>
    <layer id="1" name="w" type="Const" version="opset1">
      <data element_type="f32" shape="4, 2, 3, 3" offset="0" size="288"/>
      <output><port id="0" precision="FP32"><dim>4</dim><dim>2</dim><dim>3</dim><dim>3</dim></port></output>
    </layer>
    <layer id="2" name="conv" type="Convolution" version="opset1">
      <data strides="1, 1" dilations="1, 1" pads_begin="1, 1" pads_end="1, 1" auto_pad="explicit"/>
      <input>
        <port id="0" precision="FP32"><dim>1</dim><dim>2</dim><dim>3</dim><dim>3</dim></port>
        <port id="1" precision="FP32"><dim>4</dim><dim>2</dim><dim>3</dim><dim>3</dim></port>
      </input>
      <output><port id="2" precision="FP32"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port></output>
    </layer>
    <layer id="3" name="b" type="Const" version="opset1">
      <data element_type="f32" shape="1, 4, 1, 1" offset="288" size="16"/>
      <output><port id="0" precision="FP32"><dim>1</dim><dim>4</dim><dim>1</dim><dim>1</dim></port></output>
    </layer>
    <layer id="4" name="add" type="Add" version="opset1">
      <data auto_broadcast="numpy"/>
      <input>
        <port id="0" precision="FP32"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port>
        <port id="1" precision="FP32"><dim>1</dim><dim>4</dim><dim>1</dim><dim>1</dim></port>
      </input>
      <output><port id="2" precision="FP32"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port></output>
    </layer>
    <layer id="5" name="relu" type="ReLU" version="opset1">
      <input><port id="0" precision="FP32"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port></input>
      <output>
        <port id="1" precision="FP32" names="y,z"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port>
      </output>
    </layer>
    <layer id="6" name="result" type="Result" version="opset1">
      <input><port id="0" precision="FP32"><dim>1</dim><dim>4</dim><dim>3</dim><dim>3</dim></port></input>
    </layer>
  </layers>
  <edges>
    <edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
    <edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
    <edge from-layer="2" from-port="2" to-layer="4" to-port="0"/>
    <edge from-layer="3" from-port="0" to-layer="4" to-port="1"/>
    <edge from-layer="4" from-port="2" to-layer="5" to-port="0"/>
    <edge from-layer="5" from-port="1" to-layer="6" to-port="0"/>
  </edges>
</net>
)";
}

// The .bin of SmallNet(): 72 weights and 4 biases.
inline std::string SmallWeights() {
  std::vector<float> values;
  for (int i = 0; i < 76; ++i) values.push_back(static_cast<float>(i % 7) - 3);
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace bnn::test
