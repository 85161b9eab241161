#pragma once

#include <cstdint>
#include <filesystem>

namespace ptnas {

/// How much an archive may hold.
struct UnpackLimits {
  std::uint64_t bytes = 16ull << 30;
  std::uint64_t entries = 200'000;
};

/// Unpacks the files of a tar or zip archive (plain, gzip, bzip2, xz or zstd) into the empty directory
/// `into`, without the folder that all lie in, where they do. Folders and plain files only: a link, a device,
/// a path that is absolute or has `..` in it, or one that stands twice, is refused by its name. Throws Error,
/// also for a damaged archive and for more than `limits`; Interrupted where interrupt_requested(). What was
/// written by then stays in `into`. Not thread-safe for one `into`.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& into,
            const UnpackLimits& limits = {});

}  // namespace ptnas
