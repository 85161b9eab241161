// Perturbation-based selection: Algorithm 1 (operations) and Algorithm 2 (topology) of the paper, with the
// rules of the released program by option.

#include <algorithm>
#include <numeric>

#include "ptnas/select/event_scorer.h"
#include "ptnas/select/progressive.h"

namespace ptnas {

namespace {

class Perturbation final : public Progressive {
 public:
  explicit Perturbation(const SelectionContext& context)
      : Progressive(context),
        criterion_(parse_criterion(context.options.criterion)),
        ties_(parse_ties(context.options.ties)),
        topology_(parse_topology(context.options.topology)) {}

 private:
  EventScorer scorer(std::int64_t candidates) {
    return EventScorer(trainer(), options(), events().size(), decision_label(), candidates + 1,
                       [this] { between_batches(); });
  }

  int operation_of(CellType type, int edge, Json& event) override {
    std::vector<int> operations(space().of(type)[static_cast<std::size_t>(edge)].size());
    std::iota(operations.begin(), operations.end(), 0);
    if (operations.size() == 1) return 0;  // needs no scoring
    EventScorer scorer = this->scorer(static_cast<std::int64_t>(operations.size()));
    return choose_by_perturbation(scorer, trainer(), options(), type, edge, operations, event);
  }

  // Algorithm 2: of a node's input edges the two whose removal hurts most stay.
  std::vector<int> edges_of(CellType type, int, const std::vector<int>& candidates, Json& event) override {
    const int trials = topology_trials(static_cast<int>(candidates.size()), topology_);
    if (trials == 0) return candidates;
    EventScorer scorer = this->scorer(trials);
    event["images"] = trainer().halves().validation.size();
    // A trial's score is the same in every round; only where it updates running statistics is it passed
    // again.
    const bool again = options().scoring_updates_statistics;
    std::vector<Mask> masks;
    for (const int edge : candidates) masks.push_back({type, edge, std::nullopt});
    const std::vector<Score> scores = scorer.score(again ? std::vector<Mask>() : masks);
    event["baseline"] = score_json(scores.front());
    const TopologyChoice choice = choose_edges(candidates, topology_, criterion_, ties_, [&](int edge) {
      if (again) return scorer.without({type, edge, std::nullopt});
      const auto at = std::find(candidates.begin(), candidates.end(), edge) - candidates.begin();
      return scores[static_cast<std::size_t>(at) + 1];
    });
    event["rounds"] = rounds_json(architecture(), type, choice.rounds);
    event["margin"] = *choice.margin;
    return choice.kept;
  }

  Criterion criterion_;
  Ties ties_;
  TopologyRule topology_;
};

}  // namespace

Genotype select_by_perturbation(const SelectionContext& context) { return Perturbation(context).run(); }

}  // namespace ptnas
