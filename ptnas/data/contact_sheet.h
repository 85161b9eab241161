#pragma once

#include <filesystem>

#include "ptnas/data/dataset.h"

namespace ptnas {

/// Writes a PNG with one row per class of its first `per_class` training images. Throws Error.
void write_contact_sheet(const Dataset& dataset, const std::filesystem::path& path, int per_class);

}  // namespace ptnas
