#include "bench/environment.h"

#include <time.h>

#include <fstream>
#include <string>
#include <thread>

#include "bench/peers.h"
#include "kernels/cpu_features.h"

namespace bnn::bench {
namespace {

// As Linux gives it.
std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  std::string name = "unknown", family, model;
  for (std::string line; std::getline(file, line) && !line.empty();) {  // the first processor
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.rfind("model name", 0) == 0) {
      name = value;
    } else if (line.rfind("cpu family", 0) == 0) {
      family = value;
    } else if (line.rfind("model\t", 0) == 0) {
      model = value;
    }
  }
  // Virtual machines shorten the name; the numbers tell the core.
  return family.empty() ? name : name + " (family " + family + ", model " + model + ")";
}

std::string Compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

std::string Now() {
  const time_t now = time(nullptr);
  tm utc = {};
  gmtime_r(&now, &utc);
  char text[32];
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

nlohmann::ordered_json Environment() {
  nlohmann::ordered_json json;
  json["cpu"] = CpuName();
  json["cores"] = std::thread::hardware_concurrency();
  std::string isas;
  for (const kernels::Isa isa : kernels::kAllIsas) {
    if (isa != kernels::Isa::kReference && kernels::IsaSupported(isa)) isas += std::string(" ") + kernels::IsaName(isa);
  }
  json["isas"] = isas.empty() ? "" : isas.substr(1);
  json["compiler"] = Compiler();
  json["flags"] = BNN_BENCH_FLAGS;
  json["peers"] = PeerVersion();
  json["date"] = Now();
  return json;
}

}  // namespace bnn::bench
