#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ptnas/data/sources.h"

namespace ptnas {

// What data sets of one folder a class share.

/// True for a name that begins with a dot.
bool is_hidden(const std::filesystem::path& path);

/// Names of the folders in `directory`, sorted; hidden ones are left out. Throws filesystem_error.
std::vector<std::string> class_folders(const std::filesystem::path& directory);

/// True for a name that ends as those of PNG and JPEG files do, in capitals or not.
bool has_image_name(const std::filesystem::path& file);

/// True for a file that is an image by its name, or else by its first bytes.
bool is_image_file(const std::filesystem::path& file);

/// Calls `work` for 0 .. count - 1 on the process's cores; rethrows the first exception.
void for_each_index(std::size_t count, const std::function<void(std::size_t)>& work);

/// Puts images, each with a `label`, in the order of use (order_of_use()).
template <typename Entry>
void put_in_order_of_use(std::vector<Entry>& images) {
  std::vector<int> labels;
  for (const Entry& image : images) labels.push_back(image.label);
  std::vector<Entry> ordered;
  for (const std::int64_t i : order_of_use(labels))
    ordered.push_back(std::move(images[static_cast<std::size_t>(i)]));
  images = std::move(ordered);
}

}  // namespace ptnas
