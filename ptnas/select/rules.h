#pragma once

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

/// Edges from the most important to the least: by the accuracy without each, lowest first (Algorithm 2;
/// criterion loss: highest first).
std::vector<int> rank_edges(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// The edge whose absence hurts least, the last of equals: what a round of elimination removes.
int edge_to_remove(const std::vector<Score>& scores, Criterion criterion, Ties ties);

/// How much more the absence of `a` hurts than that of `b`, in the criterion's unit.
double margin_between(const Score& a, const Score& b, Criterion criterion);

}  // namespace ptnas
