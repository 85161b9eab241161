#include <sys/utsname.h>

#include <fstream>

#include "ptnas/core/run_directory.h"

namespace ptnas {

namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// The widest vector instructions here: what decides the order of floating-point sums in the libraries.
std::string vector_target() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "avx512";
  if (__builtin_cpu_supports("avx2")) return "avx2";
  return "scalar";
#elif defined(__aarch64__)
  return "neon";
#else
  return "scalar";
#endif
}

}  // namespace

Json describe_environment(const std::vector<std::string>& command_line, int threads) {
  Json environment = versioned("ptnas-environment", 1);
  environment["ptnas"] = PTNAS_VERSION;
#if defined(__clang__)
  environment["compiler"] = __VERSION__;
#else
  environment["compiler"] = "gcc " __VERSION__;
#endif
  utsname system = {};
  uname(&system);
  environment["kernel"] = std::string(system.sysname) + " " + system.release;
  environment["machine"] = system.machine;
  environment["cpu"] = cpu_model();
  environment["vector_target"] = vector_target();
  environment["threads"] = threads;
  environment["command_lines"] = Json::array({command_line});
  return environment;
}

}  // namespace ptnas
