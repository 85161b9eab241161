// CIFAR-10's own binary files: records of one label byte and 3072 pixel bytes, red, green, blue planes of
// 32x32.

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPixels = 3 * 32 * 32, kRecord = 1 + kPixels;

void read_records(const fs::path& directory, const std::string& name, MemoryPart& part) {
  const fs::path file = directory / name;
  std::error_code none;
  if (!fs::exists(file, none)) {
    fail(
        "expected CIFAR-10's binary files (data_batch_1.bin .. data_batch_5.bin, test_batch.bin) in {}, "
        "found no {}; name the directory that has them",
        directory.string(), name);
  }
  const std::string bytes = read_file(file);
  if (bytes.empty() || bytes.size() % kRecord != 0) {
    fail("{} is not a CIFAR-10 binary file, or is truncated: it has {} bytes, expected a multiple of {}",
         file.string(), bytes.size(), kRecord);
  }
  for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
    part.labels.push_back(static_cast<unsigned char>(bytes[at]));
    part.pixels.append(bytes, at + 1, kPixels);
  }
}

std::vector<std::string> class_names(const fs::path& directory) {
  std::vector<std::string> names;
  const fs::path file = directory / "batches.meta.txt";
  std::error_code none;
  if (fs::exists(file, none)) {
    const std::string text = read_file(file);
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find_first_of("\r\n", start), text.size());
      if (end > start) names.push_back(valid_utf8(text.substr(start, end - start)));
      start = end + 1;
    }
  }
  if (names.size() != 10) {
    names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  return names;
}

}  // namespace

std::unique_ptr<Dataset> open_cifar10(const std::string& path, const DataOptions&) {
  const fs::path directory = path;
  std::array<MemoryPart, 2> parts;
  for (int batch = 1; batch <= 5; ++batch)
    read_records(directory, fmt::format("data_batch_{}.bin", batch), parts[0]);
  read_records(directory, "test_batch.bin", parts[1]);
  DatasetInfo info;
  info.name = "cifar10";
  info.classes = class_names(directory);
  info.channels = 3;
  info.height = info.width = 32;
  // The published constants of DARTS' own normalisation.
  info.mean = {0.49139968, 0.48215827, 0.44653124};
  info.deviation = {0.24703233, 0.24348505, 0.26158768};
  return std::make_unique<MemoryDataset>(std::move(info), std::move(parts), directory.string());
}

}  // namespace ptnas
