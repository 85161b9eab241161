#include "ptnas/space/derive.h"

#include <algorithm>
#include <cmath>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// The first of the largest weights of an edge's operations that may be chosen: its candidate's index, or -1
// where there is none.
int strongest(const SearchSpace& space, const std::vector<OperationKind>& candidates,
              const std::vector<double>& weights) {
  int best = -1;
  for (int o = 0; o < static_cast<int>(candidates.size()); ++o) {
    if (!space.can_choose(candidates[static_cast<std::size_t>(o)])) continue;
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
  for (std::size_t e = 0; e < candidates.size(); ++e) {
    const auto finite = [](double weight) { return std::isfinite(weight); };
    if (weights[e].size() != candidates[e].size()) {
      fail("expected {} weights for edge {} of the {} cell, found {}", candidates[e].size(), e, name_of(type),
           weights[e].size());
    }
    if (!std::all_of(weights[e].begin(), weights[e].end(), finite)) {
      fail("a weight of edge {} of the {} cell is not a finite number; no genotype can be read off", e,
           name_of(type));
    }
  }
  std::vector<std::vector<GenotypeEdge>> cell;
  for (int node = 0; node < space.nodes; ++node) {
    std::vector<int> edges = space.edges_into(node);
    const auto strength = [&](int edge) {
      const auto e = static_cast<std::size_t>(edge);
      return weights[e][static_cast<std::size_t>(strongest(space, candidates[e], weights[e]))];
    };
    if (keeps_two_edges(space.family)) {
      std::stable_sort(edges.begin(), edges.end(), [&](int a, int b) { return strength(a) > strength(b); });
      edges.resize(2);
    }
    cell.emplace_back();
    for (const int edge : edges) {
      const auto e = static_cast<std::size_t>(edge);
      const int operation = strongest(space, candidates[e], weights[e]);
      cell.back().push_back({candidates[e][static_cast<std::size_t>(operation)], space.edge(edge).from});
    }
  }
  return cell;
}

// Every edge has a decision among its candidates, every node's lists hold edges into it.
void check(const SearchSpace& space, CellType type, const CellDecisions& decisions,
           const std::vector<int>& best_other) {
  const auto& candidates = space.of(type);
  const auto nodes = static_cast<std::size_t>(space.nodes);
  if (decisions.operation.size() != candidates.size() || best_other.size() != candidates.size() ||
      decisions.kept.size() != nodes || decisions.ranked.size() != nodes) {
    fail("expected decisions for {} edges and {} nodes of the {} cell, found {} and {}", candidates.size(),
         nodes, name_of(type), decisions.operation.size(), decisions.kept.size());
  }
  for (std::size_t e = 0; e < candidates.size(); ++e) {
    const int most = static_cast<int>(candidates[e].size());
    if (decisions.operation[e] < 0 || decisions.operation[e] >= most || best_other[e] >= most) {
      fail("edge {} of the {} cell has {} candidates, but number {} was decided", e, name_of(type), most,
           decisions.operation[e]);
    }
  }
  for (std::size_t node = 0; node < nodes; ++node) {
    const std::vector<int> into = space.edges_into(static_cast<int>(node));
    for (const std::vector<int>* list : {&decisions.kept[node], &decisions.ranked[node]}) {
      for (const int edge : *list) {
        if (edge < into.front() || edge > into.back()) {
          fail("node {} of the {} cell has edges {} to {}, but a decision keeps {}", node, name_of(type),
               into.front(), into.back(), edge);
        }
      }
    }
  }
}

// All edges of one node with their operations.
std::vector<GenotypeEdge> whole_node(const SearchSpace& space, CellType type, const CellDecisions& decisions,
                                     int node) {
  std::vector<GenotypeEdge> result;
  for (const int edge : space.edges_into(node)) {
    const auto e = static_cast<std::size_t>(edge);
    result.push_back(
        {space.of(type)[e][static_cast<std::size_t>(decisions.operation[e])], space.edge(edge).from});
  }
  return result;
}

// The kept edges of one node that are not `none`, filled up to two from the others.
std::vector<GenotypeEdge> node_edges(const SearchSpace& space, CellType type, const CellDecisions& decisions,
                                     const std::vector<int>& best_other, int node) {
  const auto kind = [&](int edge, int operation) {
    if (operation < 0) return OperationKind::kNone;
    return space.of(type)[static_cast<std::size_t>(edge)][static_cast<std::size_t>(operation)];
  };
  const auto decided = [&](int edge) {
    return kind(edge, decisions.operation[static_cast<std::size_t>(edge)]);
  };
  std::vector<GenotypeEdge> result;
  const auto add = [&](int edge, OperationKind operation) {
    const int from = space.edge(edge).from;
    const bool there =
        std::any_of(result.begin(), result.end(), [&](const GenotypeEdge& e) { return e.from == from; });
    if (!there && operation != OperationKind::kNone && result.size() < 2) result.push_back({operation, from});
  };
  for (const int edge : decisions.kept[static_cast<std::size_t>(node)]) add(edge, decided(edge));
  for (const int edge : decisions.ranked[static_cast<std::size_t>(node)]) {
    const bool is_none = decided(edge) == OperationKind::kNone;
    add(edge, is_none ? kind(edge, best_other[static_cast<std::size_t>(edge)]) : decided(edge));
  }
  if (result.size() != 2) {
    fail("node {} of the {} cell needs two edges, but the decisions leave {}", node, name_of(type),
         result.size());
  }
  return result;
}

}  // namespace

Genotype derive_by_magnitude(const SearchSpace& space, const WeightMatrix& normal,
                             const WeightMatrix& reduction) {
  Genotype genotype;
  genotype.family = space.family;
  for (const CellType type : space.cell_types()) {
    genotype.cells[static_cast<std::size_t>(type)] =
        derive_cell(space, type, type == CellType::kNormal ? normal : reduction);
  }
  return genotype;
}

Genotype derive_from_decisions(const SearchSpace& space, const CellDecisions decisions[2],
                               const std::vector<int> best_other[2]) {
  Genotype genotype;
  genotype.family = space.family;
  for (const CellType type : space.cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    check(space, type, decisions[t], best_other[t]);
    for (int node = 0; node < space.nodes; ++node) {
      genotype.cells[t].push_back(keeps_two_edges(space.family)
                                      ? node_edges(space, type, decisions[t], best_other[t], node)
                                      : whole_node(space, type, decisions[t], node));
    }
  }
  return genotype;
}

Genotype random_genotype(const SearchSpace& space, RandomStream& stream) {
  Genotype genotype;
  genotype.family = space.family;
  for (const CellType type : space.cell_types()) {
    for (int node = 0; node < space.nodes; ++node) {
      std::vector<int> edges = space.edges_into(node);
      if (keeps_two_edges(space.family)) {
        stream.shuffle(edges);
        edges.resize(2);
        std::sort(edges.begin(), edges.end());
      }
      std::vector<GenotypeEdge> chosen;
      for (const int edge : edges) {
        std::vector<OperationKind> operations = space.of(type)[static_cast<std::size_t>(edge)];
        std::erase_if(operations, [&](OperationKind kind) { return !space.can_choose(kind); });
        chosen.push_back({operations[stream.below(operations.size())], space.edge(edge).from});
      }
      genotype.cells[static_cast<std::size_t>(type)].push_back(chosen);
    }
  }
  return genotype;
}

}  // namespace ptnas
