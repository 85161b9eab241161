#include <gtest/gtest.h>

#include "ptnas/ops/operation.h"

namespace ptnas {
namespace {

torch::Tensor draw(const torch::Tensor& input, ForwardContext context, int place, int stride = 1) {
  return make_operation(OperationKind::kNoise,
                        {static_cast<int>(input.size(1)), stride, OperationUse::kSearch})
      ->forward(input, context, place);
}

TEST(NoiseTest, IsAFunctionOfSeedStepAndPlaceAlone) {
  const torch::Tensor x = torch::zeros({4, 3, 8, 8});
  const torch::Tensor noise = draw(x, {1, 2}, 3);
  EXPECT_TRUE(torch::equal(noise, draw(torch::ones_like(x), {1, 2}, 3)));
  EXPECT_FALSE(torch::equal(noise, draw(x, {9, 2}, 3)));
  EXPECT_FALSE(torch::equal(noise, draw(x, {1, 9}, 3)));
  EXPECT_FALSE(torch::equal(noise, draw(x, {1, 2}, 9)));
}

TEST(NoiseTest, MemoryFormatThreadsAndTheGlobalGeneratorDoNotMatter) {
  const int threads = torch::get_num_threads();
  const torch::Tensor x = torch::zeros({16, 4, 33, 33});
  torch::manual_seed(1);
  torch::set_num_threads(1);
  const torch::Tensor noise = draw(x, {1, 2}, 3, 2);
  torch::manual_seed(2);
  torch::set_num_threads(2);
  EXPECT_TRUE(torch::equal(noise, draw(x.contiguous(torch::MemoryFormat::ChannelsLast), {1, 2}, 3, 2)));
  torch::set_num_threads(threads);
}

TEST(NoiseTest, IsStandardNormalWithoutGradientInEvaluationToo) {
  auto operation = make_operation(OperationKind::kNoise, {8, 1, OperationUse::kSearch});
  operation->eval();
  const torch::Tensor x = torch::zeros({16, 8, 16, 16}, torch::TensorOptions().requires_grad(true));
  const torch::Tensor noise = operation->forward(x, {1, 2}, 3);
  EXPECT_FALSE(noise.requires_grad());
  EXPECT_NEAR(noise.mean().item<float>(), 0, 0.02);
  EXPECT_NEAR(noise.std().item<float>(), 1, 0.02);
}

}  // namespace
}  // namespace ptnas
