#pragma once

#include <string>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/select/rules.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/train/supernet_trainer.h"

namespace ptnas {

/// selection.json (docs/formats.md) before its first event; `images`: the number scored on.
Json begin_record(const SelectionContext& context, const SupernetTrainer& trainer, std::size_t images);

/// Event number `number` with all its keys, nothing measured and nothing chosen yet (`baseline`, `chosen` or
/// `kept`, and `margin` null, `scores` or `rounds` empty, `images` and `seconds` 0), beside what alpha would
/// choose now.
Json operation_event(const Architecture& architecture, CellType type, int edge, std::size_t number,
                     std::int64_t seed);
Json topology_event(const Architecture& architecture, CellType type, int node, std::size_t number,
                    std::int64_t seed);

/// Loss and accuracy as selection.json has them.
Json score_json(const Score& score);

/// The rounds of a topology event; `measured` is what there is to say of each of their scores, in order.
Json rounds_json(const Architecture& architecture, CellType type,
                 const std::vector<std::vector<EdgeScore>>& rounds, const std::vector<Json>& measured);

/// Whether an edge, which must be decided, was decided as `none`.
bool is_decided_none(const Architecture& architecture, CellType type, int edge);

/// Name of an edge's candidate.
std::string candidate_name(const SearchSpace& space, CellType type, int edge, int operation);

/// The operation of an edge, and the two input edges of a node (ascending), that alpha would choose now:
/// magnitude's rule, `none` left out where it cannot be chosen.
int magnitude_operation(const Architecture& architecture, CellType type, int edge);
std::vector<int> magnitude_edges(const Architecture& architecture, CellType type, int node);

}  // namespace ptnas
