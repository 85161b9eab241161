#pragma once

#include <vector>

namespace ptnas {

/// Ranks from 1; equal values share their mean rank.
std::vector<double> ranks_of(const std::vector<double>& values);

/// Spearman's rank correlation of two lists of the same length; NaN of fewer than two values or where one
/// list is constant.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace ptnas
