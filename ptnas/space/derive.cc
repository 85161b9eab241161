#include "ptnas/space/derive.h"

#include <algorithm>
#include <numeric>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// The first of the largest non-`none` weights of an edge: its candidate's index, or -1 where there is none.
int strongest(const std::vector<OperationKind>& candidates, const std::vector<double>& weights) {
  int best = -1;
  for (int o = 0; o < static_cast<int>(candidates.size()); ++o) {
    if (candidates[static_cast<std::size_t>(o)] == OperationKind::kNone) continue;
    if (best < 0 || weights[static_cast<std::size_t>(o)] > weights[static_cast<std::size_t>(best)]) best = o;
  }
  return best;
}

std::vector<std::vector<GenotypeEdge>> derive_cell(const SearchSpace& space, CellType type,
                                                   const WeightMatrix& weights) {
  const auto& candidates = space.of(type);
  if (weights.size() != candidates.size()) {
    fail("expected weights of {} edges, found {}", candidates.size(), weights.size());
  }
  std::vector<std::vector<GenotypeEdge>> cell;
  for (int node = 0; node < space.nodes; ++node) {
    std::vector<int> edges = space.edges_into(node);
    const auto strength = [&](int edge) {
      const auto e = static_cast<std::size_t>(edge);
      return weights[e][static_cast<std::size_t>(strongest(candidates[e], weights[e]))];
    };
    std::stable_sort(edges.begin(), edges.end(), [&](int a, int b) { return strength(a) > strength(b); });
    cell.emplace_back();
    for (int i = 0; i < 2; ++i) {
      const auto e = static_cast<std::size_t>(edges[static_cast<std::size_t>(i)]);
      const int operation = strongest(candidates[e], weights[e]);
      cell.back().push_back({candidates[e][static_cast<std::size_t>(operation)],
                             space.edge(edges[static_cast<std::size_t>(i)]).from});
    }
  }
  return cell;
}

// The kept edges of one node that are not `none`, filled up to two from the others.
std::vector<GenotypeEdge> node_edges(const SearchSpace& space, CellType type, const CellDecisions& decisions,
                                     const std::vector<int>& best_other, int node) {
  const auto& candidates = space.of(type);
  const auto kind = [&](int edge, int operation) {
    return candidates[static_cast<std::size_t>(edge)][static_cast<std::size_t>(operation)];
  };
  const auto decided = [&](int edge) { return decisions.operation[static_cast<std::size_t>(edge)]; };
  std::vector<GenotypeEdge> result;
  for (const int edge : decisions.kept[static_cast<std::size_t>(node)]) {
    if (kind(edge, decided(edge)) != OperationKind::kNone && result.size() < 2) {
      result.push_back({kind(edge, decided(edge)), space.edge(edge).from});
    }
  }
  for (const int edge : decisions.ranked[static_cast<std::size_t>(node)]) {
    if (result.size() == 2) break;
    const int from = space.edge(edge).from;
    if (std::any_of(result.begin(), result.end(), [&](const GenotypeEdge& e) { return e.from == from; }))
      continue;
    const bool is_none = kind(edge, decided(edge)) == OperationKind::kNone;
    result.push_back(
        {kind(edge, is_none ? best_other[static_cast<std::size_t>(edge)] : decided(edge)), from});
  }
  return result;
}

}  // namespace

Genotype derive_by_magnitude(const SearchSpace& space, const WeightMatrix& normal,
                             const WeightMatrix& reduction) {
  Genotype genotype;
  genotype.cells[0] = derive_cell(space, CellType::kNormal, normal);
  genotype.cells[1] = derive_cell(space, CellType::kReduction, reduction);
  return genotype;
}

Genotype derive_from_decisions(const SearchSpace& space, const CellDecisions decisions[2],
                               const std::vector<int> best_other[2]) {
  Genotype genotype;
  for (const CellType type : kCellTypes) {
    const auto t = static_cast<std::size_t>(type);
    for (int node = 0; node < space.nodes; ++node) {
      genotype.cells[t].push_back(node_edges(space, type, decisions[t], best_other[t], node));
    }
  }
  validate(genotype, "the selection's result");
  return genotype;
}

Genotype random_genotype(const SearchSpace& space, RandomStream& stream) {
  Genotype genotype;
  for (const CellType type : kCellTypes) {
    for (int node = 0; node < space.nodes; ++node) {
      std::vector<int> edges = space.edges_into(node);
      stream.shuffle(edges);
      std::sort(edges.begin(), edges.begin() + 2);
      std::vector<GenotypeEdge> chosen;
      for (int i = 0; i < 2; ++i) {
        const int edge = edges[static_cast<std::size_t>(i)];
        std::vector<OperationKind> operations = space.of(type)[static_cast<std::size_t>(edge)];
        std::erase(operations, OperationKind::kNone);
        chosen.push_back({operations[stream.below(operations.size())], space.edge(edge).from});
      }
      genotype.cells[static_cast<std::size_t>(type)].push_back(chosen);
    }
  }
  return genotype;
}

}  // namespace ptnas
