#include "ptnas/search/sgas_scores.h"

#include <gtest/gtest.h>

namespace ptnas {
namespace {

// One node with two edges and another with three; three candidates each.
SearchSpace space() { return make_space("s3", 2, false); }

// Softmax weights of none, skip_connect and sep_conv_3x3.
const WeightMatrix kSoftmax = {
    {0.2, 0.6, 0.2}, {0.5, 0.25, 0.25}, {0.4, 0.3, 0.3}, {0.6, 0.1, 0.3}, {0.1, 0.45, 0.45}};

TEST(SgasScores, CriterionOneByHand) {
  // importance: 0.8, 0.5, 0.6, 0.4, 0.9 -> over 0.4 .. 0.9: 0.8, 0.2, 0.4, 0, 1.
  // p / sum p: (3/4, 1/4), (1/2, 1/2), (1/2, 1/2), (1/4, 3/4), (1/2, 1/2); the entropy of (3/4, 1/4) over log
  // 2 is 2 - 3/4 log2(3) = 0.811278: certainty 0.188722, 0, 0, 0.188722, 0 -> 1, 0, 0, 1, 0.
  const std::vector<EdgeMeasures> measures =
      sgas_measures(space(), CellType::kNormal, kSoftmax, std::nullopt);
  const double importance[] = {0.8, 0.5, 0.6, 0.4, 0.9},
               certainty[] = {0.18872187554086717, 0, 0, 0.18872187554086717, 0}, score[] = {0.8, 0, 0, 0, 0};
  for (std::size_t e = 0; e < 5; ++e) {
    EXPECT_NEAR(measures[e].importance, importance[e], 1e-12) << e;
    EXPECT_NEAR(measures[e].certainty, certainty[e], 1e-12) << e;
    EXPECT_NEAR(measures[e].score, score[e], 1e-12) << e;
    EXPECT_FALSE(measures[e].stability.has_value());
  }
}

TEST(SgasScores, CriterionTwoByHand) {
  // Two epochs ago and one ago; `none` is not in it.
  const WeightMatrix first = {{0, 0.5, 0.5}, {0, 0.5, 0.5}, {0, 1, 0}, {0, 0.25, 0.75}, {0, 0.5, 0.5}};
  const WeightMatrix second = {{0, 1, 0}, {0, 0.5, 0.5}, {0, 0.5, 0.5}, {0, 0.25, 0.75}, {0, 0.5, 0.5}};
  const std::vector<EdgeMeasures> measures =
      sgas_measures(space(), CellType::kNormal, kSoftmax, std::vector<WeightMatrix>{first, second});
  // edge 0: min(.75,.5) + min(.25,.5) = .75 and .75; edge 2: .5 and 1 -> mean .75; others 1. -> 0, 1, 0,
  // 1, 1.
  const double stability[] = {0.75, 1, 0.75, 1, 1};
  for (std::size_t e = 0; e < 5; ++e) {
    EXPECT_NEAR(measures[e].stability.value(), stability[e], 1e-12) << e;
    EXPECT_NEAR(measures[e].score, 0, 1e-12) << e;  // each has a least measure
  }
}

TEST(SgasScores, AnEmptyHistoryGivesNoScore) {
  for (const EdgeMeasures& measures :
       sgas_measures(space(), CellType::kNormal, kSoftmax, std::vector<WeightMatrix>{})) {
    EXPECT_EQ(measures.stability, 0);
    EXPECT_EQ(measures.score, 0);
  }
}

TEST(SgasScores, ProbabilitiesLeaveNoneOut) {
  const WeightMatrix probabilities = sgas_probabilities(space(), CellType::kNormal, kSoftmax);
  EXPECT_EQ(probabilities[0][0], 0);
  EXPECT_NEAR(probabilities[0][1], 0.75, 1e-12);
  EXPECT_NEAR(probabilities[3][2], 0.75, 1e-12);
}

TEST(SgasScores, NormalisedValuesOfEqualOnesAreZero) {
  EXPECT_EQ(min_max_normalised({2, 2, 2}), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(min_max_normalised({1, 3, 2}), (std::vector<double>{0, 1, 0.5}));
  EXPECT_TRUE(min_max_normalised({}).empty());
}

}  // namespace
}  // namespace ptnas
