// Changes of a frozen graph for tests of robustness: of its bytes, and of its fields, which gets past the parser.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/formats/graphdef_file.h"

namespace bnn::test {

class GraphdefMutator {
 public:
  explicit GraphdefMutator(uint32_t seed) : random_(seed) {}

  std::string MutateBytes(std::string bytes) {
    const size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes && !bytes.empty(); ++i) {
      char& byte = bytes[Below(bytes.size())];
      byte = static_cast<char>(Below(2) == 0 ? byte ^ (1 << Below(8)) : static_cast<int>(Below(256)));
    }
    if (Below(8) == 0) bytes.resize(Below(bytes.size() + 1));
    return bytes;
  }

  // `bytes` must be a sound file.
  std::string MutateFields(const std::string& bytes) {
    graphdef::GraphDef graph;
    if (!graph.ParseFromString(bytes) || graph.node_size() == 0) return bytes;
    const size_t changes = 1 + Below(2);
    for (size_t i = 0; i < changes; ++i) MutateGraph(&graph);
    return graph.SerializeAsString();
  }

 private:
  using Nodes = google::protobuf::RepeatedPtrField<graphdef::NodeDef>;

  size_t Below(size_t limit) { return static_cast<size_t>(random_() % limit); }

  int64_t Number() {
    constexpr int64_t kNumbers[] = {0,  1,   -1,   2,     -2,    3,       4,         5,         7,        8,
                                    32, 255, 4096, 65536, 65537, 1 << 24, INT32_MAX, INT32_MIN, INT64_MAX};
    return kNumbers[Below(std::size(kNumbers))];
  }

  template <typename List>
  auto& Any(List* list) {
    return *list->Mutable(static_cast<int>(Below(static_cast<size_t>(list->size()))));
  }

  void MutateGraph(graphdef::GraphDef* graph) {
    auto* functions = graph->mutable_library()->mutable_function();
    if (functions->empty() || Below(3) != 0) return MutateNodes(graph->mutable_node());
    graphdef::FunctionDef& function = Any(functions);
    switch (Below(4)) {
      case 0:
        function.mutable_signature()->add_input_arg()->set_name("x" + std::to_string(Below(3)));
        return;
      case 1:
        function.mutable_signature()->set_name(Any(functions).signature().name());
        return;
      case 2:
        for (auto& [name, value] : *function.mutable_ret()) value = AnyName(function.node_def()) + ":" + SmallText();
        return;
      default:
        if (!function.node_def().empty()) MutateNodes(function.mutable_node_def());
    }
  }

  std::string SmallText() { return std::to_string(static_cast<int64_t>(Below(4)) - 1); }

  std::string AnyName(const Nodes& nodes) {
    return nodes.empty() ? "x" : nodes[static_cast<int>(Below(static_cast<size_t>(nodes.size())))].name();
  }

  void MutateNodes(Nodes* nodes) {
    graphdef::NodeDef& node = Any(nodes);
    switch (Below(8)) {
      case 0:  // other nodes, cycles, ports
        if (node.input_size() == 0) return node.add_input()->append(AnyName(*nodes)), void();
        node.set_input(static_cast<int>(Below(static_cast<size_t>(node.input_size()))),
                       (Below(5) == 0 ? "^" : "") + AnyName(*nodes) + (Below(3) == 0 ? ":" + SmallText() : ""));
        return;
      case 1:
        if (Below(2) == 0) {
          node.add_input(AnyName(*nodes));
        } else if (node.input_size() > 0) {
          node.mutable_input()->RemoveLast();
        }
        return;
      case 2:
        node.set_op(Any(nodes).op());
        return;
      case 3:
        if (!node.attr().empty()) node.mutable_attr()->erase(AnyKey(node));
        return;
      default:
        if (!node.attr().empty()) MutateValue(&Attribute(node, AnyKey(node)));
    }
  }

  std::string AnyKey(const graphdef::NodeDef& node) {
    auto entry = node.attr().begin();
    for (size_t i = Below(node.attr().size()); i > 0; --i) ++entry;
    return entry->first;
  }

  void MutateValue(graphdef::AttrValue* value) {
    switch (Below(8)) {
      case 0:
        return value->set_i(Number());
      case 1:
        return value->set_type(static_cast<int32_t>(Below(26)));
      case 2:
        return value->set_placeholder("T");
      default:
        break;
    }
    if (value->has_list() && value->list().i_size() > 0) {
      auto* list = value->mutable_list()->mutable_i();
      if (Below(4) == 0) return list->RemoveLast();
      list->Set(static_cast<int>(Below(static_cast<size_t>(list->size()))), Number());
    } else if (value->has_tensor()) {
      MutateTensor(value->mutable_tensor());
    } else if (value->has_shape()) {
      MutateShape(value->mutable_shape());
    } else if (value->value_case() == graphdef::AttrValue::kS) {
      constexpr const char* kTexts[] = {"SAME", "VALID", "EXPLICIT", "NHWC", "NCHW", "REFLECT", ""};
      value->set_s(kTexts[Below(std::size(kTexts))]);
    } else if (value->value_case() == graphdef::AttrValue::kB) {
      value->set_b(!value->b());
    } else if (value->value_case() == graphdef::AttrValue::kI) {
      value->set_i(Number());
    }
  }

  void MutateShape(graphdef::TensorShape* shape) {
    const size_t what = Below(6);
    if (what == 0) return shape->set_unknown_rank(true);
    if (what == 1 || shape->dim_size() == 0) return shape->add_dim()->set_size(Number());
    if (what == 2) return shape->mutable_dim()->RemoveLast();
    Any(shape->mutable_dim()).set_size(Below(2) == 0 ? Number() : static_cast<int64_t>(Below(8)));
  }

  // Weights, but also axes, pads and shapes.
  void MutateTensor(graphdef::ConstantTensor* tensor) {
    const auto number = static_cast<int32_t>(Below(2) == 0 ? Number() : static_cast<int64_t>(Below(9)) - 4);
    switch (Below(4)) {
      case 0:
        return MutateShape(tensor->mutable_shape());
      case 1:
        return tensor->set_dtype(static_cast<int32_t>(Below(26)));
      default:
        break;
    }
    if (tensor->int_val_size() > 0) {
      tensor->set_int_val(static_cast<int>(Below(static_cast<size_t>(tensor->int_val_size()))), number);
    } else if (!tensor->content().empty()) {
      std::string& content = *tensor->mutable_content();
      if (Below(4) == 0) return content.resize(Below(content.size() + 5));
      for (size_t i = 0, at = Below(content.size() / 4 + 1) * 4; i < 4 && at + i < content.size(); ++i) {
        content[at + i] = static_cast<char>(static_cast<uint32_t>(number) >> (8 * i));
      }
    } else {
      tensor->add_float_val(static_cast<float>(number));
    }
  }

  std::mt19937 random_;
};

}  // namespace bnn::test
