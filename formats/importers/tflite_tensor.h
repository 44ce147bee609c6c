// Constants of a .tflite file as tensors.
#pragma once

#include "bnn/status.h"
#include "formats/importers/stored_tensor.h"
#include "formats/importers/tflite_model.h"
#include "formats/tensor.h"

namespace bnn::formats {

// The elements in the file's order. int8 and uint8 with a scale become the floats that they stand for; int32 stays
// integers, also where it has a scale (of a bias, which is that of the products).
Result<Tensor> TensorFromTflite(const TfliteTensor& tensor);

// How the elements of a type are stored.
StoredType StoredTypeOf(TfliteType type);

}  // namespace bnn::formats
