#include "ptnas/cli/version.h"

#include <fmt/format.h>
#include <torch/version.h>

#include "ptnas/kernels/vector_target.h"

namespace ptnas {

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

}  // namespace

// The build system passes the versions it found (ptnas/CMakeLists.txt).
std::string version_text() {
  return fmt::format(
      "ptnas {}\nbuild: {} by {}\nvector target: {} (compiled for: {})\nlibraries: libtorch {}, {}",
      PTNAS_VERSION, PTNAS_BUILD, kCompiler, kernels::vector_target(),
      fmt::join(kernels::vector_targets(), ", "), TORCH_VERSION, PTNAS_LIBRARIES);
}

}  // namespace ptnas
