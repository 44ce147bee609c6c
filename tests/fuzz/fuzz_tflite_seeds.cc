// Writes the .tflite networks of tests/formats/data as single files: where fuzz_tflite starts from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/formats/tflite_file.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_tflite_seeds FOLDER\n");
    return 1;
  }
  std::filesystem::create_directories(argv[1]);
  for (const char* name : {"tflite_lce", "tflite_builtin"}) {
    for (const auto& one : bnn::test::ReadTfliteCases(name)) {
      std::ofstream(std::string(argv[1]) + "/" + one.name + ".tflite", std::ios::binary) << one.model;
    }
  }
  return 0;
}
