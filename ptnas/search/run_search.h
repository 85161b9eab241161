#pragma once

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/train/operation_chooser.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

/// Trains the supernet: metrics of phase "search" with alpha, checkpoints, at the end supernet.safetensors
/// (weights, optimisers, alpha, epoch), which selection starts from. Resumes; returns at once when finished.
/// `chooser` chooses operations for a method that decides in the search (sgas); nullptr: alpha does. Throws
/// Interrupted and Error as retrain() does.
void run_search(RunDirectory& run, const Dataset& dataset, const DataOptions& data,
                const SearchOptions& options, const RuntimeOptions& runtime,
                const OperationChooser* chooser = nullptr);

}  // namespace ptnas
