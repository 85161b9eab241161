#include "ptnas/analysis/proposition1.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

TEST(Proposition1, ClosedFormByHand) {
  // Var(x - m) = 1, Var(o - m) = 3, Cov = 0.5: skip (3 - 0.5) / 3, alpha's gap log 2.5 - log 0.5.
  const EdgeVariances variances{1, 3, 0.5};
  EXPECT_NEAR(variances.optimal_skip_weight(), 2.5 / 3, 1e-12);
  EXPECT_NEAR(variances.optimal_gap(), std::log(5), 1e-12);
  // The softmax of that gap is that weight (eqs. 16 to 19).
  EXPECT_NEAR(1 / (1 + std::exp(-variances.optimal_gap())), variances.optimal_skip_weight(), 1e-12);
  // Outside (0, 1) there is no alpha.
  EXPECT_GT((EdgeVariances{1, 3, 1.5}).optimal_skip_weight(), 1);
  EXPECT_TRUE(std::isnan((EdgeVariances{1, 3, 1.5}).optimal_gap()));
  EXPECT_TRUE(std::isnan((EdgeVariances{1, 1, 1}).optimal_skip_weight()));
}

TEST(Proposition1, TheNumericalOptimumIsTheClosedForms) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    torch::manual_seed(seed);
    const torch::Tensor m = torch::randn({8, 4, 9, 9});
    const double noise = 0.3 * static_cast<double>(seed);
    const torch::Tensor x = normalised_by_channel(m + noise * torch::randn_like(m)),
                        o = normalised_by_channel(m + torch::randn_like(m));
    const EdgeVariances variances = variances_of(x, o, m);
    EXPECT_NEAR(numerical_skip_weight(x, o, m), variances.optimal_skip_weight(), 2e-3) << seed;
    EXPECT_LT(variances.skip, variances.other);
    EXPECT_GT(variances.optimal_skip_weight(), 0.5);  // what lies nearer weighs more
  }
}

TEST(Proposition1, NormalisationIsByChannel) {
  torch::manual_seed(4);
  torch::Tensor map = torch::randn({5, 3, 6, 6}) * 7 + 2;
  map.select(1, 2).fill_(3);  // a constant channel
  const torch::Tensor scaled = normalised_by_channel(map);
  EXPECT_NEAR(scaled.select(1, 0).mean().item<double>(), 0, 1e-5);
  EXPECT_NEAR(scaled.select(1, 1).square().mean().item<double>(), 1, 1e-5);
  EXPECT_TRUE(torch::equal(scaled.select(1, 2), torch::zeros({5, 6, 6})));
}

class Proposition1Test : public testing::Test {
 protected:
  Json measure(const char* space, std::int64_t seed) {
    task.search.space = space;
    task.runtime.seed = seed;
    SupernetTrainer trainer(task.dataset, task.data, task.search, task.runtime);
    State before, after;
    trainer.take(before);
    for (auto& [name, tensor] : before.tensors) tensor = tensor.detach().clone();
    const Json result = measure_proposition1(trainer, {.images = 16});
    trainer.take(after);
    for (const auto& [name, tensor] : before.tensors) EXPECT_TRUE(torch::equal(tensor, after.tensors[name]));
    return result;
  }
  TinyTask task;
};

TEST_F(Proposition1Test, MeasuresEveryEdgeOfS2AndOfTheGroupedDartsSpace) {
  for (const char* space : {"s2", "darts"}) {
    const Json result = measure(space, 0);
    EXPECT_EQ(result["edges"].size(), 2u * 3 * 5) << space;  // two estimates, three cells, five edges
    ASSERT_EQ(result["summary"].size(), 2u);
    for (const Json& summary : result["summary"]) {
      EXPECT_EQ(summary["edges"], 15);
      EXPECT_LT(summary["largest_difference"].get<double>(), 0.01);
      EXPECT_GT(summary["mean_var_skip"].get<double>(), 0);
    }
    for (const Json& row : result["edges"]) {
      EXPECT_NEAR(row["learned"].get<double>(), space == std::string("s2") ? 0.5 : 1.0 / 7, 0.01);
      EXPECT_GE(row["var_skip"].get<double>(), 0);
    }
    EXPECT_NE(measure(space, 1)["edges"], result["edges"]) << space;
  }
}

TEST_F(Proposition1Test, ASpaceWithoutSkipsIsAUsageError) {
  try {
    measure("s4", 0);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace ptnas
