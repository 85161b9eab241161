#pragma once

#include <filesystem>
#include <memory>

#include "ptnas/data/dataset.h"
#include "ptnas/network/derived_network.h"

namespace ptnas {

/// model.safetensors: a trained network with its genotype, shape, classes, and the mean and deviation its
/// input is normalised by. Throws Error.
void save_model(const std::filesystem::path& path, const DerivedNetwork& network, const DatasetInfo& info);

/// Loads one for images of `info`. Throws Error when the file is no model or does not fit the data set.
std::shared_ptr<DerivedNetwork> load_model(const std::filesystem::path& path, const DatasetInfo& info);

}  // namespace ptnas
