#pragma once

#include <string>

namespace ptnas {

/// What `ptnas --version` prints: the version alone on the first line as "ptnas X.Y.Z", then the build, the
/// vector instructions in use here and the versions of the libraries. Thread-safe.
std::string version_text();

}  // namespace ptnas
