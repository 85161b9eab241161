#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ptnas/data/dataset.h"
#include "ptnas/data/image.h"

namespace ptnas {

/// The image files that a path stands for: itself, or of a directory all PNG and JPEG files in it and in its
/// folders, sorted, hidden ones left out. Throws Error: nothing is there, or a directory has no images.
std::vector<std::filesystem::path> find_images(const std::filesystem::path& path);

/// An image as the test part of `info`'s data set would show it (`imagenet`: the middle of it, resized;
/// others: as it is where the size is right, else resized and cropped), [info.height, info.width,
/// info.channels].
Image view_of(const Image& image, const DatasetInfo& info);

/// Image files without labels as the test part of a data set (all labels are 0; there is no training part),
/// so that batches of them are made like any others. Each is decoded when it is read.
class ImageFiles final : public Dataset {
 public:
  /// `info`: of the network that will see them. `skip_bad`: an image that cannot be read is black and has a
  /// fault; else reading it throws Error.
  ImageFiles(DatasetInfo info, std::vector<std::filesystem::path> files, bool skip_bad);

  std::int64_t size(Part part) const override {
    return part == Part::kTest ? static_cast<std::int64_t>(files_.size()) : 0;
  }
  int label(Part, std::int64_t) const override { return 0; }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override;

  const std::vector<std::filesystem::path>& files() const { return files_; }
  /// Why a file that was read could not be; empty where it could. For after all reading.
  const std::string& fault(std::int64_t index) const { return faults_.at(static_cast<std::size_t>(index)); }

 private:
  std::vector<std::filesystem::path> files_;
  bool skip_bad_;
  mutable std::vector<std::string> faults_;  ///< by file: each is written by the one thread that reads it
};

}  // namespace ptnas
