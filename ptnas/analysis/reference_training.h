#pragma once

#include <memory>

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/network/reference_network.h"
#include "ptnas/train/train_options.h"

namespace ptnas {

/// Trains a reference network of Table 1 by the ordinary recipe of retraining in `run` (metrics, checkpoints,
/// model.safetensors, evaluation.json, and network.json with its shape) and returns it; resumes, and loads it
/// where it is trained. Classes and image size are the data set's. Throws Error(kUsage) where the run has
/// another network, and what retrain() throws.
std::shared_ptr<ReferenceNetwork> train_reference(RunDirectory& run, const Dataset& dataset,
                                                  ReferenceShape shape, const DataOptions& data,
                                                  const TrainOptions& options, const RuntimeOptions& runtime);

/// "vgg16", "resnet"; and back, with Error(kUsage) for another name.
std::string name_of(ReferenceKind kind);
ReferenceKind reference_from_name(const std::string& name);

}  // namespace ptnas
