#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace ptnas {

/// The whole file as bytes. Throws Error naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` by `content` so that a reader, or a crash at any moment, sees the old file or the new one:
/// written beside, synced, renamed, directory synced. Throws Error (a full disk, no permission) and then
/// leaves the old file untouched and no temporary one behind.
void write_file(const std::filesystem::path& path, std::string_view content);
/// The same with a content of several parts, one after the other, that need no copy.
void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts);

/// Appends `content` and syncs. Throws Error and then leaves the file as long as it was.
void append_file(const std::filesystem::path& path, std::string_view content);

/// Cuts the file to its first `size` bytes (creates it empty when absent). Throws Error when it is shorter.
void truncate_file(const std::filesystem::path& path, std::uint64_t size);

/// Size in bytes; 0 where there is no file.
std::uint64_t file_size_or_zero(const std::filesystem::path& path);

/// An exclusive advisory lock on a file, held for the object's life; released by the kernel when the process
/// dies.
class FileLock {
 public:
  /// Throws Error saying which process holds it when another one does.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

 private:
  int descriptor_ = -1;
};

/// Inflates gzip data (one member or several, as gunzip does). Throws Error naming `what` when it is not
/// gzip, is damaged or exceeds `limit` bytes.
std::string gunzip(std::string_view compressed, const std::string& what, std::uint64_t limit = 1ull << 32);

}  // namespace ptnas
