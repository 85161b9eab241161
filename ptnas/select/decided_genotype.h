#pragma once

#include "ptnas/core/json.h"
#include "ptnas/network/architecture.h"
#include "ptnas/select/rules.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// The genotype of a selection's decisions (preset `paper`): what `architecture` has decided and removed. An
/// edge decided as `none` counts as removed; where a node is left with fewer than two edges, the best of
/// those comes back with its best other operation, by the scores in `events` (those of selection.json). Of
/// NAS-Bench-201: every edge with its operation.
Genotype decided_genotype(const Architecture& architecture, const Json& events, Criterion criterion,
                          Ties ties);

}  // namespace ptnas
