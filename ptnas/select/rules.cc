#include "ptnas/select/rules.h"

#include <algorithm>
#include <numeric>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

// True where the absence of `a` hurts more than that of `b`; equals are neither.
bool hurts_more(const Score& a, const Score& b, Criterion criterion, Ties ties) {
  if (criterion == Criterion::kLoss) return a.loss > b.loss;
  if (a.accuracy != b.accuracy) return a.accuracy < b.accuracy;
  return ties == Ties::kByLoss && a.loss > b.loss;
}

}  // namespace

Criterion parse_criterion(const std::string& option) {
  if (option == "accuracy") return Criterion::kAccuracy;
  if (option == "loss") return Criterion::kLoss;
  fail_usage("--criterion must be accuracy or loss, not `{}`", option);
}

Ties parse_ties(const std::string& option) {
  if (option == "loss") return Ties::kByLoss;
  if (option == "first") return Ties::kFirst;
  fail_usage("--ties must be loss or first, not `{}`", option);
}

int choose_operation(const std::vector<Score>& scores, Criterion criterion, Ties ties) {
  return rank_edges(scores, criterion, ties).front();
}

std::optional<double> choice_margin(const std::vector<Score>& scores, Criterion criterion, Ties ties) {
  if (scores.size() < 2) return std::nullopt;
  const std::vector<int> ranked = rank_edges(scores, criterion, ties);
  return margin_between(scores[static_cast<std::size_t>(ranked[0])],
                        scores[static_cast<std::size_t>(ranked[1])], criterion);
}

std::vector<int> rank_edges(const std::vector<Score>& scores, Criterion criterion, Ties ties) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return hurts_more(scores[static_cast<std::size_t>(a)], scores[static_cast<std::size_t>(b)], criterion,
                      ties);
  });
  return order;
}

int edge_to_remove(const std::vector<Score>& scores, Criterion criterion, Ties ties) {
  return rank_edges(scores, criterion, ties).back();
}

double margin_between(const Score& a, const Score& b, Criterion criterion) {
  return criterion == Criterion::kLoss ? a.loss - b.loss : b.accuracy - a.accuracy;
}

TopologyRule parse_topology(const std::string& option) {
  if (option == "once") return TopologyRule::kOnce;
  if (option == "rounds") return TopologyRule::kRounds;
  fail_usage("--topology must be once or rounds, not `{}`", option);
}

TopologyChoice choose_edges(std::vector<int> edges, TopologyRule rule, Criterion criterion, Ties ties,
                            const std::function<Score(int edge)>& score_without) {
  constexpr std::size_t kKept = 2;
  TopologyChoice choice;
  while (edges.size() > kKept) {
    std::vector<EdgeScore> round;
    std::vector<Score> scores;
    for (const int edge : edges) {
      scores.push_back(score_without(edge));
      round.push_back({edge, scores.back()});
    }
    choice.rounds.push_back(std::move(round));
    const std::vector<int> ranked = rank_edges(scores, criterion, ties);
    const std::size_t staying = rule == TopologyRule::kOnce ? kKept : edges.size() - 1;
    choice.margin = margin_between(scores[static_cast<std::size_t>(ranked[staying - 1])],
                                   scores[static_cast<std::size_t>(ranked[staying])], criterion);
    std::vector<int> left;
    for (std::size_t i = 0; i < staying; ++i) left.push_back(edges[static_cast<std::size_t>(ranked[i])]);
    std::sort(left.begin(), left.end());
    edges = std::move(left);
  }
  choice.kept = std::move(edges);
  return choice;
}

int topology_trials(int edges, TopologyRule rule) {
  if (edges <= 2) return 0;
  if (rule == TopologyRule::kOnce) return edges;
  return edges * (edges + 1) / 2 - 3;  // edges + .. + 4 + 3
}

}  // namespace ptnas
