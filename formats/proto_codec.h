// ModelDef <-> the protobuf messages of bnn_model.proto. Pure translation: the rules are Validate()'s.
#pragma once

#include "bnn/status.h"
#include "formats/bnn_model.pb.h"
#include "formats/model_def.h"

namespace bnn::formats {

// The structure section of `model`; the blobs' data is not part of it.
proto::Model ToProto(const ModelDef& model);

// The model with empty blob data. Moves strings out of `message`. Errors: kUnsupported for critical unknown fields
// (which unknown enum values are, too), kInvalidModel for a node without operator and for a blob whose data_bytes do
// not fit its dims.
Result<ModelDef> FromProto(proto::Model&& message);

}  // namespace bnn::formats
