// Perturbation-based selection: Algorithm 1 (operations) and Algorithm 2 (topology) of the paper, with the
// rules of the released program by option.

#include <algorithm>
#include <numeric>

#include "ptnas/select/confidence.h"
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
    std::vector<Mask> masks;
    std::vector<Json> names;
    for (const int edge : candidates) {
      masks.push_back({type, edge, std::nullopt});
      names.emplace_back(edge);
    }
    if (options().scoring == "early-stop") return raced_edges(type, candidates, masks, names, scorer, event);
    // A trial's score is the same in every round; only where it updates running statistics is it passed
    // again.
    const bool again = options().scoring_updates_statistics;
    EventScores scores = scorer.score(again ? std::vector<Mask>() : masks, kKept);
    scores.candidates.resize(candidates.size());
    std::vector<Json> measured;  // what the rounds' entries are, in order
    const TopologyChoice choice = choose_edges(candidates, topology_, criterion_, ties_, [&](int edge) {
      Measured& own = scores.candidates[place_of(candidates, edge)];
      if (again) own = scorer.without({type, edge, std::nullopt});
      measured.push_back(measured_json(own));
      return own.score;
    });
    put_measured(event, scores, names);
    event["rounds"] = rounds_json(architecture(), type, choice.rounds, measured);
    event["margin"] = *choice.margin;
    put_tests(event, scores, places_of(candidates, choice.kept), names, options());
    return choice.kept;
  }

  // By early stop both rules are one: of scores that stay the same from round to round the last two left are
  // the two that hurt most.
  std::vector<int> raced_edges(CellType type, const std::vector<int>& candidates,
                               const std::vector<Mask>& masks, const std::vector<Json>& names,
                               EventScorer& scorer, Json& event) {
    const EventScores scores = scorer.score(masks, kKept);
    put_measured(event, scores, names);
    std::vector<EdgeScore> round;
    std::vector<Json> measured;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      round.push_back({candidates[i], scores.candidates[i].score});
      measured.push_back(candidate_json(scores, i));
    }
    event["rounds"] = rounds_json(architecture(), type, {round}, measured);
    std::vector<int> kept;
    const std::vector<int> winners = best_left(scores, kKept, options());
    for (const int winner : winners) kept.push_back(candidates[static_cast<std::size_t>(winner)]);
    put_tests(event, scores, winners, names, options());
    return kept;
  }

  static std::size_t place_of(const std::vector<int>& edges, int edge) {
    return static_cast<std::size_t>(std::find(edges.begin(), edges.end(), edge) - edges.begin());
  }
  static std::vector<int> places_of(const std::vector<int>& edges, const std::vector<int>& some) {
    std::vector<int> places;
    for (const int edge : some) places.push_back(static_cast<int>(place_of(edges, edge)));
    return places;
  }

  static constexpr int kKept = 2;  // input edges of a node
  Criterion criterion_;
  Ties ties_;
  TopologyRule topology_;
};

}  // namespace

Genotype select_by_perturbation(const SelectionContext& context) { return Perturbation(context).run(); }

}  // namespace ptnas
