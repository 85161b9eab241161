#include "ptnas/core/zip.h"

#include <zlib.h>

#include <algorithm>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// Signatures and field offsets of APPNOTE.TXT 6.3.
constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint64_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kCentralSize = 46, kLocalSize = 30;
constexpr int kStored = 0, kDeflated = 8;
constexpr std::uint64_t kLargestInflated = std::uint64_t{1} << 30;  // of all members together
constexpr std::uint64_t kLargestRatio = 1032;                       // of deflate

}  // namespace

bool ZipArchive::looks_like_one(const std::string& content) {
  return content.starts_with("PK\x03\x04") || content.starts_with("PK\x05\x06");
}

ZipArchive::ZipArchive(std::string content, std::string what)
    : content_(std::move(content)), what_(std::move(what)) {
  read_directory();
}

std::uint64_t ZipArchive::number(std::uint64_t at, int bytes) const {
  if (at > content_.size() || content_.size() - at < static_cast<std::uint64_t>(bytes)) {
    fail("{} is a truncated or damaged zip archive", what_);
  }
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(content_[at + static_cast<std::uint64_t>(i)]);
  return value;
}

void ZipArchive::read_directory() {
  if (content_.size() < kEndSize) fail("{} is not a whole zip archive", what_);
  // The end record is followed by a comment of at most 65,535 bytes.
  std::uint64_t end = content_.size() - kEndSize;
  const std::uint64_t lowest = end > 65535 ? end - 65535 : 0;
  while (number(end, 4) != kEnd) {
    if (end == lowest) fail("{} is a truncated or damaged zip archive: it has no directory", what_);
    --end;
  }
  std::uint64_t count = number(end + 10, 2), at = number(end + 16, 4);
  if (end >= kLocatorSize && number(end - kLocatorSize, 4) == kLocator64) {
    const std::uint64_t end64 = number(end - kLocatorSize + 8, 8);
    if (end64 > content_.size() - std::min<std::uint64_t>(kEnd64Size, content_.size()) ||
        number(end64, 4) != kEnd64) {
      fail("{} is a damaged zip archive: its directory is not where it says", what_);
    }
    count = number(end64 + 32, 8);
    at = number(end64 + 48, 8);
  }
  if (count > content_.size() / kCentralSize)
    fail("{} is a damaged zip archive: too many members for its size", what_);
  std::uint64_t stored = 0, inflated = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name;
    const Member member = read_entry(at, name);
    // Members that share bytes, or that inflate without measure, are how small archives fill memories.
    if (member.compressed > content_.size() - stored ||
        (member.method != kStored && member.size > kLargestInflated - inflated)) {
      fail("{} is a truncated or damaged zip archive: {} is larger than can be", what_, name);
    }
    stored += member.compressed;
    if (member.method != kStored) inflated += member.size;
    if (!members_.emplace(name, member).second)
      fail("{} is a damaged zip archive: it has {} twice", what_, name);
  }
}

ZipArchive::Member ZipArchive::read_entry(std::uint64_t& at, std::string& name) const {
  if (number(at, 4) != kCentral) fail("{} is a damaged zip archive: its directory is broken", what_);
  Member member{number(at + 42, 4), number(at + 20, 4), number(at + 24, 4),
                static_cast<std::uint32_t>(number(at + 16, 4)), static_cast<int>(number(at + 10, 2))};
  const std::uint64_t name_size = number(at + 28, 2), extra_size = number(at + 30, 2),
                      comment_size = number(at + 32, 2);
  if (at + kCentralSize + name_size + extra_size + comment_size > content_.size()) {
    fail("{} is a truncated or damaged zip archive", what_);
  }
  name = content_.substr(at + kCentralSize, name_size);
  // Zip64: sizes that do not fit in 32 bits are in an extra field, in this order.
  std::uint64_t extra = at + kCentralSize + name_size;
  const std::uint64_t extra_end = extra + extra_size;
  while (extra + 4 <= extra_end) {
    const std::uint64_t id = number(extra, 2), size = number(extra + 2, 2);
    std::uint64_t field = extra + 4;
    if (size > extra_end - field) break;
    if (id == 1) {
      for (std::uint64_t* value : {&member.size, &member.compressed, &member.header_offset}) {
        if (*value != 0xFFFFFFFF || field + 8 > extra + 4 + size) continue;
        *value = number(field, 8);
        field += 8;
      }
    }
    extra += 4 + size;
  }
  at = extra_end + comment_size;
  return member;
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> result;
  for (const auto& [name, member] : members_) result.push_back(name);
  return result;
}

std::string ZipArchive::inflate_member(std::string_view raw, std::uint64_t size,
                                       const std::string& name) const {
  std::string data;
  bool good = size / kLargestRatio <= raw.size() && raw.size() <= kLargestInflated;
  if (good) {
    data.resize(size);
    z_stream stream = {};
    good = inflateInit2(&stream, -MAX_WBITS) == Z_OK;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
    stream.avail_in = static_cast<uInt>(raw.size());
    stream.next_out = reinterpret_cast<Bytef*>(data.data());
    stream.avail_out = static_cast<uInt>(size);
    good = good && inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
  }
  if (!good) fail("{}: {} cannot be decompressed", what_, name);
  return data;
}

std::string ZipArchive::read(const std::string& name) const {
  const auto found = members_.find(name);
  if (found == members_.end()) fail("{} has no member {}", what_, name);
  const Member& member = found->second;
  if (number(member.header_offset, 4) != kLocal)
    fail("{} is a damaged zip archive: {} is not where it says", what_, name);
  const std::uint64_t start = member.header_offset + kLocalSize + number(member.header_offset + 26, 2) +
                              number(member.header_offset + 28, 2);
  if (start > content_.size() || member.compressed > content_.size() - start) {
    fail("{} is a truncated or damaged zip archive: {} does not fit in it", what_, name);
  }
  const std::string_view raw = std::string_view(content_).substr(start, member.compressed);
  std::string data;
  if (member.method == kStored && member.compressed == member.size) {
    data = raw;
  } else if (member.method == kDeflated) {
    data = inflate_member(raw, member.size, name);
  } else {
    fail("{}: {} is stored by a method that this program does not read", what_, name);
  }
  const auto crc =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  if (crc != member.crc) fail("{}: {} is damaged (its checksum differs)", what_, name);
  return data;
}

}  // namespace ptnas
