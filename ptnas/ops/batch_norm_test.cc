#include "ptnas/ops/batch_norm.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

namespace ptnas {
namespace {

torch::Tensor buffer(const BatchNorm& norm, const char* name) { return norm.named_buffers()[name].clone(); }

TEST(BatchNormTest, TrainingUpdatesRunningStatisticsAsPublished) {
  torch::manual_seed(1);
  BatchNorm norm(2, /*affine=*/false);
  const torch::Tensor x = 3 + 2 * torch::randn({4, 2, 3, 3});
  const torch::Tensor y = norm.forward(x);
  const torch::Tensor mean = x.mean({0, 2, 3}), variance = x.var({0, 2, 3}, /*unbiased=*/true);
  EXPECT_TRUE(torch::allclose(buffer(norm, "running_mean"), 0.1 * mean));
  EXPECT_TRUE(torch::allclose(buffer(norm, "running_var"), 0.9 + 0.1 * variance));
  EXPECT_EQ(buffer(norm, "num_batches_tracked").item<std::int64_t>(), 1);
  const torch::Tensor scale = (x.var({0, 2, 3}, false) + 1e-5).sqrt().reshape({1, 2, 1, 1});
  EXPECT_TRUE(torch::allclose(y, (x - mean.reshape({1, 2, 1, 1})) / scale, 1e-4, 1e-5));
}

TEST(BatchNormTest, EvaluationUsesRunningStatistics) {
  BatchNorm norm(2, /*affine=*/true);
  norm.eval();
  const torch::Tensor x = torch::randn({4, 2, 3, 3});
  EXPECT_TRUE(torch::allclose(norm.forward(x), x / std::sqrt(1 + 1e-5)));
  EXPECT_EQ(buffer(norm, "num_batches_tracked").item<std::int64_t>(), 0);
}

TEST(BatchNormTest, FrozenGivesTheSameOutputAndTouchesNothing) {
  torch::manual_seed(2);
  BatchNorm norm(3, false);
  norm.forward(torch::randn({4, 3, 5, 5}));
  const torch::Tensor mean = buffer(norm, "running_mean"), variance = buffer(norm, "running_var");
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const torch::Tensor x = torch::randn({4, 3, 5, 5}).contiguous(format);
    norm.set_frozen(true);
    const torch::Tensor frozen = norm.forward(x);
    EXPECT_TRUE(torch::equal(buffer(norm, "running_mean"), mean));
    EXPECT_TRUE(torch::equal(buffer(norm, "running_var"), variance));
    EXPECT_EQ(buffer(norm, "num_batches_tracked").item<std::int64_t>(), 1);
    BatchNorm other(3, false);
    EXPECT_TRUE(torch::equal(frozen, other.forward(x)));
  }
}

TEST(BatchNormTest, OneValueAChannelLeavesRunningStatisticsFinite) {
  BatchNorm norm(3, true);
  const torch::Tensor x = torch::randn({1, 3, 1, 1}, torch::TensorOptions().requires_grad(true));
  const torch::Tensor y = norm.forward(x);
  y.sum().backward();
  EXPECT_LT(y.abs().max().item<float>(), 1e-3);  // rounding of x / sqrt(1e-5)
  EXPECT_TRUE(torch::equal(buffer(norm, "running_var"), torch::ones({3})));
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace ptnas
