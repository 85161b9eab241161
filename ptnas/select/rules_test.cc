#include "ptnas/select/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ChooseOperation, TakesTheOneWhoseAbsenceHurtsMost) {
  // By accuracy the second, by loss the third.
  const std::vector<Score> scores = {{1.0, 0.6}, {1.1, 0.4}, {1.3, 0.5}};
  EXPECT_EQ(choose_operation(scores, Criterion::kAccuracy, Ties::kByLoss), 1);
  EXPECT_EQ(choose_operation(scores, Criterion::kLoss, Ties::kByLoss), 2);
  EXPECT_DOUBLE_EQ(*choice_margin(scores, Criterion::kAccuracy, Ties::kByLoss), 0.5 - 0.4);
  EXPECT_DOUBLE_EQ(*choice_margin(scores, Criterion::kLoss, Ties::kByLoss), 1.3 - 1.1);
}

TEST(ChooseOperation, EqualAccuraciesGoToTheHigherLossOrToTheFirst) {
  const std::vector<Score> scores = {{0.9, 0.7}, {1.0, 0.5}, {1.2, 0.5}, {1.2, 0.5}};
  EXPECT_EQ(choose_operation(scores, Criterion::kAccuracy, Ties::kByLoss), 2);
  EXPECT_EQ(choose_operation(scores, Criterion::kAccuracy, Ties::kFirst), 1);
  EXPECT_EQ(choose_operation(scores, Criterion::kLoss, Ties::kByLoss), 2);
  EXPECT_DOUBLE_EQ(*choice_margin(scores, Criterion::kAccuracy, Ties::kFirst), 0);
}

TEST(ChooseOperation, ASingleCandidateHasNoMargin) {
  EXPECT_EQ(choose_operation({{1, 0.5}}, Criterion::kAccuracy, Ties::kByLoss), 0);
  EXPECT_FALSE(choice_margin({{1, 0.5}}, Criterion::kAccuracy, Ties::kByLoss).has_value());
}

TEST(EdgeToRemove, LastOfEqualsGoes) {
  const std::vector<Score> scores = {{1.0, 0.8}, {1.0, 0.8}, {2.0, 0.5}};
  EXPECT_EQ(edge_to_remove(scores, Criterion::kAccuracy, Ties::kFirst), 1);
  EXPECT_EQ(edge_to_remove(scores, Criterion::kAccuracy, Ties::kByLoss), 1);
  EXPECT_EQ(edge_to_remove(scores, Criterion::kLoss, Ties::kFirst), 1);
  // Of equal accuracies the lower loss hurts less.
  EXPECT_EQ(edge_to_remove({{0.9, 0.8}, {1.0, 0.8}}, Criterion::kAccuracy, Ties::kByLoss), 0);
  EXPECT_EQ(edge_to_remove({{0.9, 0.8}, {1.0, 0.8}}, Criterion::kAccuracy, Ties::kFirst), 1);
}

// Scores by edge, one table a round: the supernet may answer differently in later rounds.
class HandMade {
 public:
  explicit HandMade(std::vector<std::map<int, double>> accuracies) : accuracies_(std::move(accuracies)) {}
  Score operator()(int edge) {
    if (seen_.contains(edge)) {
      seen_.clear();
      ++round_;
    }
    seen_[edge] = true;
    return {1.0, accuracies_.at(round_).at(edge)};
  }

 private:
  std::vector<std::map<int, double>> accuracies_;
  std::map<int, bool> seen_;
  std::size_t round_ = 0;
};

TEST(ChooseEdges, OnceKeepsTheTwoLowest) {
  const TopologyChoice choice =
      choose_edges({5, 6, 7, 8}, TopologyRule::kOnce, Criterion::kAccuracy, Ties::kByLoss,
                   HandMade({{{5, 0.50}, {6, 0.30}, {7, 0.60}, {8, 0.40}}}));
  EXPECT_THAT(choice.kept, ElementsAre(6, 8));
  ASSERT_EQ(choice.rounds.size(), 1u);
  EXPECT_EQ(choice.rounds[0].size(), 4u);
  EXPECT_DOUBLE_EQ(*choice.margin, 0.50 - 0.40);
}

TEST(ChooseEdges, RoundsEliminateOneAtATime) {
  // Round 1 drops edge 7; round 2, where others are asked again, drops 6, which `once` would have kept.
  const TopologyChoice choice = choose_edges(
      {5, 6, 7, 8}, TopologyRule::kRounds, Criterion::kAccuracy, Ties::kFirst,
      HandMade({{{5, 0.50}, {6, 0.30}, {7, 0.60}, {8, 0.40}}, {{5, 0.35}, {6, 0.55}, {8, 0.45}}}));
  EXPECT_THAT(choice.kept, ElementsAre(5, 8));
  ASSERT_EQ(choice.rounds.size(), 2u);
  EXPECT_EQ(choice.rounds[1].size(), 3u);
  EXPECT_DOUBLE_EQ(*choice.margin, 0.55 - 0.45);
}

TEST(ChooseEdges, OfEqualsTheLastEdgesGo) {
  for (const TopologyRule rule : {TopologyRule::kOnce, TopologyRule::kRounds}) {
    const TopologyChoice choice =
        choose_edges({9, 10, 11, 12, 13}, rule, Criterion::kAccuracy, Ties::kFirst, [](int) {
          return Score{1, 0.5};
        });
    EXPECT_THAT(choice.kept, ElementsAre(9, 10));
  }
}

TEST(ChooseEdges, TwoEdgesNeedNoScores) {
  const TopologyChoice choice =
      choose_edges({0, 1}, TopologyRule::kRounds, Criterion::kLoss, Ties::kByLoss, [](int) -> Score {
        ADD_FAILURE() << "scored";
        return {};
      });
  EXPECT_THAT(choice.kept, ElementsAre(0, 1));
  EXPECT_THAT(choice.rounds, IsEmpty());
  EXPECT_FALSE(choice.margin.has_value());
}

TEST(TopologyTrials, AreThoseThatChooseEdgesMakes) {
  for (int count = 1; count <= 6; ++count) {
    for (const TopologyRule rule : {TopologyRule::kOnce, TopologyRule::kRounds}) {
      std::vector<int> edges(static_cast<std::size_t>(count));
      for (int i = 0; i < count; ++i) edges[static_cast<std::size_t>(i)] = i;
      int asked = 0;
      choose_edges(edges, rule, Criterion::kAccuracy, Ties::kFirst, [&](int) {
        ++asked;
        return Score{1, 0.5};
      });
      EXPECT_EQ(topology_trials(count, rule), asked) << count;
    }
  }
}

TEST(Parse, UnknownNamesAreWrongUse) {
  EXPECT_THROW(parse_criterion("f1"), Error);
  EXPECT_THROW(parse_ties("coin"), Error);
  EXPECT_THROW(parse_topology("never"), Error);
  EXPECT_EQ(parse_topology("rounds"), TopologyRule::kRounds);
}

}  // namespace
}  // namespace ptnas
