#pragma once

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/space/genotype.h"
#include "ptnas/train/train_options.h"

namespace ptnas {

/// Trains the network of `genotype` on the whole training part and writes model.safetensors, evaluation.json
/// and metrics of phase "train" into `run`; resumes from its checkpoint when there is one; returns at once
/// when the stage is finished. Throws Interrupted after a saved Ctrl-C and Error when the loss is not finite
/// (step, and what to try).
void retrain(RunDirectory& run, const Dataset& dataset, const Genotype& genotype, const DataOptions& data,
             const TrainOptions& options, const RuntimeOptions& runtime);

/// Evaluates a run's trained model on the test part of `dataset`: the content of evaluation.json
/// (docs/formats.md), with the milliseconds an image. Throws Error when the model does not fit the data.
Json evaluate_run(const RunDirectory& run, const Dataset& dataset, const RuntimeOptions& runtime,
                  std::int64_t batch, int loader_threads = 1);

}  // namespace ptnas
