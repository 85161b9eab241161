#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ptnas {

/// A zip archive in memory, for reading, Zip64 too. Members are stored or deflated; every offset, size and
/// checksum is checked. Safe to read from several threads.
class ZipArchive {
 public:
  /// Throws Error naming `what` when `content` is no zip archive or is damaged.
  ZipArchive(std::string content, std::string what);

  bool has(const std::string& name) const { return members_.contains(name); }
  std::vector<std::string> names() const;
  /// The member's data. Throws Error when there is none of that name, or it is damaged.
  std::string read(const std::string& name) const;

  /// True where `content` begins as a zip archive does.
  static bool looks_like_one(const std::string& content);

 private:
  struct Member {
    std::uint64_t header_offset, compressed, size;
    std::uint32_t crc;
    int method;
  };
  std::uint64_t number(std::uint64_t at, int bytes) const;
  void read_directory();
  Member read_entry(std::uint64_t& at, std::string& name) const;
  std::string inflate_member(std::string_view raw, std::uint64_t size, const std::string& name) const;

  std::string content_, what_;
  std::map<std::string, Member> members_;
};

}  // namespace ptnas
