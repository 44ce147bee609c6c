// Writes the IRs of tests/formats/data as single files: where fuzz_openvino starts from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/formats/openvino_cases.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_openvino_seeds FOLDER\n");
    return 1;
  }
  std::filesystem::create_directories(argv[1]);
  for (const auto& one : bnn::test::ReadOpenvinoCases()) {
    const std::string path = std::string(argv[1]) + "/" + one.name + ".ir";
    std::ofstream(path, std::ios::binary) << one.model << '\0' << one.weights;
  }
  return 0;
}
