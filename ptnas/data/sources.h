#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ptnas/data/dataset.h"

namespace ptnas {

// The makers of dataset_table.cc, one file each; `path` is what followed NAME: in --data (empty where nothing
// did).
std::unique_ptr<Dataset> open_fashion_mnist(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_idx(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_cifar10(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_cifar100(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_svhn(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_imagenet16_120(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_imagenet(const std::string& path, const DataOptions& options);
std::unique_ptr<Dataset> open_folder(const std::string& path, const DataOptions& options);
/// As open_folder, keeping at most `cache_bytes` of decoded images in memory.
std::unique_ptr<Dataset> open_folder(const std::string& path, const DataOptions& options,
                                     std::uint64_t cache_bytes);

/// The images of one part, [count, C, H, W] bytes and labels.
struct MemoryPart {
  std::string pixels;
  std::vector<int> labels;
};

/// A data set held in memory whole.
class MemoryDataset final : public Dataset {
 public:
  /// Checks labels and classes, orders a training part that is stored class by class, measures mean and
  /// deviation unless `info` has them. Throws Error naming `what`.
  MemoryDataset(DatasetInfo info, std::array<MemoryPart, 2> parts, const std::string& what);
  std::int64_t size(Part part) const override { return static_cast<std::int64_t>(of(part).labels.size()); }
  int label(Part part, std::int64_t index) const override {
    return of(part).labels.at(static_cast<std::size_t>(index));
  }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override;

 private:
  const MemoryPart& of(Part part) const { return parts_[static_cast<std::size_t>(part)]; }
  std::array<MemoryPart, 2> parts_;
};

/// The position of every image in the order of use: as stored, or, where each class lies in one piece, a
/// fixed pseudo-random order (RandomStream(0, kDataOrder)).
std::vector<std::int64_t> order_of_use(const std::vector<int>& labels);

/// Throws Error where a label lies outside 0 .. classes - 1, a part is empty, or a class has no training
/// image.
void check_labels(const Dataset& dataset, const std::string& what);

/// Sets mean and deviation of pixel / 255 by channel, measured on `most` images of the training part, evenly
/// spaced (all where there are fewer).
void measure_pixels(const Dataset& dataset, DatasetInfo& info, std::int64_t most);

/// --image-size, or `usual` where it is 0. Throws Error(kUsage) out of 8 to 4096.
int image_side(const DataOptions& options, int usual);

/// A name from a file or a file system as valid UTF-8 (U+FFFD for what is not), as JSON needs it.
std::string valid_utf8(const std::string& name);

}  // namespace ptnas
