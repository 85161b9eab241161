#pragma once

#include <cstdint>
#include <vector>

#include "ptnas/select/select_options.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

/// One decision of a selection by perturbation: the operation of an edge, or the input edges of a node.
struct Decision {
  enum class Kind { kOperation, kTopology };
  Kind kind;
  CellType cell;
  int index;  ///< edge or node
};

/// All decisions in order. First every edge's operation, then nodes 1, 2, .. (node 0 has its two inputs and
/// nothing to decide), at random by seed (purpose kEdgeOrder) or as the options say; a decision of the normal
/// cell is followed by one of the reduction cell, and the two make one event of tuning. Throws Error(kUsage)
/// where an explicit order does not name every edge, or every node, once.
std::vector<Decision> decision_order(const SearchSpace& space, const SelectOptions& options,
                                     std::uint64_t seed);

}  // namespace ptnas
