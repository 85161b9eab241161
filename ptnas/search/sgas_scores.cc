#include "ptnas/search/sgas_scores.h"

#include <algorithm>
#include <cmath>

namespace ptnas {

namespace {

bool is_none(const SearchSpace& space, CellType type, std::size_t edge, std::size_t operation) {
  return space.of(type)[edge][operation] == OperationKind::kNone;
}

double importance_of(const SearchSpace& space, CellType type, std::size_t edge,
                     const std::vector<double>& softmax) {
  double sum = 0;
  for (std::size_t o = 0; o < softmax.size(); ++o) {
    if (!is_none(space, type, edge, o)) sum += softmax[o];
  }
  return sum;
}

// 1 - entropy / log(n) of n probabilities; a zero adds nothing to the entropy.
double certainty_of(const std::vector<double>& probabilities, std::size_t n) {
  if (n < 2) return 1;
  double entropy = 0;
  for (const double p : probabilities) {
    if (p > 0) entropy -= p * std::log(p);
  }
  return 1 - entropy / std::log(static_cast<double>(n));
}

double intersection(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t o = 0; o < a.size(); ++o) sum += std::min(a[o], b.at(o));
  return sum;
}

void multiply_scores(std::vector<EdgeMeasures>& measures, const std::vector<double>& values) {
  const std::vector<double> normalised = min_max_normalised(values);
  for (std::size_t e = 0; e < measures.size(); ++e) measures[e].score *= normalised[e];
}

}  // namespace

WeightMatrix sgas_probabilities(const SearchSpace& space, CellType type, const WeightMatrix& softmax) {
  WeightMatrix probabilities = softmax;
  for (std::size_t e = 0; e < probabilities.size(); ++e) {
    const double sum = importance_of(space, type, e, softmax[e]);
    for (std::size_t o = 0; o < probabilities[e].size(); ++o)
      probabilities[e][o] = is_none(space, type, e, o) || sum == 0 ? 0 : probabilities[e][o] / sum;
  }
  return probabilities;
}

std::vector<EdgeMeasures> sgas_measures(const SearchSpace& space, CellType type, const WeightMatrix& softmax,
                                        const std::optional<std::vector<WeightMatrix>>& history) {
  const WeightMatrix probabilities = sgas_probabilities(space, type, softmax);
  std::vector<EdgeMeasures> measures(softmax.size());
  std::vector<double> importances, certainties, stabilities;
  for (std::size_t e = 0; e < softmax.size(); ++e) {
    std::size_t others = 0;
    for (std::size_t o = 0; o < softmax[e].size(); ++o) others += !is_none(space, type, e, o);
    importances.push_back(importance_of(space, type, e, softmax[e]));
    certainties.push_back(certainty_of(probabilities[e], others));
    measures[e] = {importances[e], certainties[e], std::nullopt, 1};
    if (!history) continue;
    double sum = 0;
    for (const WeightMatrix& then : *history) sum += intersection(probabilities[e], then.at(e));
    stabilities.push_back(history->empty() ? 0 : sum / static_cast<double>(history->size()));
    measures[e].stability = stabilities[e];
  }
  multiply_scores(measures, importances);
  multiply_scores(measures, certainties);
  if (history) multiply_scores(measures, stabilities);
  return measures;
}

std::vector<double> min_max_normalised(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  const double from = *least, range = *largest - *least;
  std::vector<double> result;
  for (const double value : values) result.push_back(range > 0 ? (value - from) / range : 0);
  return result;
}

}  // namespace ptnas
