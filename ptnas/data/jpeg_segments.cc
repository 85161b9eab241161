#include "ptnas/data/jpeg_segments.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace ptnas {

namespace {

constexpr int kUpright = 1;
constexpr std::uint32_t kApp1 = 0xE1, kApp14 = 0xEE, kStartOfScan = 0xDA;

// The byte at `at`, 0 beyond the end.
std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

// Data of the first segment with this marker that begins with `prefix`, the prefix left out; empty where
// there is none before the pixels. A segment: 0xFF (any number), marker, two bytes of length (which counts
// itself), data.
std::string_view find_segment(std::string_view jpeg, std::uint32_t marker, std::string_view prefix) {
  std::size_t at = 2;
  while (at + 4 <= jpeg.size() && byte_at(jpeg, at) == 0xFF) {
    if (byte_at(jpeg, at + 1) == 0xFF) {
      ++at;
      continue;
    }
    const std::size_t length = byte_at(jpeg, at + 2) << 8 | byte_at(jpeg, at + 3);
    if (byte_at(jpeg, at + 1) == kStartOfScan || length < 2) break;
    const std::string_view data = jpeg.substr(at + 4, length - 2);
    if (byte_at(jpeg, at + 1) == marker && data.starts_with(prefix)) return data.substr(prefix.size());
    at += 2 + length;
  }
  return {};
}

}  // namespace

int exif_orientation(std::string_view tiff) {
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3;
  constexpr std::size_t kEntryBytes = 12;
  const bool little = tiff.starts_with(std::string_view("II*\0", 4));
  if (!little && !tiff.starts_with(std::string_view("MM\0*", 4))) return kUpright;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | byte_at(tiff, at + (little ? bytes - 1 - i : i));
    return value;
  };
  // A directory: two bytes of count, then entries of tag, type, count and value.
  const std::size_t directory = number(4, 4), entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + kEntryBytes * i;
    if (entry + kEntryBytes > tiff.size()) break;
    if (number(entry, 2) != kOrientation || number(entry + 2, 2) != kShort) continue;
    const std::uint32_t value = number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

int jpeg_orientation(std::string_view jpeg) {
  return exif_orientation(find_segment(jpeg, kApp1, std::string_view("Exif\0\0", 6)));
}

bool has_adobe_segment(std::string_view jpeg) {
  return !find_segment(jpeg, kApp14, std::string_view("Adobe", 5)).empty();
}

}  // namespace ptnas
