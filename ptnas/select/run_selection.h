#pragma once

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/train/search_options.h"
#include "ptnas/select/select_options.h"

namespace ptnas {

/// Selects from the supernet in `supernet_run` (supernet.safetensors) and writes selection.json,
/// genotype.json and metrics of phase "select" and "tune" into `run` (the same run, or a child). Resumes;
/// returns at once when finished. Throws Interrupted and Error as run_search() does.
void run_selection(const RunDirectory& supernet_run, RunDirectory& run, const Dataset& dataset,
                   const DataOptions& data, const SearchOptions& search, const SelectOptions& options,
                   const RuntimeOptions& runtime);

}  // namespace ptnas
