#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>
#include <numbers>

#include "ptnas/core/random.h"
#include "ptnas/kernels/reference.h"
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

// Philox's blocks and Box and Muller's transform written out in double precision; a length that ends within a
// group.
TEST(NoiseTest, AgreesWithTheSlowTwinOnEveryTarget) {
  const ForwardContext context{0x123456789abcdefULL, 77};
  const std::uint64_t index = context.draw(5);
  const std::uint32_t key[2] = {static_cast<std::uint32_t>(context.seed),
                                static_cast<std::uint32_t>(context.seed >> 32)};
  kernels::reference::for_each_target([&](const std::string& target) {
    const torch::Tensor noise = noise_of({3, 7, 5, 11}, context, 5);
    for (std::int64_t i = 0; i < noise.numel(); ++i) {
      const auto group = static_cast<std::uint32_t>(i / 64), lane = static_cast<std::uint32_t>(i % 16);
      const std::uint32_t counter[4] = {16 * group + lane, static_cast<std::uint32_t>(Purpose::kNoise),
                                        static_cast<std::uint32_t>(index),
                                        static_cast<std::uint32_t>(index >> 32)};
      std::uint32_t words[4];
      philox4x32(counter, key, words);
      const auto part = static_cast<std::size_t>(i % 64 / 16);
      const double uniform = (static_cast<double>(words[part / 2 * 2] >> 1) + 0.5) / 0x1p31;
      const double angle = std::numbers::pi * static_cast<std::int32_t>(words[part / 2 * 2 + 1]) / 0x1p31;
      const double expected =
          std::sqrt(-2 * std::log(uniform)) * (part % 2 == 0 ? std::cos(angle) : std::sin(angle));
      // Where the uniform lies next to 1 the logarithm of its rounding shows; it is 0 within 1e-3 there.
      ASSERT_NEAR(noise.flatten()[i].item<float>(), expected, uniform > 0.999 ? 1e-3 : 1e-5)
          << target << ", value " << i;
    }
  });
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
