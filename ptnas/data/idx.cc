// MNIST-like sets in IDX files, plain or gzipped, and Fashion-MNIST, which is one.

#include <algorithm>
#include <cstdint>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFashionMnistPath =
    "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist

std::string read_maybe_gzipped(const fs::path& directory, const std::string& name) {
  const fs::path plain = directory / name, gzipped = directory / (name + ".gz");
  std::error_code none;
  if (fs::exists(plain, none)) return read_file(plain);
  if (fs::exists(gzipped, none)) return gunzip(read_file(gzipped), gzipped.string());
  fail("expected {} or {}.gz in {}, found neither; name the directory that has an MNIST-like set", name, name,
       directory.string());
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Checks magic number and size, and returns the dimensions; the data follows them.
std::vector<std::uint32_t> read_header(const std::string& bytes, std::uint32_t magic,
                                       const std::string& file) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;  // no file here is as large
  const std::size_t dimensions = magic & 0xFF;
  const std::size_t header = 4 + 4 * dimensions;
  if (bytes.size() < header || big_endian(bytes, 0) != magic) {
    fail("{} is not an IDX file of {}: it does not begin with {:#010x} and {} sizes", file,
         dimensions == 1 ? "labels" : "images", magic, dimensions);
  }
  std::vector<std::uint32_t> sizes;
  std::uint64_t expected = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    sizes.push_back(big_endian(bytes, 4 + 4 * d));
    if (sizes.back() == 0) fail("{} is empty: its dimension {} is 0", file, d + 1);
    expected = sizes.back() > kMostBytes / expected ? kMostBytes : expected * sizes.back();
  }
  if (bytes.size() - header != expected) {
    fail("{} is truncated or damaged: its header promises {} bytes of data, it has {}", file, expected,
         bytes.size() - header);
  }
  return sizes;
}

struct Idx {
  MemoryPart part;
  std::uint32_t height, width;
};

Idx read_part(const fs::path& directory, const std::string& prefix) {
  constexpr std::uint32_t kLabels = 0x801, kImages = 0x803;  // unsigned bytes, one and three dimensions
  const std::string image_name = prefix + "-images-idx3-ubyte", label_name = prefix + "-labels-idx1-ubyte";
  std::string images = read_maybe_gzipped(directory, image_name);
  const std::string labels = read_maybe_gzipped(directory, label_name);
  const auto image_sizes = read_header(images, kImages, (directory / image_name).string());
  const auto label_sizes = read_header(labels, kLabels, (directory / label_name).string());
  if (image_sizes[0] != label_sizes[0]) {
    fail("{}: {} has {} images, but {} has {} labels", directory.string(), image_name, image_sizes[0],
         label_name, label_sizes[0]);
  }
  Idx idx{{}, image_sizes[1], image_sizes[2]};
  idx.part.pixels = images.erase(0, 16);
  for (std::size_t i = 8; i < labels.size(); ++i)
    idx.part.labels.push_back(static_cast<unsigned char>(labels[i]));
  return idx;
}

std::unique_ptr<Dataset> open_idx_directory(const fs::path& directory, DatasetInfo info) {
  std::error_code none;
  if (!fs::is_directory(directory, none)) {
    fail("expected a directory of IDX files at {}, found none", directory.string());
  }
  Idx train = read_part(directory, "train"), test = read_part(directory, "t10k");
  if (train.height != test.height || train.width != test.width) {
    fail("{}: training images are {}x{}, test images {}x{}", directory.string(), train.height, train.width,
         test.height, test.width);
  }
  info.channels = 1;
  info.height = static_cast<int>(train.height);
  info.width = static_cast<int>(train.width);
  if (info.classes.empty()) {
    const int most = *std::max_element(train.part.labels.begin(), train.part.labels.end());
    for (int label = 0; label <= most; ++label) info.classes.push_back(std::to_string(label));
  }
  return std::make_unique<MemoryDataset>(
      std::move(info), std::array{std::move(train.part), std::move(test.part)}, directory.string());
}

}  // namespace

std::unique_ptr<Dataset> open_idx(const std::string& path, const DataOptions&) {
  DatasetInfo info;
  info.name = "idx";
  return open_idx_directory(path, std::move(info));
}

std::unique_ptr<Dataset> open_fashion_mnist(const std::string& path, const DataOptions&) {
  const fs::path directory = path.empty() ? kFashionMnistPath : path;
  std::error_code none;
  if (!fs::is_directory(directory, none)) {
    fail(
        "Fashion-MNIST is not at {}; install the package dataset-fashion-mnist or give --data "
        "fashion-mnist:DIR",
        directory.string());
  }
  DatasetInfo info;
  info.name = "fashion-mnist";
  info.classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                  "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  // No constants of the field's for this set: mean and deviation are measured.
  return open_idx_directory(directory, std::move(info));
}

}  // namespace ptnas
