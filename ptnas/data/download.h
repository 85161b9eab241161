#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ptnas {

/// One file to be fetched.
struct Download {
  std::string url;             ///< http:// or https://
  std::filesystem::path part;  ///< where its bytes go; what is there already is gone on with
  std::string label;           ///< of messages
  std::uint64_t most_bytes;    ///< more is refused
};

/// Fetches the file whole. A transfer that breaks off is tried again from where it broke, several times, and
/// so is one of an earlier call with the same `url`, as long as the server says that the file is still the
/// same (its ETag or time, kept in PART.from); otherwise it starts anew. Progress goes to standard error.
/// Throws Error naming the address and what the server said; Interrupted where interrupt_requested(). In both
/// cases what has come stays. Not thread-safe for one `part`.
void download(const Download& what);

}  // namespace ptnas
