// Writes the frozen graphs of tests/formats/data as single files: where fuzz_graphdef starts from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/formats/gz_cases.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_graphdef_seeds FOLDER\n");
    return 1;
  }
  std::filesystem::create_directories(argv[1]);
  for (const auto& one : bnn::test::ReadGzCases("graphdef.cases.gz")) {
    std::ofstream(std::string(argv[1]) + "/" + one.name + ".pb", std::ios::binary) << one.model;
  }
  return 0;
}
