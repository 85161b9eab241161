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

}  // namespace ptnas
