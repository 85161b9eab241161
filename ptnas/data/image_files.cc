#include "ptnas/data/image_files.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/data/class_folders.h"
#include "ptnas/data/imagenet_augmentation.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// The middle `height` by `width` of a larger image.
Image centre_of(const Image& image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  Image result{width, height, image.channels, {}};
  const int top = (image.height - height) / 2, left = (image.width - width) / 2;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* line =
        image.pixels.data() + (static_cast<std::ptrdiff_t>(top + y) * image.width + left) * image.channels;
    result.pixels.insert(result.pixels.end(), line,
                         line + static_cast<std::ptrdiff_t>(width) * image.channels);
  }
  return result;
}

std::vector<fs::path> list_folder(const fs::path& directory) {
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(directory); entry != fs::end(entry); ++entry) {
    if (is_hidden(entry->path())) {
      if (entry->is_directory()) entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_image_file(entry->path())) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<fs::path> find_images(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path, none))
    fail("expected an image or a directory of images at {}, found none", path.string());
  if (!fs::is_directory(path, none)) return {path};
  try {
    std::vector<fs::path> files = list_folder(path);
    if (files.empty()) fail("{} has no PNG or JPEG images", path.string());
    return files;
  } catch (const fs::filesystem_error& error) {
    fail("cannot list the images in {}: {}", error.path1().string(), error.code().message());
  }
}

Image view_of(const Image& image, const DatasetInfo& info) {
  if (info.name == "imagenet" && info.width == info.height)
    return with_channels(imagenet_test_view(image, info.width), info.channels);
  const bool fits = image.width == info.width && image.height == info.height;
  const Image fitted =
      fits ? image : centre_of(fit_square(image, std::max(info.width, info.height)), info.height, info.width);
  return with_channels(fitted, info.channels);
}

ImageFiles::ImageFiles(DatasetInfo info, std::vector<fs::path> files, bool skip_bad)
    : files_(std::move(files)), skip_bad_(skip_bad), faults_(files_.size()) {
  info_ = std::move(info);
}

void ImageFiles::read(Part, std::int64_t index, std::uint8_t* pixels) const {
  const auto number = static_cast<std::size_t>(index);
  const fs::path& file = files_.at(number);
  const auto channels = static_cast<std::size_t>(info_.channels);
  const std::size_t plane = image_bytes() / channels;
  try {
    const Image image = view_of(decode_image(read_file(file), file.string()), info_);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < plane; ++i) *pixels++ = image.pixels[i * channels + c];
  } catch (const Error& error) {
    if (!skip_bad_) throw;
    faults_[number] = error.what();
    std::fill(pixels, pixels + plane * channels, std::uint8_t{0});
  }
}

}  // namespace ptnas
