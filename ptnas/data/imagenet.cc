// ImageNet: train/ and val/ with one folder of JPEG files a class, each image of its own size, decoded at
// each use by the loader's threads.

#include <algorithm>
#include <atomic>
#include <iterator>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/log.h"
#include "ptnas/core/random.h"
#include "ptnas/data/class_folders.h"
#include "ptnas/data/imagenet_augmentation.h"
#include "ptnas/data/sources.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr int kImagenetSide = 224;
constexpr const char* kFolders[2] = {"train", "val"};

struct ImagenetFile {
  std::string name;  ///< in its class's folder
  int label;
};

std::vector<std::string> folders_of(const fs::path& root, const char* part) {
  const fs::path directory = root / part;
  std::error_code none;
  if (!fs::is_directory(directory, none)) {
    fail("expected ImageNet in {}, folders train/ and val/ of one folder per class, found no {}/",
         root.string(), part);
  }
  std::vector<std::string> names = class_folders(directory);
  if (names.empty()) {
    fail("{}: expected one folder per class, found none; sort the images into folders of their classes",
         directory.string());
  }
  return names;
}

// Both parts must have the same classes.
std::vector<std::string> find_classes(const fs::path& root) {
  std::vector<std::string> train = folders_of(root, kFolders[0]), test = folders_of(root, kFolders[1]);
  const auto missing = [](const std::vector<std::string>& from, const std::vector<std::string>& in) {
    std::vector<std::string> names;
    std::set_difference(from.begin(), from.end(), in.begin(), in.end(), std::back_inserter(names));
    return names;
  };
  for (int part = 0; part < 2; ++part) {
    const std::vector<std::string> names = part == 0 ? missing(test, train) : missing(train, test);
    if (names.empty()) continue;
    fail(
        "{}: {} of the classes have no folder in {}/, the first is {}; both parts must have the same classes",
        root.string(), names.size(), kFolders[part], valid_utf8(names.front()));
  }
  return train;
}

class ImagenetDataset final : public Dataset {
 public:
  ImagenetDataset(const fs::path& root, const DataOptions& options)
      : root_(root), folders_(find_classes(root)) {
    info_.name = "imagenet";
    info_.height = info_.width = image_side(options, kImagenetSide);
    for (const std::string& name : folders_) info_.classes.push_back(valid_utf8(name));
    // The published constants.
    info_.mean = {0.485, 0.456, 0.406};
    info_.deviation = {0.229, 0.224, 0.225};
    for (const Part part : {Part::kTrain, Part::kTest}) {
      list_images(part);
      if (options.skip_bad_images) leave_out_bad(part);
      check_every_class(part);
    }
    put_in_order_of_use(parts_[0]);
    check_labels(*this, root.string());
  }

  std::int64_t size(Part part) const override { return static_cast<std::int64_t>(of(part).size()); }
  int label(Part part, std::int64_t index) const override {
    return of(part).at(static_cast<std::size_t>(index)).label;
  }
  void read(Part part, std::int64_t index, std::uint8_t* pixels) const override {
    write_planes(imagenet_test_view(image_at(part, index), info_.width), pixels);
  }
  bool read_augmented(Part part, std::int64_t index, RandomStream& stream,
                      std::uint8_t* pixels) const override {
    write_planes(imagenet_training_view(image_at(part, index), info_.width, stream), pixels);
    return true;
  }

  Json describe() const override {
    Json json = Dataset::describe();
    json["left_out"] = left_out_;
    return json;
  }

 private:
  const std::vector<ImagenetFile>& of(Part part) const { return parts_[static_cast<std::size_t>(part)]; }
  fs::path directory_of(Part part, int label) const {
    return root_ / kFolders[static_cast<std::size_t>(part)] / folders_[static_cast<std::size_t>(label)];
  }
  Image decode(Part part, std::int64_t index) const {
    const ImagenetFile& entry = of(part).at(static_cast<std::size_t>(index));
    const fs::path file = directory_of(part, entry.label) / entry.name;
    return decode_image(read_file(file), file.string());
  }

  Image image_at(Part part, std::int64_t index) const {
    try {
      return decode(part, index);
    } catch (const Error& error) {
      fail("{}; mend it, or begin anew with --skip-bad-images", error.what());
    }
  }

  // [H, W, 3] to [3, H, W].
  static void write_planes(const Image& image, std::uint8_t* pixels) {
    const std::size_t plane = image.pixels.size() / 3;
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t i = 0; i < plane; ++i) *pixels++ = image.pixels[3 * i + c];
    }
  }

  // By name alone: to look into a million files would take long.
  void list_images(Part part) {
    std::vector<std::vector<std::string>> files(folders_.size());
    std::atomic<std::int64_t> others{0};
    for_each_index(folders_.size(), [&](std::size_t label) {
      for (const fs::directory_entry& entry :
           fs::directory_iterator(directory_of(part, static_cast<int>(label)))) {
        if (is_hidden(entry.path())) continue;
        if (entry.is_regular_file() && has_image_name(entry.path())) {
          files[label].push_back(entry.path().filename().string());
        } else {
          ++others;
        }
      }
      std::sort(files[label].begin(), files[label].end());
    });
    std::vector<ImagenetFile>& entries = parts_[static_cast<std::size_t>(part)];
    for (std::size_t label = 0; label < files.size(); ++label) {
      for (std::string& name : files[label]) entries.push_back({std::move(name), static_cast<int>(label)});
    }
    if (others > 0) {
      log_warning(fmt::format("{}: {} no PNG or JPEG and left out",
                              (root_ / kFolders[static_cast<std::size_t>(part)]).string(),
                              others == 1 ? "1 file is" : fmt::format("{} files are", others.load())));
    }
  }

  // Decodes every image.
  void leave_out_bad(Part part) {
    std::vector<ImagenetFile>& entries = parts_[static_cast<std::size_t>(part)];
    log_info("reading {} images of {}", entries.size(),
             (root_ / kFolders[static_cast<std::size_t>(part)]).string());
    std::vector<std::string> faults(entries.size());
    for_each_index(entries.size(), [&](std::size_t i) {
      try {
        decode(part, static_cast<std::int64_t>(i));
      } catch (const Error& error) {
        faults[i] = error.what();
      }
    });
    std::vector<ImagenetFile> good;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (faults[i].empty()) {
        good.push_back(std::move(entries[i]));
        continue;
      }
      log_warning("left out: " + faults[i]);
      const fs::path file = directory_of(part, entries[i].label) / entries[i].name;
      left_out_.push_back(valid_utf8(file.lexically_relative(root_).generic_string()));
    }
    entries = std::move(good);
  }

  void check_every_class(Part part) const {
    std::vector<bool> found(folders_.size(), false);
    for (const ImagenetFile& entry : of(part)) found[static_cast<std::size_t>(entry.label)] = true;
    const auto empty = std::find(found.begin(), found.end(), false);
    if (empty == found.end()) return;
    fail("{} has no images; add some or remove the class from train/ and val/",
         valid_utf8(directory_of(part, static_cast<int>(empty - found.begin())).string()));
  }

  fs::path root_;
  std::vector<std::string> folders_;
  std::array<std::vector<ImagenetFile>, 2> parts_;
  std::vector<std::string> left_out_;
};

}  // namespace

std::unique_ptr<Dataset> open_imagenet(const std::string& path, const DataOptions& options) {
  try {
    return std::make_unique<ImagenetDataset>(path, options);
  } catch (const fs::filesystem_error& error) {
    fail("cannot list the images in {}: {}", error.path1().string(), error.code().message());
  }
}

}  // namespace ptnas
