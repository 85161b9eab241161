#pragma once

#include <cstddef>
#include <string>

#include "ptnas/core/json.h"
#include "ptnas/core/runtime_options.h"
#include "ptnas/data/dataset.h"
#include "ptnas/select/select_options.h"
#include "ptnas/train/search_options.h"
#include "ptnas/train/train_options.h"

namespace ptnas {

/// How long a run will take, from a few real steps of each kind on this machine.
struct RunEstimate {
  double iteration_s = 0;  ///< of the search: alpha's step, where there is one, and the weights'
  double scoring_s = 0;    ///< one batch, all candidates of an undecided edge
  double retraining_step_s = 0;
  double search_s = 0, selection_s = 0, retraining_s = 0;
  std::size_t peak_bytes = 0;  ///< of tensors, beyond the data set
};

/// Times three steps of each kind, of the undecided supernet and of one whose edges are all decided; tuning
/// and scoring are taken to lie half-way between. A selection that tunes is counted, with convergence after
/// --converged-epochs, any other as nothing; so are SGAS' decisions. Retraining takes a genotype by
/// magnitude. Changes nothing that a run depends on. Throws Error as a search does.
RunEstimate estimate_run(const Dataset& dataset, const DataOptions& data, const SearchOptions& search,
                         const SelectOptions& select, const TrainOptions& train,
                         const RuntimeOptions& runtime);

Json to_json(const RunEstimate& estimate);
/// "search 1 h 02 min, selection 3 min, retraining ..; memory 2.2 GB".
std::string summary_of(const RunEstimate& estimate);

}  // namespace ptnas
