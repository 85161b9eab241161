#include "ptnas/analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace ptnas {

std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i)
      ranks[order[i]] = (static_cast<double>(begin) + static_cast<double>(end) + 1) / 2;
  }
  return ranks;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> first = ranks_of(a), second = ranks_of(b);
  const double middle = (static_cast<double>(a.size()) + 1) / 2;
  double products = 0, squares_a = 0, squares_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    products += (first[i] - middle) * (second[i] - middle);
    squares_a += std::pow(first[i] - middle, 2);
    squares_b += std::pow(second[i] - middle, 2);
  }
  if (squares_a == 0 || squares_b == 0) return std::numeric_limits<double>::quiet_NaN();
  return products / std::sqrt(squares_a * squares_b);
}

}  // namespace ptnas
