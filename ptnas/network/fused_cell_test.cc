#include <gtest/gtest.h>

#include <algorithm>

#include "ptnas/network/layout.h"
#include "ptnas/network/supernet.h"

namespace ptnas {
namespace {

struct Case {
  const char* space;
  int channels, cells, size, batch;
};

// Rounding of sums of some hundred terms through some ten layers. Where a ReLU's input lies within rounding
// of 0 the two engines may take its gradient two ways, which shows far above rounding in what lies before it:
// in few tensors.
constexpr double kRounding = 2e-5, kCrossing = 2e-2;

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / (b.norm() + 1e-12)).item<double>();
}

class FusedCellTest : public testing::TestWithParam<Case> {};

TEST_P(FusedCellTest, AgreesWithThePlainEngine) {
  const Case& c = GetParam();
  SearchSpace space = make_space(c.space, 4, false);
  SupernetShape shape{c.channels, c.cells, 10, 3, Engine::kPlain};
  Supernet plain(space, shape);
  shape.engine = Engine::kFused;
  Supernet fused(space, shape);
  initialise(plain, 3);
  initialise(fused, 3);
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({c.batch, 3, c.size, c.size});
  const torch::Tensor labels = torch::randint(10, {c.batch}, torch::kLong);
  Architecture a(space, 0.3, 5), b(space, 0.3, 5);
  const auto loss_of = [&](Supernet& net, Architecture& arch) {
    const torch::Tensor loss =
        torch::cross_entropy_loss(net.forward(images, arch.weights(true), {7, 8}), labels);
    loss.backward();
    return loss.item<double>();
  };
  const double expected = loss_of(plain, a), found = loss_of(fused, b);
  EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected));
  std::vector<double> apart;
  for (const CellType type : kCellTypes)
    apart.push_back(relative(b.alpha(type).grad(), a.alpha(type).grad()));
  for (const auto& item : plain.named_parameters()) {
    const torch::Tensor other = fused.named_parameters()[item.key()];
    ASSERT_EQ(item.value().grad().defined(), other.grad().defined()) << item.key();
    if (item.value().grad().defined()) {
      apart.push_back(relative(other.grad(), item.value().grad()));
      EXPECT_LT(apart.back(), kCrossing) << item.key();
    }
  }
  std::sort(apart.begin(), apart.end());
  EXPECT_LT(apart[apart.size() / 2], kRounding);
  for (const auto& item : plain.named_buffers()) {
    const torch::Tensor other = fused.named_buffers()[item.key()];
    EXPECT_TRUE(torch::allclose(other.to(torch::kFloat), item.value().to(torch::kFloat), 1e-4, 1e-5))
        << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Spaces, FusedCellTest,
                         testing::Values(Case{"darts", 16, 3, 16, 4}, Case{"darts", 4, 3, 8, 3},
                                         Case{"s1", 5, 3, 9, 3}, Case{"s2", 8, 3, 12, 2},
                                         Case{"s3", 6, 3, 11, 9}, Case{"s4", 36, 3, 8, 2}));

}  // namespace
}  // namespace ptnas
