#include <gtest/gtest.h>
#include <torch/utils.h>

#include "ptnas/ops/operation.h"

namespace ptnas {
namespace {

TEST(PoolTest, PaddingIsNotCountedInAnAverage) {
  const auto pool = make_operation(OperationKind::kAvgPool3x3, {1, 1, OperationUse::kDerived});
  const torch::Tensor ones = torch::ones({1, 1, 4, 5});
  EXPECT_TRUE(torch::equal(pool->forward(ones, {}, 0), ones));
}

TEST(PoolTest, MaximumOfNegativeValuesIsNotThePadding) {
  const auto pool = make_operation(OperationKind::kMaxPool3x3, {1, 2, OperationUse::kDerived});
  const torch::Tensor x = -torch::arange(1, 10, torch::kFloat).reshape({1, 1, 3, 3});
  const torch::Tensor expected = torch::tensor({-1.0f, -2.0f, -4.0f, -5.0f}).reshape({1, 1, 2, 2});
  EXPECT_TRUE(torch::equal(pool->forward(x, {}, 0), expected));
}

TEST(PoolTest, IsNormalisedInTheSearchOnly) {
  torch::manual_seed(1);
  const torch::Tensor x = 5 + torch::randn({4, 2, 8, 8});
  for (const OperationKind kind : {OperationKind::kMaxPool3x3, OperationKind::kAvgPool3x3}) {
    const torch::Tensor search =
        make_operation(kind, {2, 1, OperationUse::kSearch})->forward(x, {}, 0).mean({0, 2, 3});
    const torch::Tensor derived =
        make_operation(kind, {2, 1, OperationUse::kDerived})->forward(x, {}, 0).mean({0, 2, 3});
    EXPECT_LT(search.abs().max().item<float>(), 1e-4);
    EXPECT_GT(derived.min().item<float>(), 4);
  }
}

}  // namespace
}  // namespace ptnas
