#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/select/select_options.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

// Figures 1, 2 and 7: alpha against the discretization accuracy at convergence (Section 3.1), edge by edge.

struct EdgeOf {
  CellType type;
  int edge;
  bool operator==(const EdgeOf&) const = default;
};
/// Every edge of the normal cell, then of the reduction cell where the space has one.
std::vector<EdgeOf> all_edges(const SearchSpace& space);
/// `count` different edges of all cells, at random by seed. Throws Error(kUsage) where there are fewer.
std::vector<EdgeOf> random_edges(const SearchSpace& space, std::int64_t count, std::uint64_t seed);

/// For each edge and each of its operations: the supernet in `supernet` with the edge made that operation,
/// tuned as the selection `discretization` does until it has converged (--converged, --tune-learning-rate),
/// and its validation accuracy then. All trials start from the same supernet and see the same batches.
/// `trainer` is made with the search's options; its state ends as the last trial's. `done`: the result of an
/// interrupted call, or null, which is gone on with trial by trial; `save` gets the result so far after each
/// trial. The result: [{cell, edge, from, node, operations: [{operation, alpha, accuracy, loss, epochs}],
/// rank_correlation (Spearman, alpha against accuracy), alpha_choice, best, agree}], accuracies as fractions.
/// Throws Interrupted once an interrupt was asked for; the trial is then begun anew.
Json measure_discretization(SupernetTrainer& trainer, const std::filesystem::path& supernet,
                            const std::vector<EdgeOf>& edges, const SelectOptions& options, Json done,
                            const std::function<void(const Json&)>& save);

}  // namespace ptnas
