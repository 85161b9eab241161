#pragma once

#include <optional>
#include <vector>

#include "ptnas/space/derive.h"
#include "ptnas/space/search_space.h"

namespace ptnas {

/// SGAS' measures of an edge (Li et al., CVPR 2020, Section 3.3; FACTS, SGAS), p its softmax weights without
/// `none`'s: importance sum p; certainty 1 - entropy(p / sum p) / log(number of p), 1 for a single one;
/// stability, where there is a history: the mean over it of the histogram intersection of p / sum p then and
/// now. The score is the product of the three, each brought to 0 .. 1 over all edges of the cell.
struct EdgeMeasures {
  double importance = 0, certainty = 0;
  std::optional<double> stability;  ///< of criterion 2 only
  double score = 0;
};

/// p / sum p by edge and candidate, 0 for `none`: what the history is made of.
WeightMatrix sgas_probabilities(const SearchSpace& space, CellType type, const WeightMatrix& softmax);

/// Of every edge. `history`: the probabilities after the last epochs, for criterion 2; nullopt: criterion 1.
/// Without an epoch in it every stability is 0.
std::vector<EdgeMeasures> sgas_measures(const SearchSpace& space, CellType type, const WeightMatrix& softmax,
                                        const std::optional<std::vector<WeightMatrix>>& history);

/// Brought to 0 .. 1 by their least and largest; all 0 where these are equal.
std::vector<double> min_max_normalised(const std::vector<double>& values);

}  // namespace ptnas
