// The options of builtin operators.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "formats/importers/tflite_generated.h"
#include "formats/importers/tflite_graph.h"
#include "formats/importers/tflite_model.h"

namespace bnn::formats {

// The operator's options, of the table that it must have.
template <typename Options>
Result<const Options*> TfliteOptions(const TfliteOperator& op) {
  const auto expected = tflite::BuiltinOptionsTraits<Options>::enum_value;
  const void* options = op.table->builtin_options();
  if (op.table->builtin_options_type() != expected || options == nullptr) {
    return TfliteError(op, "field builtin_options is of type " + std::to_string(op.table->builtin_options_type()) +
                               ", expected " + std::to_string(expected) + " (" +
                               tflite::EnumNameBuiltinOptions(expected) + ")");
  }
  return static_cast<const Options*>(options);
}

}  // namespace bnn::formats
