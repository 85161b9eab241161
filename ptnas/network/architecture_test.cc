#include "ptnas/network/architecture.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

using enum CellType;

// Two nodes, five edges with 3, 1, 2, 3, 2 candidates.
SearchSpace uneven_space() {
  using enum OperationKind;
  SearchSpace space;
  space.name = "uneven";
  space.nodes = 2;
  for (auto& edges : space.candidates) {
    edges = {{kSkipConnect, kMaxPool3x3, kNone},
             {kSepConv3x3},
             {kSkipConnect, kAvgPool3x3},
             {kNone, kSkipConnect, kMaxPool3x3},
             {kSepConv3x3, kAvgPool3x3}};
  }
  return space;
}

TEST(ArchitectureTest, ATypeThatIsNotSearchedHasNoAlpha) {
  const Architecture architecture(make_space("nb201", 4, false), 1.0, 3);
  ASSERT_EQ(architecture.alphas().size(), 1u);
  EXPECT_EQ(architecture.alpha(kNormal).sizes().vec(), (std::vector<std::int64_t>{6, 5}));
  EXPECT_FALSE(architecture.alpha(kReduction).defined());
  EXPECT_TRUE(architecture.softmax(kReduction).empty());
  EXPECT_TRUE(architecture.host_weights(kReduction).empty());
  EXPECT_TRUE(architecture.weights(true).of(kReduction).host.empty());
}

TEST(ArchitectureTest, RowsAreSoftmaxesOverTheCandidatesAlone) {
  const Architecture architecture(uneven_space(), 1.0, 3);
  const torch::Tensor alpha = architecture.alpha(kNormal).detach();
  const WeightMatrix weights = architecture.host_weights(kNormal);
  const std::vector<std::size_t> candidates = {3, 1, 2, 3, 2};
  for (std::size_t e = 0; e < candidates.size(); ++e) {
    ASSERT_EQ(weights[e].size(), candidates[e]);
    double sum = 0;
    for (std::size_t o = 0; o < candidates[e]; ++o)
      sum += std::exp(alpha[static_cast<int>(e)][static_cast<int>(o)].item<double>());
    for (std::size_t o = 0; o < candidates[e]; ++o) {
      EXPECT_NEAR(weights[e][o],
                  std::exp(alpha[static_cast<int>(e)][static_cast<int>(o)].item<double>()) / sum, 1e-6);
    }
  }
  const EdgeWeights device = architecture.weights(true).of(kNormal);
  EXPECT_EQ(device.values.sizes().vec(), (std::vector<std::int64_t>{5, 3}));
  EXPECT_EQ(device.each.size(), 15u);
  EXPECT_EQ(device.values[1][2].item<float>(), 0);
}

TEST(ArchitectureTest, InitialAlphaIsAFunctionOfTheSeed) {
  const SearchSpace space = make_space("darts", 4, false);
  const Architecture first(space, 1e-3, 1), again(space, 1e-3, 1), other(space, 1e-3, 2), zero(space, 0, 1);
  EXPECT_TRUE(torch::equal(first.alpha(kNormal), again.alpha(kNormal)));
  EXPECT_FALSE(torch::equal(first.alpha(kNormal), other.alpha(kNormal)));
  EXPECT_FALSE(torch::equal(first.alpha(kNormal), first.alpha(kReduction)));
  EXPECT_NEAR(first.alpha(kNormal).std().item<float>(), 1e-3, 2e-4);
  EXPECT_EQ(zero.alpha(kNormal).abs().max().item<float>(), 0);
  EXPECT_TRUE(first.alpha(kNormal).is_leaf() && first.alpha(kNormal).requires_grad());
}

TEST(ArchitectureTest, DecidedRowsAreOneHotAndRemovedRowsZero) {
  Architecture architecture(uneven_space(), 1.0, 3);
  const WeightMatrix before = architecture.host_weights(kNormal);
  architecture.decide(kNormal, 0, 1);
  architecture.remove(kNormal, 3);
  const WeightMatrix weights = architecture.host_weights(kNormal);
  EXPECT_EQ(weights[0], (std::vector<double>{0, 1, 0}));
  EXPECT_EQ(weights[3], (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(weights[2], before[2]);
  EXPECT_EQ(architecture.decided(kNormal, 0), 1);
  EXPECT_EQ(architecture.decided(kReduction, 0), std::nullopt);
  EXPECT_TRUE(architecture.removed(kNormal, 3));
  EXPECT_EQ(architecture.softmax(kNormal), before);
  architecture.restore(kNormal, 3);
  EXPECT_EQ(architecture.host_weights(kNormal)[3], before[3]);
  // A decided edge that is removed comes back as decided.
  architecture.remove(kNormal, 0);
  EXPECT_EQ(architecture.host_weights(kNormal)[0], (std::vector<double>{0, 0, 0}));
  architecture.restore(kNormal, 0);
  EXPECT_EQ(architecture.host_weights(kNormal)[0], (std::vector<double>{0, 1, 0}));
}

TEST(ArchitectureTest, AReopenedEdgeIsAsIfNothingWasDecided) {
  Architecture architecture(uneven_space(), 1.0, 3);
  const WeightMatrix before = architecture.host_weights(kNormal);
  EXPECT_TRUE(architecture.open(kNormal, 0));
  architecture.decide(kNormal, 0, 1);
  architecture.remove(kNormal, 3);
  EXPECT_FALSE(architecture.open(kNormal, 0));
  EXPECT_FALSE(architecture.open(kNormal, 3));
  for (const int edge : {0, 3}) architecture.reopen(kNormal, edge);
  EXPECT_TRUE(architecture.open(kNormal, 0));
  EXPECT_EQ(architecture.host_weights(kNormal), before);
}

TEST(ArchitectureTest, WeightsOfGivenValues) {
  const SearchSpace space = uneven_space();
  const torch::Tensor values = torch::rand({5, 3}).requires_grad_();
  const ArchitectureWeights weights = weights_of(space, values, torch::zeros({5, 3}));
  EXPECT_EQ(weights.of(kNormal).host[1], (std::vector<double>{values[1][0].item<float>()}));
  EXPECT_EQ(weights.of(kReduction).host[2], (std::vector<double>{0, 0}));
  EXPECT_EQ(weights.of(kNormal).columns, 3);
  weights.of(kNormal).each[4].backward();
  EXPECT_EQ(values.grad()[1][1].item<float>(), 1);
}

TEST(ArchitectureTest, MasksAreZeroWithoutRenormalisation) {
  Architecture architecture(uneven_space(), 1.0, 3);
  architecture.decide(kNormal, 2, 0);
  const WeightMatrix before = architecture.host_weights(kNormal);
  const ArchitectureWeights masked =
      architecture.weights(false, {{kNormal, 0, 2}, {kNormal, 3, std::nullopt}, {kNormal, 2, 0}});
  const WeightMatrix& weights = masked.of(kNormal).host;
  EXPECT_EQ(weights[0], (std::vector<double>{before[0][0], before[0][1], 0}));
  EXPECT_EQ(weights[3], (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(weights[2], (std::vector<double>{0, 0}));
  EXPECT_EQ(weights[4], before[4]);
  EXPECT_EQ(masked.of(kReduction).host, architecture.host_weights(kReduction));
}

TEST(ArchitectureTest, DecidedRowsAndPaddingHaveNoGradient) {
  Architecture architecture(uneven_space(), 1.0, 3);
  architecture.decide(kNormal, 0, 1);
  architecture.remove(kNormal, 3);
  const torch::Tensor values = architecture.weights(true).of(kNormal).values;
  (values * torch::arange(15, torch::kFloat).reshape({5, 3})).sum().backward();
  const torch::Tensor gradient = architecture.alpha(kNormal).grad();
  EXPECT_EQ(gradient[0].abs().max().item<float>(), 0);
  EXPECT_EQ(gradient[3].abs().max().item<float>(), 0);
  EXPECT_EQ(gradient[4][2].item<float>(), 0);
  EXPECT_GT(gradient[4][0].abs().item<float>(), 0);
  EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  EXPECT_FALSE(architecture.weights(false).of(kNormal).values.requires_grad());
}

TEST(ArchitectureTest, AnOperationThatIsNoCandidateIsRefused) {
  Architecture architecture(uneven_space(), 0, 1);
  EXPECT_THROW(architecture.decide(kNormal, 1, 1), Error);
  EXPECT_THROW(architecture.decide(kNormal, 0, -1), Error);
  SearchSpace broken = uneven_space();
  broken.candidates[0][1].clear();
  EXPECT_THROW(Architecture(broken, 0, 1), Error);
}

}  // namespace
}  // namespace ptnas
