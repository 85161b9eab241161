#pragma once

#include <cstdint>
#include <vector>

#include "ptnas/core/json.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

// Figure 3: "mean(alpha_skip - alpha_conv) (softmaxed)" against the supernet's accuracy.

/// One epoch of a search.
struct SkipGap {
  std::int64_t epoch = 0;
  double valid_accuracy = 0;
  double gap = 0;
};

/// From the lines of a run's metrics.jsonl, by epoch of phase "search": the mean over all edges, of both cell
/// types, that have a skip and a convolution, of the skip's softmax weight less the mean of the
/// convolutions'. Throws Error(kUsage) where the space has no such edge, Error where a line lacks alpha.
std::vector<SkipGap> skip_gaps(const std::vector<Json>& metrics, const SearchSpace& space);

/// Spearman's rank correlation of accuracy and gap over the epochs; NaN of fewer than two.
double accuracy_gap_correlation(const std::vector<SkipGap>& gaps);

}  // namespace ptnas
