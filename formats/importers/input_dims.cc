#include "formats/importers/input_dims.h"

#include <algorithm>
#include <utility>

#include "formats/shape_inference.h"

namespace bnn::formats {
namespace {

Status CheckInputDims(const std::string& what, const Dims& dims) {
  for (const int64_t dim : dims) {
    if (dim < 1) return InvalidModel(what + " has a dim of " + std::to_string(dim));
  }
  return CheckDims(what, dims);
}

}  // namespace

Result<InputDims> ResolveInputDims(const std::string& input, const std::optional<std::vector<DeclaredDim>>& declared,
                                   const ImportOptions& options) {
  const std::string what = "input '" + input + "'";
  const std::string hint = "; give it with --shape " + input + "=N,...";
  const auto found = options.input_shapes.find(input);
  const Dims* given = found == options.input_shapes.end() ? nullptr : &found->second;
  InputDims result;
  if (!declared.has_value()) {
    if (given == nullptr) return Unsupported(what + " has no shape" + hint);
    result.dims = *given;
    BNN_RETURN_IF_ERROR(CheckInputDims(what, result.dims));
    return result;
  }
  if (given != nullptr && given->size() != declared->size()) {
    return InvalidArgument(what + " has " + std::to_string(declared->size()) + " dims, --shape gives " +
                           DimsToString(*given));
  }
  for (size_t i = 0; i < declared->size(); ++i) {
    const DeclaredDim& dim = (*declared)[i];
    if (dim.value.has_value()) {
      if (given != nullptr && (*given)[i] != *dim.value) {
        return InvalidArgument(what + " has a dim " + std::to_string(i) + " of " + std::to_string(*dim.value) +
                               ", --shape gives " + DimsToString(*given));
      }
      result.dims.push_back(*dim.value);
    } else if (given != nullptr) {
      result.dims.push_back((*given)[i]);
      if (i == 0) result.batch_is_open = (*given)[0] == 1;
    } else if (i == 0) {
      result.dims.push_back(1);
      result.batch_is_open = true;
    } else {
      const std::string symbol = dim.symbol.empty() ? "" : " ('" + dim.symbol + "')";
      return Unsupported(what + ": dim " + std::to_string(i) + symbol + " is open" + hint);
    }
  }
  BNN_RETURN_IF_ERROR(CheckInputDims(what, result.dims));
  return result;
}

Status CheckGivenShapes(const std::vector<std::string>& inputs, const ImportOptions& options) {
  for (const auto& [name, dims] : options.input_shapes) {
    if (std::find(inputs.begin(), inputs.end(), name) == inputs.end()) {
      return InvalidArgument("--shape names '" + name + "', which is no input");
    }
  }
  return OkStatus();
}

}  // namespace bnn::formats
