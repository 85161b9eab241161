#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "ptnas/data/dataset.h"
#include "ptnas/network/derived_network.h"

namespace ptnas {

/// model.safetensors: a trained network with its genotype, shape, classes, and the mean and deviation its
/// input is normalised by. Throws Error.
void save_model(const std::filesystem::path& path, const DerivedNetwork& network, const DatasetInfo& info);

struct Model {
  std::shared_ptr<DerivedNetwork> network;
  std::vector<double> mean, deviation;  ///< by channel, of the images it was trained on
};
/// Loads one for images of `info`, whose height and width may be others than those of its training. Throws
/// Error when the file is no model or does not fit the data set's channels and classes.
Model load_model(const std::filesystem::path& path, const DatasetInfo& info, Engine engine = Engine::kPlain);

/// Images [N, C, H, W] normalised by the data set's mean and deviation -> by the model's. The same tensor
/// where these are equal.
torch::Tensor normalise_for(const Model& model, const torch::Tensor& images, const DatasetInfo& info);

}  // namespace ptnas
