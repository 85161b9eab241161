#include "ptnas/search/perturbed_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace ptnas {
namespace {

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

std::vector<double> restored(std::vector<double> row) {
  restore_row(row);
  return row;
}

TEST(RestoreRow, ClampsAndDividesByTheSum) {
  // By hand: 0.5 + 0.25, 0.3 - 0.4, 0.2 + 0.15 -> 0.75, 0, 0.35 -> over 1.1.
  expect_near(restored({0.75, -0.1, 0.35}), {0.75 / 1.1, 0, 0.35 / 1.1});
  // 1.2 is cut to 1 first: 1, 0.25 -> over 1.25.
  expect_near(restored({1.2, 0.25}), {0.8, 0.2});
  expect_near(restored({0.25, 0.75}), {0.25, 0.75});
}

TEST(RestoreRow, ARowOfZerosBecomesOneHotWhereItWasLargest) {
  expect_near(restored({-0.2, -0.1, -0.3}), {0, 1, 0});
  expect_near(restored({-0.1, -0.1}), {1, 0});
  expect_near(restored({0, -0.5}), {1, 0});
}

TEST(SdartsEpsilon, GrowsOverTheSearchAndStaysInTuning) {
  SearchOptions options;
  options.epochs = 50;
  EXPECT_DOUBLE_EQ(sdarts_epsilon(options, 0), 0.03);
  EXPECT_DOUBLE_EQ(sdarts_epsilon(options, 25), 0.165);
  EXPECT_DOUBLE_EQ(sdarts_epsilon(options, 49), 0.03 + 0.27 * 49 / 50);
  EXPECT_DOUBLE_EQ(sdarts_epsilon(options, 50), 0.3);
  EXPECT_DOUBLE_EQ(sdarts_epsilon(options, 80), 0.3);
}

class PerturbedWeightsTest : public testing::Test {
 protected:
  SearchSpace space = make_space("darts", 4, false);
  Architecture architecture{space, 0.1, 3};
};

// The slow twin: the stream's numbers one by one, then the rule of the row.
TEST_F(PerturbedWeightsTest, AreTheStreamsNumbersOnEveryOpenEdge) {
  architecture.decide(CellType::kNormal, 2, 4);
  architecture.remove(CellType::kNormal, 5);
  const HostWeights before = host_weights(architecture), found = randomly_perturbed(architecture, 0.2, 7, 11);
  for (const CellType type : kCellTypes) {
    const auto t = static_cast<std::size_t>(type);
    RandomStream stream(7, Purpose::kSearchNoise, 22 + t);
    for (int e = 0; e < space.edge_count(); ++e) {
      const auto edge = static_cast<std::size_t>(e);
      if (!architecture.open(type, e)) {
        EXPECT_EQ(found[t][edge], before[t][edge]) << e;
        continue;
      }
      std::vector<double> row = before[t][edge];
      for (double& weight : row) weight += -0.2 + 0.4 * stream.uniform();
      expect_near(found[t][edge], restored(row));
      EXPECT_NEAR(std::accumulate(found[t][edge].begin(), found[t][edge].end(), 0.0), 1, 1e-12);
    }
  }
}

TEST_F(PerturbedWeightsTest, DependOnSeedAndStep) {
  EXPECT_EQ(randomly_perturbed(architecture, 0.2, 7, 11), randomly_perturbed(architecture, 0.2, 7, 11));
  EXPECT_NE(randomly_perturbed(architecture, 0.2, 7, 11), randomly_perturbed(architecture, 0.2, 8, 11));
  EXPECT_NE(randomly_perturbed(architecture, 0.2, 7, 11), randomly_perturbed(architecture, 0.2, 7, 12));
}

TEST_F(PerturbedWeightsTest, WithoutEpsilonNothingMoves) {
  const HostWeights before = host_weights(architecture), found = randomly_perturbed(architecture, 0, 7, 11);
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t e = 0; e < before[t].size(); ++e) {
      for (std::size_t o = 0; o < before[t][e].size(); ++o)
        EXPECT_NEAR(found[t][e][o], before[t][e][o], 1e-6);
    }
  }
}

TEST(ToWeights, PadsShortRows) {
  const SearchSpace space = make_space("s1", 4, true);
  const Architecture architecture(space, 0.1, 3);
  const HostWeights weights = host_weights(architecture);
  const ArchitectureWeights passed = to_weights(architecture, weights, true);
  for (const CellType type : kCellTypes) {
    EXPECT_EQ(passed.of(type).host, weights[static_cast<std::size_t>(type)]);
    EXPECT_TRUE(passed.of(type).values.is_leaf() && passed.of(type).values.requires_grad());
  }
  EXPECT_FALSE(to_weights(architecture, weights, false).of(CellType::kNormal).values.requires_grad());
}

}  // namespace
}  // namespace ptnas
