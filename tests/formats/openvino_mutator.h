// Changes of an IR for tests of robustness: of its bytes, and of what stands between quotes and in <dim>, which gets
// past the parser.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bnn::test {

class IrMutator {
 public:
  explicit IrMutator(uint32_t seed) : random_(seed) {}

  std::string MutateBytes(std::string xml) {
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes && xml.size() > 8; ++i) {
      const size_t at = Below(xml.size());
      switch (Below(3)) {
        case 0:
          xml[at] = static_cast<char>(1 + Below(255));
          break;
        case 1:
          xml.erase(at, 1 + Below(30));
          break;
        default:
          xml.insert(at, xml.substr(Below(xml.size()), Below(60)));
          break;
      }
    }
    return xml;
  }

  std::string MutateFields(std::string xml) {
    const size_t changes = 1 + Below(2);
    for (size_t i = 0; i < changes; ++i) {
      const std::vector<Field> fields = FieldsOf(xml);
      if (fields.empty()) return xml;
      const Field& field = fields[Below(fields.size())];
      xml.replace(field.begin, field.size, NewText(xml, fields, field));
    }
    return xml;
  }

 private:
  struct Field {
    size_t begin, size;
  };

  size_t Below(size_t limit) { return static_cast<size_t>(random_() % limit); }

  // The texts of all attributes but those of the head, and of all dims.
  static std::vector<Field> FieldsOf(const std::string& xml) {
    std::vector<Field> fields;
    const size_t begin = xml.find("<layers>");
    for (size_t at = begin; at != std::string::npos;) {
      const size_t open = xml.find_first_of("\">", at);
      if (open == std::string::npos) break;
      const bool is_dim = xml[open] == '>' && open >= 4 && xml.compare(open - 4, 5, "<dim>") == 0;
      if (xml[open] == '"' || is_dim) {
        const size_t close = xml.find(is_dim ? '<' : '"', open + 1);
        if (close == std::string::npos) break;
        fields.push_back({open + 1, close - open - 1});
        at = close + 1;
      } else {
        at = open + 1;
      }
    }
    return fields;
  }

  std::string NewText(const std::string& xml, const std::vector<Field>& fields, const Field& field) {
    constexpr const char* kTexts[] = {"0",    "1",          "2",           "3",          "-1",
                                      "7",    "-2",         "65537",       "2147483648", "9223372036854775807",
                                      "",     "1, 1",       "0, 0, 0",     "4294967296", "-9223372036854775808",
                                      "true", "same_upper", "f32",         "i64",        "u1",
                                      "Add",  "Reshape",    "Convolution", "Split",      "1e30"};
    switch (Below(3)) {
      case 0:
        return kTexts[Below(std::size(kTexts))];
      case 1: {  // another text of the file
        const Field& other = fields[Below(fields.size())];
        return xml.substr(other.begin, other.size);
      }
      default: {
        std::string text = xml.substr(field.begin, field.size);
        if (text.empty()) return "1";
        text[Below(text.size())] = static_cast<char>('0' + Below(10));
        return text;
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace bnn::test
