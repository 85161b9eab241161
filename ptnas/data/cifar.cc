#include "ptnas/data/cifar.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kCifarPixels = 3 * 32 * 32;

}  // namespace

void read_cifar(const fs::path& directory, const std::string& name, const CifarFile& layout,
                MemoryPart& part) {
  const fs::path file = directory / name;
  std::error_code none;
  if (!fs::exists(file, none)) {
    fail("expected {}'s binary files ({}) in {}, found no {}; name the directory that has them", layout.set,
         layout.files, directory.string(), name);
  }
  const std::string bytes = read_file(file);
  const std::size_t record = layout.labels + kCifarPixels;
  if (bytes.empty() || bytes.size() % record != 0) {
    fail("{} is not a {} binary file, or is truncated: it has {} bytes, expected a multiple of {}",
         file.string(), layout.set, bytes.size(), record);
  }
  for (std::size_t at = 0; at < bytes.size(); at += record) {
    part.labels.push_back(static_cast<unsigned char>(bytes[at + layout.labels - 1]));
    part.pixels.append(bytes, at + layout.labels, kCifarPixels);
  }
}

std::vector<std::string> read_class_names(const fs::path& file, std::size_t count) {
  std::vector<std::string> names;
  std::error_code none;
  if (!fs::exists(file, none)) return names;
  const std::string text = read_file(file);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", start), text.size());
    if (end > start) names.push_back(valid_utf8(text.substr(start, end - start)));
    start = end + 1;
  }
  if (names.size() != count) names.clear();
  return names;
}

}  // namespace ptnas
