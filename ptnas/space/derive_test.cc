#include "ptnas/space/derive.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using enum OperationKind;
using ::testing::ElementsAre;
using Edges = std::vector<GenotypeEdge>;

WeightMatrix zeros(const SearchSpace& space, CellType type) {
  WeightMatrix weights;
  for (const auto& edge : space.of(type)) weights.emplace_back(edge.size(), 0.0);
  return weights;
}

// The normal cell that these weights of it give.
std::vector<Edges> derived(const SearchSpace& space, const WeightMatrix& normal) {
  return derive_by_magnitude(space, normal, zeros(space, CellType::kReduction)).of(CellType::kNormal);
}

TEST(DeriveByMagnitudeTest, TheTwoStrongestEdgesStrongestFirst) {
  const SearchSpace space = make_space("s2", 2, false);
  EXPECT_THAT(
      derived(space, {{0.4, 0.6}, {0.2, 0.8}, {0.9, 0.1}, {0.45, 0.55}, {0.3, 0.7}}),
      ElementsAre(Edges{{kSepConv3x3, 1}, {kSepConv3x3, 0}}, Edges{{kSkipConnect, 0}, {kSepConv3x3, 2}}));
}

TEST(DeriveByMagnitudeTest, TiesGoToTheLowerEdgeAndTheFirstOperation) {
  const SearchSpace space = make_space("s2", 2, false);
  EXPECT_THAT(
      derived(space, {{0.5, 0.5}, {0.5, 0.5}, {0, 0}, {0, 1}, {0, 0}}),
      ElementsAre(Edges{{kSkipConnect, 0}, {kSkipConnect, 1}}, Edges{{kSepConv3x3, 1}, {kSkipConnect, 0}}));
}

TEST(DeriveByMagnitudeTest, NoneNeverCounts) {
  const SearchSpace space = make_space("s3", 2, false);
  // Edge 4 was decided as `none` and edge 2 dropped: both count 0, the lower one comes back with its first
  // operation.
  EXPECT_THAT(
      derived(space, {{0.9, 0.04, 0.06}, {0, 0.7, 0.3}, {0, 0, 0}, {0, 0, 1}, {1, 0, 0}}),
      ElementsAre(Edges{{kSkipConnect, 1}, {kSepConv3x3, 0}}, Edges{{kSepConv3x3, 1}, {kSkipConnect, 0}}));
}

TEST(DeriveByMagnitudeTest, EdgesMayHaveDifferentCandidates) {
  const SearchSpace space = make_space("s1", 4, false);
  WeightMatrix reduction = zeros(space, CellType::kReduction);
  reduction[13][1] = 1;    // dil_conv_5x5 from state 4
  reduction[10][0] = 0.5;  // max_pool_3x3 from state 1
  const Genotype genotype = derive_by_magnitude(space, zeros(space, CellType::kNormal), reduction);
  EXPECT_EQ(genotype.of(CellType::kReduction)[3], (Edges{{kDilConv5x5, 4}, {kMaxPool3x3, 1}}));
  EXPECT_EQ(genotype.of(CellType::kReduction)[0], (Edges{{kMaxPool3x3, 0}, {kMaxPool3x3, 1}}));
}

TEST(DeriveByMagnitudeTest, WeightsOfAnotherShapeAreRefused) {
  const SearchSpace space = make_space("s2", 1, false);
  expect_error([&] { derived(space, {{0, 0}}); }, {"2 edges", "found 1"});
  expect_error([&] { derived(space, {{0, 0}, {0, 0, 0}}); }, {"edge 1", "normal", "found 3"});
  expect_error([&] { derived(space, {{0, 0}, {0, std::nan("")}}); }, {"edge 1", "finite"});
}

class DeriveFromDecisionsTest : public ::testing::Test {
 protected:
  static constexpr int kNoneIndex = 0, kSkip = 1, kSep = 2;  // S3's candidates

  DeriveFromDecisionsTest() {
    for (std::size_t t = 0; t < 2; ++t) {
      decisions_[t] = {{kSkip, kSep, kSep, kSkip, kSep}, {{0, 1}, {4, 2}}, {{0, 1}, {4, 2, 3}}};
      best_other_[t] = {kSkip, kSep, kSep, kSep, kSkip};
    }
  }
  std::vector<Edges> normal() const {
    return derive_from_decisions(space_, decisions_, best_other_).of(CellType::kNormal);
  }

  const SearchSpace space_ = make_space("s3", 2, false);
  CellDecisions decisions_[2];
  std::vector<int> best_other_[2];
};

TEST_F(DeriveFromDecisionsTest, KeptEdgesInTheirOrder) {
  EXPECT_THAT(normal(), ElementsAre(Edges{{kSkipConnect, 0}, {kSepConv3x3, 1}},
                                    Edges{{kSepConv3x3, 2}, {kSepConv3x3, 0}}));
}

TEST_F(DeriveFromDecisionsTest, AnEdgeThatIsNoneCountsAsRemoved) {
  decisions_[0].operation[4] = kNoneIndex;
  decisions_[0].kept[1] = {2, 3};
  decisions_[0].ranked[1] = {2, 3, 4};
  EXPECT_EQ(normal()[1], (Edges{{kSepConv3x3, 0}, {kSkipConnect, 1}}));
}

TEST_F(DeriveFromDecisionsTest, TheBestRemovedEdgeComesBackWithItsBestOtherOperation) {
  decisions_[0].operation = {kNoneIndex, kSep, kNoneIndex, kNoneIndex, kNoneIndex};
  decisions_[0].kept = {{1}, {}};
  decisions_[0].ranked = {{1, 0}, {3, 4, 2}};
  EXPECT_THAT(normal(), ElementsAre(Edges{{kSepConv3x3, 1}, {kSkipConnect, 0}},
                                    Edges{{kSepConv3x3, 1}, {kSkipConnect, 2}}));
}

TEST_F(DeriveFromDecisionsTest, DecisionsOfAnotherShapeAreRefused) {
  const auto refused = [&] { EXPECT_THROW(normal(), Error); };
  const CellDecisions sound = decisions_[0];
  decisions_[0].operation.pop_back();
  refused();
  decisions_[0] = sound;
  decisions_[0].operation[2] = 3;
  refused();
  decisions_[0] = sound;
  decisions_[0].kept.pop_back();
  refused();
  decisions_[0] = sound;
  decisions_[0].kept[1] = {0, 1};  // edges of the other node
  refused();
  decisions_[0] = sound;
  decisions_[0].kept[1] = {2};
  decisions_[0].ranked[1] = {2};  // one edge only
  refused();
  decisions_[0] = sound;
  decisions_[0].operation[2] = kNoneIndex;
  best_other_[0][2] = kNoneIndex;
  decisions_[0].ranked[1] = {4, 2};  // edge 2 is `none` and has nothing else
  refused();
}

TEST(RandomGenotypeTest, IsUniformOverEdgesAndOperationsButNone) {
  const SearchSpace space = make_space("s3", 3, false);
  std::map<int, int> sources, operations;
  constexpr int kDraws = 3000;
  for (int i = 0; i < kDraws; ++i) {
    RandomStream stream(1, Purpose::kRandomSelection, static_cast<std::uint64_t>(i));
    const Genotype genotype = random_genotype(space, stream);
    for (const auto& cell : genotype.cells) {
      ASSERT_EQ(cell.size(), 3u);
      for (const Edges& node : cell) {
        ASSERT_EQ(node.size(), 2u);
        ASSERT_LT(node[0].from, node[1].from);
      }
    }
    for (const GenotypeEdge& edge : genotype.of(CellType::kReduction)[2]) {
      ++sources[edge.from];
      ++operations[static_cast<int>(edge.operation)];
    }
  }
  ASSERT_EQ(sources.size(), 4u);
  for (const auto& [from, count] : sources) EXPECT_NEAR(count, kDraws / 2, 150) << from;
  ASSERT_EQ(operations.size(), 2u);
  EXPECT_EQ(operations.count(static_cast<int>(kNone)), 0u);
  for (const auto& [kind, count] : operations) EXPECT_NEAR(count, kDraws, 200) << kind;
}

TEST(RandomGenotypeTest, IsAFunctionOfItsStream) {
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream first(7, Purpose::kRandomSelection), again(7, Purpose::kRandomSelection),
      other(8, Purpose::kRandomSelection);
  const Genotype genotype = random_genotype(space, first);
  EXPECT_EQ(random_genotype(space, again), genotype);
  EXPECT_FALSE(random_genotype(space, other) == genotype);
}

TEST(DeriveTest, NasBench201KeepsEveryEdgeAndNoneMayWin) {
  const SearchSpace space = make_space("nb201", 4, false);
  WeightMatrix weights = zeros(space, CellType::kNormal);
  weights[1][3] = 0.5;  // 2<-0
  weights[5][4] = 0.4;  // 3<-2
  weights[4][2] = weights[4][1] = 0.3;
  const std::string expected = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|avg_pool_3x3~2|";
  EXPECT_EQ(to_text(derive_by_magnitude(space, weights, {})), expected);
  CellDecisions decisions[2];
  decisions[0] = {{0, 3, 0, 0, 1, 4}, {{}, {}, {}}, {{}, {}, {}}};
  const std::vector<int> others[2] = {std::vector<int>(6, 1), {}};
  EXPECT_EQ(to_text(derive_from_decisions(space, decisions, others)), expected);
  decisions[0].operation[2] = 5;
  expect_error([&] { derive_from_decisions(space, decisions, others); }, {"edge 2", "5 candidates"});
}

TEST(RandomGenotypeTest, NasBench201DrawsFromAllOperations) {
  const SearchSpace space = make_space("nb201", 4, false);
  RandomStream stream(3, Purpose::kRandomSelection);
  std::set<OperationKind> seen;
  for (int i = 0; i < 20; ++i) {
    const Genotype genotype = random_genotype(space, stream);
    validate(genotype, "drawn");
    for (const auto& node : genotype.of(CellType::kNormal)) {
      for (const GenotypeEdge& edge : node) seen.insert(edge.operation);
    }
  }
  EXPECT_EQ(seen.size(), 5u);
}

}  // namespace
}  // namespace ptnas
