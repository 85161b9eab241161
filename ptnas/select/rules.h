#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ptnas {

/// The supernet without one candidate: mean cross-entropy and accuracy (a fraction).
struct Score {
  double loss = 0;
  double accuracy = 0;
};

enum class Criterion { kAccuracy, kLoss };
/// Of equal accuracies: kByLoss lets the higher loss win first (preset `paper`); then, and at once with
/// kFirst (`released`), the first operation wins and the last edge goes.
enum class Ties { kByLoss, kFirst };

Criterion parse_criterion(const std::string& option);
Ties parse_ties(const std::string& option);

/// The operation whose absence hurts most (Algorithm 1: arg min of the accuracy without it; criterion loss:
/// the highest loss). `scores` not empty.
int choose_operation(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// How much more the choice's absence hurts than the next candidate's; nullopt for a single candidate.
std::optional<double> choice_margin(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// Candidates (operations or edges) from the most important to the least: by the accuracy without each,
/// lowest first (Algorithm 2; criterion loss: highest first).
std::vector<int> rank_edges(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// The edge whose absence hurts least, the last of equals: what a round of elimination removes.
int edge_to_remove(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// How much more the absence of `a` hurts than that of `b`, in the criterion's unit.
double margin_between(const Score& a, const Score& b, Criterion criterion);

/// kOnce (Algorithm 2): every input edge is scored with all others present, the two whose absence hurts most
/// stay. kRounds (the released program): one edge goes a round until two are left; the trials of later rounds
/// have the edges dropped before back in place.
enum class TopologyRule { kOnce, kRounds };
TopologyRule parse_topology(const std::string& option);

/// What was measured and chosen at one node.
struct EdgeScore {
  int edge;
  Score score;
};
struct TopologyChoice {
  std::vector<int> kept;                       ///< two edges, ascending (all there are, if fewer)
  std::vector<std::vector<EdgeScore>> rounds;  ///< empty where nothing had to be decided
  std::optional<double> margin;                ///< between the last edge kept and the first dropped
};
TopologyChoice choose_edges(std::vector<int> edges, TopologyRule rule, Criterion criterion, Ties ties,
                            const std::function<Score(int edge)>& score_without);

/// How many scores choose_edges() asks for.
int topology_trials(int edges, TopologyRule rule);

}  // namespace ptnas
