#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ptnas {

/// Decompresses bzip2 data (one stream or several, as bunzip2 does). Throws Error naming `what` when it is
/// not bzip2, is damaged or truncated, or exceeds `limit` bytes. Thread-safe.
std::string bunzip2(std::string_view compressed, const std::string& what, std::uint64_t limit);

}  // namespace ptnas
