#pragma once

#include <filesystem>
#include <string>

namespace ptnas {

/// The SHA-256 sum of a file in 64 lower-case hexadecimal digits. Throws Error naming the file; Interrupted
/// where interrupt_requested(). Thread-safe.
std::string sha256_of(const std::filesystem::path& path);

/// Whether `text` is a sum as sha256_of writes it.
bool is_sha256(const std::string& text);

}  // namespace ptnas
