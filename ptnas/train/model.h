#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "ptnas/core/run_directory.h"
#include "ptnas/data/dataset.h"
#include "ptnas/network/classifier.h"
#include "ptnas/network/derived_network.h"

namespace ptnas {

/// model.safetensors: a trained network with its genotype, shape, the name of its data set, its classes, and
/// the mean and deviation its input is normalised by. Throws Error.
void save_model(const std::filesystem::path& path, const DerivedNetwork& network, const DatasetInfo& info);

/// The file of a run's trained network. Throws Error where it has none yet.
std::filesystem::path trained_model_file(const RunDirectory& run);

struct Model {
  std::shared_ptr<DerivedNetwork> network;
  DatasetInfo info;  ///< of the images it was trained on; `name` is empty where the file does not tell it
};
/// Loads one for images of the shape it was trained on. Throws Error when the file is no model.
Model load_model(const std::filesystem::path& path, Engine engine = Engine::kPlain);
/// The same for images of `info`, whose height and width may be others than those of its training. Throws
/// Error when the file is no model or does not fit the data set's channels and classes.
Model load_model(const std::filesystem::path& path, const DatasetInfo& info, Engine engine = Engine::kPlain);

/// A network's logits [N, classes] for batch number `batch` of an evaluation; its mode is the caller's.
torch::Tensor evaluation_logits(Classifier& network, const torch::Tensor& images, std::int64_t seed,
                                std::int64_t batch);

/// Images [N, C, H, W] normalised by the data set's mean and deviation -> by the model's. The same tensor
/// where these are equal.
torch::Tensor normalise_for(const Model& model, const torch::Tensor& images, const DatasetInfo& info);

}  // namespace ptnas
