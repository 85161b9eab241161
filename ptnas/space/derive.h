#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ptnas/core/random.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

/// Weights of one cell type by edge and candidate: softmax of alpha, or one-hot rows, or zero rows for
/// removed edges.
using WeightMatrix = std::vector<std::vector<double>>;

/// Magnitude (DARTS; FACTS, Selection): for each node the two edges with the largest non-`none` weight (ties
/// to the lower index), listed strongest first; on each its largest non-`none` operation, first of equals. It
/// is also the rule by which the published program reads a genotype off its final weights (the `released`
/// preset). Of NAS-Bench-201: on every edge the operation of the largest weight, `none` too, first of equals;
/// `reduction` is empty. Throws Error when the weights do not fit the space or one is not finite.
Genotype derive_by_magnitude(const SearchSpace& space, const WeightMatrix& normal,
                             const WeightMatrix& reduction);

/// What a selection decided for one cell type.
struct CellDecisions {
  std::vector<int> operation;            ///< by edge: index of the chosen candidate
  std::vector<std::vector<int>> kept;    ///< by node: the chosen input edges, in the order of the genotype
  std::vector<std::vector<int>> ranked;  ///< by node: all its input edges, the most important first
};

/// The genotype of decisions by the `paper` preset: each node's kept edges with their operations; of
/// NAS-Bench-201 every edge with its operation, whatever it is. An edge
/// decided as `none` counts as removed; where fewer than two are left, the node's other edges follow by rank,
/// one that is `none` with its best other operation, best_other[type][edge] (-1: has none). Throws Error when
/// the decisions do not fit the space or leave a node fewer than two edges.
Genotype derive_from_decisions(const SearchSpace& space, const CellDecisions decisions[2],
                               const std::vector<int> best_other[2]);

/// The control: for each node two distinct input edges, on each a non-`none` candidate, all uniform; of
/// NAS-Bench-201 on every edge any candidate.
Genotype random_genotype(const SearchSpace& space, RandomStream& stream);

}  // namespace ptnas
