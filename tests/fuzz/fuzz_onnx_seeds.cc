// Writes the networks of tests/formats/data as single files: where fuzz_onnx starts from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/formats/onnx_cases.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_onnx_seeds FOLDER\n");
    return 1;
  }
  std::filesystem::create_directories(argv[1]);
  for (const int opset : {7, 9, 11, 13, 17, 18, 21}) {
    for (const auto& one : bnn::test::ReadOnnxCases(opset)) {
      const std::string path = std::string(argv[1]) + "/" + one.name + "." + std::to_string(opset) + ".onnx";
      std::ofstream(path, std::ios::binary) << one.model;
    }
  }
  return 0;
}
