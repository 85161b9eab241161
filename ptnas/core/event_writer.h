#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ptnas {

/// Appends TensorBoard events to one file: TFRecord framing (length, masked CRC-32C of the length, data,
/// masked CRC-32C of the data) around protocol-buffer Event messages. Events stay in memory until flush().
/// Not thread-safe.
class EventWriter {
 public:
  /// Opens `path` for appending; writes the version event when the file is new. Throws Error.
  explicit EventWriter(std::filesystem::path path);

  /// One scalar; `wall_time` in seconds since 1970.
  void scalar(std::string_view tag, double value, std::int64_t step, double wall_time);
  /// A histogram of the finite ones of `values` (nothing when there are none) with TensorBoard's usual
  /// buckets.
  void histogram(std::string_view tag, const std::vector<double>& values, std::int64_t step,
                 double wall_time);
  /// Appends what is buffered to the file and syncs it. Throws Error; what is buffered then stays so.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void record(const std::string& event);
  std::filesystem::path path_;
  std::string buffer_;
};

/// CRC-32C (Castagnoli) of `data`.
std::uint32_t crc32c(std::string_view data);

}  // namespace ptnas
