#pragma once

#include <string>

#include "ptnas/core/run_directory.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/select/select_options.h"
#include "ptnas/space/genotype.h"
#include "ptnas/train/search_method.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

/// All that a selection works with. `method` tunes the supernet: the one it was searched with.
/// (SGAS decides in its search: selection only reads what was decided.)
struct SelectionContext {
  const RunDirectory& supernet_run;
  RunDirectory& run;
  const Dataset& dataset;
  const DataOptions& data;
  const SearchOptions& search;
  const SelectOptions& options;
  const RuntimeOptions& runtime;
  const SearchMethod& method;
  std::string preset = "paper";  ///< its name, for selection.json

  /// The supernet that is selected from: the last, or the snapshot of --from-epoch. Throws Error where the
  /// search kept none.
  std::filesystem::path supernet() const;
};

/// Selects from the supernet in `supernet_run` (supernet.safetensors) and writes selection.json,
/// genotype.json and, where the selection measures and tunes, metrics of phase "select" and "tune" into `run`
/// (the same run, or a child). Resumes; returns at once when finished. Throws Interrupted and Error as
/// run_search() does.
void run_selection(const SelectionContext& context);

// The selections of the table in run_selection.cc, one file each. They write selection.json and return the
// genotype.
Genotype select_by_perturbation(const SelectionContext& context);
Genotype select_by_magnitude(const SelectionContext& context);
Genotype select_by_magnitude_progressively(const SelectionContext& context);
Genotype select_by_discretization(const SelectionContext& context);
Genotype select_at_random(const SelectionContext& context);

/// What the search itself has decided, for either selection that such a search may have had.
Genotype select_as_searched(const SelectionContext& context);

}  // namespace ptnas
