#include "ptnas/select/decided_genotype.h"

#include "ptnas/select/confidence.h"

namespace ptnas {

namespace {

struct OtherOperation {
  int candidate = -1;
  Score score;
};

const Json* operation_event(const Json& events, CellType type, int edge) {
  for (const Json& event : events) {
    if (event["kind"] == "operation" && event["cell"] == std::string(name_of(type)) && event["edge"] == edge)
      return &event;
  }
  return nullptr;
}

// The best operation of an edge that is not `none`, and the score of the supernet without it.
OtherOperation best_other(const SearchSpace& space, const Json& events, CellType type, int edge,
                          Criterion criterion, Ties ties) {
  const auto& candidates = space.of(type)[static_cast<std::size_t>(edge)];
  const Json* event = operation_event(events, type, edge);
  OtherOperation best;
  for (std::size_t o = 0; o < candidates.size(); ++o) {
    if (candidates[o] == OperationKind::kNone) continue;
    Score score;
    if (event != nullptr && o < event->at("scores").size()) {
      score = comparable_score(event->at("scores")[o], *event);
    }
    if (best.candidate < 0 || choose_operation({best.score, score}, criterion, ties) == 1)
      best = {static_cast<int>(o), score};
  }
  return best;
}

}  // namespace

Genotype decided_genotype(const Architecture& architecture, const Json& events, Criterion criterion,
                          Ties ties) {
  const SearchSpace& space = architecture.space();
  CellDecisions decisions[2];
  std::vector<int> others[2];
  for (const CellType type : space.cell_types()) {
    const auto t = static_cast<std::size_t>(type);
    std::vector<Score> other_scores;
    for (int edge = 0; edge < space.edge_count(); ++edge) {
      const OtherOperation other = best_other(space, events, type, edge, criterion, ties);
      decisions[t].operation.push_back(architecture.decided(type, edge).value());
      others[t].push_back(other.candidate);
      other_scores.push_back(other.score);
    }
    for (int node = 0; node < space.nodes; ++node) {
      std::vector<int> kept, nones;
      std::vector<Score> scores;
      for (const int edge : space.edges_into(node)) {
        const auto e = static_cast<std::size_t>(edge);
        const auto decided = static_cast<std::size_t>(decisions[t].operation[e]);
        if (space.of(type)[e][decided] == OperationKind::kNone) {
          nones.push_back(edge);
          scores.push_back(other_scores[e]);
        } else if (!architecture.removed(type, edge)) {
          kept.push_back(edge);
        }
      }
      std::vector<int> ranked = kept;
      for (const int i : rank_edges(scores, criterion, ties))
        ranked.push_back(nones[static_cast<std::size_t>(i)]);
      decisions[t].kept.push_back(std::move(kept));
      decisions[t].ranked.push_back(std::move(ranked));
    }
  }
  return derive_from_decisions(space, decisions, others);
}

}  // namespace ptnas
