#pragma once

#include <functional>
#include <memory>

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/network/classifier.h"
#include "ptnas/space/count.h"
#include "ptnas/space/genotype.h"
#include "ptnas/train/train_options.h"

namespace ptnas {

/// Trains the network of `genotype` on the whole training part and writes model.safetensors, evaluation.json
/// and metrics of phase "train" into `run`; resumes from its checkpoint when there is one; returns at once
/// when the stage is finished. Throws Interrupted after a saved Ctrl-C and Error when the loss is not finite
/// (step, and what to try).
void retrain(RunDirectory& run, const Dataset& dataset, const Genotype& genotype, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime);

/// A network to be trained by the same recipe that is no genotype's.
struct Trainee {
  std::shared_ptr<Classifier> network;
  NetworkCost cost;                                             ///< for evaluation.json
  std::function<void(const std::filesystem::path& path)> save;  ///< writes it as a model file
};
/// The same of `trainee`: its weights are set by the seed, and it is moved to the device.
void retrain(RunDirectory& run, const Dataset& dataset, const Trainee& trainee, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime);

/// Evaluates a run's trained model on the test part of `dataset`: the content of evaluation.json
/// (docs/formats.md), with the milliseconds an image. Throws Error when the model does not fit the data.
Json evaluate_run(const RunDirectory& run, const Dataset& dataset, const RuntimeOptions& runtime,
                  std::int64_t batch, int loader_threads = 1);

}  // namespace ptnas
