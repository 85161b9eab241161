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
/// nothing to decide; of NAS-Bench-201 no node has), at random by seed (purpose kEdgeOrder) or as the options
/// say; a decision of the normal cell is followed by one of the reduction cell where that is searched, and
/// the two make one event of tuning. Throws Error(kUsage) where an explicit order does not name every edge,
/// or every node, once, or is of something that the space has not got.
std::vector<Decision> decision_order(const SearchSpace& space, const SelectOptions& options,
                                     std::uint64_t seed);

/// Epochs of tuning that follow after `taken` of `all` decisions: `epochs` after an event, one after the last
/// (FACTS, Selection: 81 = 5 * 16 + 1); none between the decisions of an event. In NAS-Bench-201 the last
/// decision comes one epoch early (25: operations at 0, 5, 10, 15, 20 and 24).
std::int64_t tuning_epochs_after(const SearchSpace& space, std::size_t taken, std::size_t all,
                                 std::int64_t epochs);

}  // namespace ptnas
