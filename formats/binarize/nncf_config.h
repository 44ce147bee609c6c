// NNCF's configuration of its binarization: JSON with comments, as users wrote it for NNCF up to 2.9.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bnn/status.h"

namespace bnn::formats {

enum class NncfMode : uint8_t {
  kXnor,   // weights: +-mean |w| of each output channel
  kDorefa  // weights: +-mean |w| of the layer
};

struct NncfConfig {
  NncfMode mode = NncfMode::kXnor;
  std::vector<std::string> ignored_scopes;
  std::optional<std::vector<std::string>> target_scopes;  // nothing: all layers
  bool validate_scopes = true;                            // a scope that matches nothing is an error
  std::vector<std::string> training_keys;                 // present, correct, and without meaning for a conversion
};

// `file` is for messages. kInvalidArgument, naming the key, for keys that NNCF does not document, values of a wrong
// type and algorithms other than binarization. `compression` may be an object or a list of one; comments and commas
// before a closing bracket are allowed, as in NNCF's own documentation.
Result<NncfConfig> ParseNncfConfig(const std::string& text, const std::string& file);

Result<NncfConfig> ReadNncfConfig(const std::string& path);

}  // namespace bnn::formats
