// A dense array of numbers as it was read from a file: what .npy, idx and images have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bnn/status.h"

namespace bnn::run {

enum class DType { kBool, kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64, kF32, kF64 };

int64_t ItemSize(DType dtype);
const char* DTypeName(DType dtype);  // "uint8"
bool IsInteger(DType dtype);         // all but the floats; bool counts as an integer

// Row-major (last dimension varies fastest), items in the byte order of this machine.
struct Array {
  DType dtype = DType::kU8;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  int64_t size() const { return static_cast<int64_t>(data.size()) / ItemSize(dtype); }
};

// "[1,3,32,32]"
std::string ShapeString(std::span<const int64_t> shape);

// Bytes of an array, or an error where a dimension is negative or the product does not fit into 63 bits. `path` is for
// the message. Allocates nothing: headers are judged with it before their data is read.
Result<int64_t> ArrayBytes(std::span<const int64_t> shape, DType dtype, const std::string& path);

// Writes out.size() items, beginning with item `first`, as float32. 64-bit values round to nearest.
void CopyAsFloat(const Array& array, int64_t first, std::span<float> out);

// All items as integers. Floats, and unsigned values above the int64_t range, are errors.
Result<std::vector<int64_t>> ToIntegers(const Array& array, const std::string& path);

// Turns each item of `item_size` bytes around: big-endian to little-endian or back.
void ReverseItemBytes(std::span<std::byte> data, int64_t item_size);

}  // namespace bnn::run
