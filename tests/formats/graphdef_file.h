// Frozen TensorFlow graphs taken apart and put together, for tests of what a file may say.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "formats/importers/graphdef.pb.h"
#include "tests/formats/gz_cases.h"

namespace bnn::test {

namespace graphdef = formats::graphdef;

inline std::vector<OnnxCase> ReadGraphdefCases() { return ReadGzCases("graphdef.cases.gz"); }

inline graphdef::NodeDef& AddNode(google::protobuf::RepeatedPtrField<graphdef::NodeDef>* nodes, const std::string& name,
                                  const std::string& op, std::initializer_list<const char*> inputs) {
  graphdef::NodeDef& node = *nodes->Add();
  node.set_name(name);
  node.set_op(op);
  for (const char* input : inputs) node.add_input(input);
  return node;
}

inline graphdef::AttrValue& Attribute(graphdef::NodeDef& node, const std::string& key) {
  return (*node.mutable_attr())[key];
}

inline void SetInts(graphdef::NodeDef& node, const std::string& key, const std::vector<int64_t>& values) {
  auto* list = Attribute(node, key).mutable_list();
  list->clear_i();
  for (const int64_t value : values) list->add_i(value);
}

inline void SetShape(graphdef::TensorShape* shape, const std::vector<int64_t>& dims) {
  shape->clear_dim();
  for (const int64_t dim : dims) shape->add_dim()->set_size(dim);
}

// A graph by hand.
struct GraphdefFile {
  graphdef::GraphDef graph;

  graphdef::NodeDef& Add(const std::string& name, const std::string& op,
                         std::initializer_list<const char*> inputs = {}) {
    return AddNode(graph.mutable_node(), name, op, inputs);
  }
  graphdef::NodeDef& Placeholder(const std::string& name, const std::vector<int64_t>& dims) {
    graphdef::NodeDef& node = Add(name, "Placeholder");
    Attribute(node, "dtype").set_type(1);
    SetShape(Attribute(node, "shape").mutable_shape(), dims);
    return node;
  }
  // One float, repeated.
  graphdef::NodeDef& Floats(const std::string& name, const std::vector<int64_t>& dims, float value) {
    graphdef::NodeDef& node = Add(name, "Const");
    Attribute(node, "dtype").set_type(1);
    graphdef::ConstantTensor* tensor = Attribute(node, "value").mutable_tensor();
    tensor->set_dtype(1);
    SetShape(tensor->mutable_shape(), dims);
    tensor->add_float_val(value);
    return node;
  }
  graphdef::NodeDef& Integers(const std::string& name, const std::vector<int32_t>& values) {
    graphdef::NodeDef& node = Add(name, "Const");
    graphdef::ConstantTensor* tensor = Attribute(node, "value").mutable_tensor();
    tensor->set_dtype(3);
    SetShape(tensor->mutable_shape(), {static_cast<int64_t>(values.size())});
    for (const int32_t value : values) tensor->add_int_val(value);
    return node;
  }
  // A function of one argument "x" and one output "y", which is what `returned` names.
  graphdef::FunctionDef& Function(const std::string& name, const std::string& returned) {
    graphdef::FunctionDef& function = *graph.mutable_library()->add_function();
    function.mutable_signature()->set_name(name);
    function.mutable_signature()->add_input_arg()->set_name("x");
    function.mutable_signature()->add_output_arg()->set_name("y");
    (*function.mutable_ret())["y"] = returned;
    return function;
  }
  std::string Bytes() const { return graph.SerializeAsString(); }
};

}  // namespace bnn::test
