#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "ptnas/space/operation_kind.h"

namespace ptnas {

/// The two cells of the DARTS family; the values index arrays.
enum class CellType { kNormal = 0, kReduction = 1 };
constexpr CellType kCellTypes[] = {CellType::kNormal, CellType::kReduction};
/// "normal" or "reduction".
std::string_view name_of(CellType type);

/// An edge of a cell: from a state (0, 1: the cell's inputs; 2 + n: node n) into node `node` (0-based).
struct Edge {
  int from;
  int node;
};

/// A cell-based search space of the DARTS family: 2 inputs, `nodes` nodes, node n with inputs from every
/// earlier state, edges in the order node 0: from 0, 1; node 1: from 0, 1, 2; ...; output: concatenation of
/// all nodes.
struct SearchSpace {
  std::string name;
  int nodes = 4;
  /// Candidate operations of every edge, by cell type: candidates[type][edge]. Edges may have different ones.
  std::vector<std::vector<OperationKind>> candidates[2];

  int edge_count() const { return nodes * (nodes + 3) / 2; }
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

/// "darts", "s1" .. "s4", or the path of a TOML file (anything that ends in .toml). `with_none` puts `none`
/// first on every edge of a space that has it nowhere (for topology by magnitude, Appendix A.1.1). `nodes`
/// other than 4, the usual number: only for spaces that are the same on every edge (S1 is not; a file has its
/// own number and a different one is a contradiction). Throws Error(kUsage) listing what there is.
SearchSpace make_space(const std::string& name_or_path, int nodes, bool with_none);

/// Names for --help.
std::vector<std::string> space_names();

/// A space of the user's own (docs/spaces.md, examples/space.toml). Throws Error naming file and line.
SearchSpace read_space(const std::filesystem::path& path);

}  // namespace ptnas
