#pragma once

#include <filesystem>

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

/// Writes supernet.safetensors of `run` from a published supernet's checkpoint, whose shape `options` give.
/// Momentum buffers start at zero. Throws Error naming the first parameter that does not fit.
void import_supernet(RunDirectory& run, const std::filesystem::path& checkpoint, const Dataset& dataset,
                     const DataOptions& data, const SearchOptions& options, const RuntimeOptions& runtime);

}  // namespace ptnas
