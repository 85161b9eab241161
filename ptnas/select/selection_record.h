#pragma once

#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/select/rules.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// selection.json (docs/formats.md) before its first event.
Json begin_record(const SelectionContext& context, const SupernetTrainer& trainer, std::int64_t images);

/// One score of an event: what was masked, and the supernet without it.
Json score_json(const Score& score);

/// The candidate of an edge, or the two input edges of a node, that alpha would choose now (`none` left out).
int magnitude_operation(const Architecture& architecture, CellType type, int edge);
std::vector<int> magnitude_edges(const Architecture& architecture, CellType type, int node);

/// Names of an edge's candidates.
std::string candidate_name(const SearchSpace& space, CellType type, int edge, int operation);

}  // namespace ptnas
