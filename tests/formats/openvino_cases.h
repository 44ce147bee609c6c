// The committed networks of OpenVINO's Intermediate Representation (data/make_openvino_fixtures.py and others).
#pragma once

#include <string>
#include <vector>

#include "tests/formats/gz_cases.h"

namespace bnn::test {

inline std::vector<OnnxCase> ReadOpenvinoCases(const std::string& name = "openvino.cases.gz") {
  return ReadGzCases(name);
}

}  // namespace bnn::test
