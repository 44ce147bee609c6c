// Collects why better kernels were refused, for the plan.
#pragma once

#include <string>

namespace bnn::engine {

// A kernels::RefusalFn whose context is a std::string*.
inline void AppendRefusal(void* context, const char* kernel, const char* reason) {
  auto* text = static_cast<std::string*>(context);
  if (!text->empty()) *text += "; ";
  *text += std::string(kernel) + ": " + reason;
}

// Joins the parts of a reason that are not empty.
inline std::string JoinReasons(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;
  return a + "; " + b;
}

}  // namespace bnn::engine
