// Changes of an ONNX file for tests of robustness: of its bytes, and of its fields, which gets past the parser.
#pragma once

#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bnn::test {

class OnnxMutator {
 public:
  explicit OnnxMutator(uint32_t seed) : random_(seed) {}

  std::string MutateBytes(std::string bytes) {
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes && bytes.size() > 8; ++i) {
      const size_t at = Below(bytes.size());
      switch (Below(4)) {
        case 0:
          bytes[at] = static_cast<char>(Below(256));
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
          break;
        case 2:
          bytes.erase(at, 1 + Below(4));
          break;
        default:
          bytes.insert(at, 1, static_cast<char>(Below(256)));
          break;
      }
    }
    return bytes;
  }

  std::string MutateFields(const std::string& bytes) {
    onnx::ModelProto model;
    if (!model.ParseFromString(bytes)) return MutateBytes(bytes);
    const size_t changes = 1 + Below(2);
    for (size_t i = 0; i < changes; ++i) MutateMessage(&model);
    return model.SerializeAsString();
  }

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  size_t Below(size_t limit) { return static_cast<size_t>(random_() % limit); }

  int64_t Number() {
    constexpr int64_t kNumbers[] = {0,         1,         -1,       2,         3,         4,         7,
                                    8,         9,         10,       11,        16,        -2,        -3,
                                    255,       4096,      65537,    1LL << 24, 1LL << 31, 1LL << 32, -(1LL << 31),
                                    1LL << 62, INT64_MAX, INT64_MIN};
    return kNumbers[Below(std::size(kNumbers))];
  }

  // Descends to a random message and changes one of its fields.
  void MutateMessage(Message* message) {
    const auto* reflection = message->GetReflection();
    std::vector<const Field*> fields;
    reflection->ListFields(*message, &fields);
    if (fields.empty()) return;
    const Field* field = fields[Below(fields.size())];
    if (field->is_repeated()) {
      MutateRepeated(message, field);
    } else if (field->cpp_type() == Field::CPPTYPE_MESSAGE) {
      if (Below(20) == 0) {
        reflection->ClearField(message, field);
      } else {
        MutateMessage(reflection->MutableMessage(message, field));
      }
    } else {
      SetScalar(message, field);
    }
  }

  void MutateRepeated(Message* message, const Field* field) {
    const auto* reflection = message->GetReflection();
    const int size = reflection->FieldSize(*message, field);
    const int at = static_cast<int>(Below(static_cast<size_t>(size)));
    const size_t kind = Below(10);
    if (kind == 0) {
      reflection->SwapElements(message, field, at, size - 1);
      reflection->RemoveLast(message, field);
    } else if (kind == 1) {
      reflection->SwapElements(message, field, at, static_cast<int>(Below(static_cast<size_t>(size))));
    } else if (kind == 2 && field->cpp_type() == Field::CPPTYPE_INT64) {
      reflection->AddInt64(message, field, Number());
    } else if (kind == 2 && field->cpp_type() == Field::CPPTYPE_MESSAGE) {
      Message* added = reflection->AddMessage(message, field);
      added->CopyFrom(reflection->GetRepeatedMessage(*message, field, at));
    } else if (field->cpp_type() == Field::CPPTYPE_MESSAGE) {
      MutateMessage(reflection->MutableRepeatedMessage(message, field, at));
    } else if (field->cpp_type() == Field::CPPTYPE_INT64) {
      reflection->SetRepeatedInt64(message, field, at, Number());
    } else if (field->cpp_type() == Field::CPPTYPE_INT32) {
      reflection->SetRepeatedInt32(message, field, at, static_cast<int32_t>(Number()));
    } else if (field->cpp_type() == Field::CPPTYPE_STRING) {
      // Another of the same list: nodes then read each other's values.
      const int other = static_cast<int>(Below(static_cast<size_t>(size)));
      reflection->SetRepeatedString(message, field, at,
                                    kind == 3 ? "" : reflection->GetRepeatedString(*message, field, other));
    }
  }

  void SetScalar(Message* message, const Field* field) {
    constexpr const char* kWords[] = {"",        "x",      "y",         "Add",    "Shape",   "Reshape",
                                      "Conv",    "Concat", "Split",     "Slice",  "Pad",     "Transpose",
                                      "Softmax", "Gather", "Squeeze",   "Expand", "axis",    "perm",
                                      "pads",    "Range",  "ReduceSum", "Where",  "Flatten", "MatMul"};
    const auto* reflection = message->GetReflection();
    switch (field->cpp_type()) {
      case Field::CPPTYPE_INT64:
        reflection->SetInt64(message, field, Number());
        break;
      case Field::CPPTYPE_INT32:
        reflection->SetInt32(message, field, static_cast<int32_t>(Number()));
        break;
      case Field::CPPTYPE_FLOAT:
        reflection->SetFloat(message, field, static_cast<float>(Number()));
        break;
      case Field::CPPTYPE_STRING:
        reflection->SetString(message, field, kWords[Below(std::size(kWords))]);
        break;
      case Field::CPPTYPE_ENUM:
        reflection->SetEnumValue(message, field, static_cast<int>(Below(14)));
        break;
      default:
        break;
    }
  }

  std::mt19937 random_;
};

}  // namespace bnn::test
