#include "engine/choose_isa.h"

#include <cstdlib>

namespace bnn::engine {

Result<kernels::Isa> ChooseIsa(const std::string& option) {
  std::string name = option;
  std::string origin = "max_isa";
  if (name.empty()) {
    const char* environment = std::getenv("BNN_MAX_ISA");
    if (environment == nullptr || *environment == '\0') return kernels::BestIsa();
    name = environment;
    origin = "BNN_MAX_ISA";
  }
  kernels::Isa isa;
  if (!kernels::IsaFromName(name, &isa)) {
    std::string known;
    for (const kernels::Isa one : kernels::kAllIsas) known += std::string(known.empty() ? "" : ", ") + IsaName(one);
    return InvalidArgument(origin + ": found '" + name + "', expected one of " + known);
  }
  if (!kernels::IsaSupported(isa)) {
    return Unsupported(origin + ": this CPU lacks '" + name + "', its best is '" + IsaName(kernels::BestIsa()) + "'");
  }
  return isa;
}

}  // namespace bnn::engine
