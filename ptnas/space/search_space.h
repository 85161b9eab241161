#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ptnas/space/cell_family.h"
#include "ptnas/space/operation_kind.h"

namespace ptnas {

/// An edge of a cell: from a state (below inputs(): the cell's inputs; inputs() + n: node n) into node `node`
/// (0-based).
struct Edge {
  int from;
  int node;
};

/// A cell-based search space: a cell has inputs() states and `nodes` nodes, node n with inputs from every
/// earlier state. Edges go in the order, with two inputs, node 0: from 0, 1; node 1: from 0, 1, 2; ...
struct SearchSpace {
  std::string name;
  int nodes = 4;
  /// Candidate operations of every edge, by cell type: candidates[type][edge]. Edges may have different ones;
  /// a type that is not searched has no edges.
  std::vector<std::vector<OperationKind>> candidates[2];
  Family family = Family::kDarts;

  int inputs() const { return input_count(family); }
  /// The types that have candidates: to be gone through instead of kCellTypes.
  std::span<const CellType> cell_types() const { return searched_cells(family); }
  int edge_count() const { return nodes * (2 * inputs() + nodes - 1) / 2; }
  /// Whether the candidate may be what a selection chooses: `none` only where a node keeps all its edges.
  bool can_choose(OperationKind kind) const {
    return kind != OperationKind::kNone || !keeps_two_edges(family);
  }
  const std::vector<std::vector<OperationKind>>& of(CellType type) const {
    return candidates[static_cast<int>(type)];
  }
  /// The edge's ends.
  Edge edge(int index) const;
  /// Indices of the edges into `node`, in order.
  std::vector<int> edges_into(int node) const;
  /// The largest number of candidates on an edge of this cell type (columns of the alpha matrix).
  int most_candidates(CellType type) const;
};

/// Throws Error when an edge has no operation or one twice, or counts are wrong.
void validate(const SearchSpace& space);

/// "darts", "s1" .. "s4", "nb201", or the path of a TOML file (anything that ends in .toml). `with_none` puts
/// `none` first on every edge of a space that has it nowhere (for topology by magnitude, Appendix A.1.1).
/// `nodes` other than 4, the usual number: only for spaces of the DARTS family that are the same on every
/// edge (S1 is not; a file has its own number and a different one is a contradiction; NAS-Bench-201 counts a
/// cell's input among its 4). Throws Error(kUsage) listing what there is.
SearchSpace make_space(const std::string& name_or_path, int nodes, bool with_none);

/// Names for --help.
std::vector<std::string> space_names();

/// A space of the user's own (docs/spaces.md, examples/space.toml). Throws Error naming file and line.
SearchSpace read_space(const std::filesystem::path& path);

}  // namespace ptnas
