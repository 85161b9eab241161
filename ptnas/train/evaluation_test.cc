#include "ptnas/train/evaluation.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include <cmath>

#include "ptnas/network/layout.h"
#include "ptnas/train/tiny_task.h"

namespace ptnas {
namespace {

// Logits that favour class (label + shift) % 3; the first `right` images of the part are told right.
Evaluation evaluate_bars(std::int64_t images, std::int64_t right, std::int64_t batch, int threads = 1) {
  const BarDataset dataset(images);
  const Forward forward = [&](const torch::Tensor& input, std::int64_t number) {
    EXPECT_FALSE(torch::GradMode::is_enabled());
    torch::Tensor logits = torch::zeros({input.size(0), 3});
    for (std::int64_t i = 0; i < input.size(0); ++i) {
      const std::int64_t image = number * batch + i;
      logits[i][(image + (image < right ? 0 : 1)) % 3] = 10;
    }
    return logits;
  };
  return evaluate(dataset, ordered_pass(Part::kTest, all_indices(dataset, Part::kTest), batch),
                  batch_count(images, batch), forward, torch::MemoryFormat::ChannelsLast, torch::kCPU,
                  threads);
}

TEST(Evaluation, CountsByTrueAndPredictedClass) {
  const Evaluation evaluation = evaluate_bars(10, 6, 4);  // labels 0 1 2 0 1 2 0 1 2 0
  EXPECT_EQ(evaluation.images, 10);
  EXPECT_EQ(evaluation.correct, 6);
  EXPECT_DOUBLE_EQ(evaluation.top1(), 0.6);
  EXPECT_DOUBLE_EQ(evaluation.top5(), 1);  // three classes: all are among the five
  const std::vector<std::vector<std::int64_t>> expected = {{2, 2, 0}, {0, 2, 1}, {1, 0, 2}};
  EXPECT_EQ(evaluation.confusion, expected);
  std::int64_t sum = 0;
  for (const auto& row : evaluation.confusion) {
    for (const std::int64_t count : row) sum += count;
  }
  EXPECT_EQ(sum, evaluation.images);
}

TEST(Evaluation, LossIsTheMeanOverImagesHoweverTheyAreBatched) {
  const double right = std::log(1 + 2 * std::exp(-10.0)), wrong = 10 + right;
  for (const std::int64_t batch : {1, 3, 4, 10, 64}) {
    const Evaluation evaluation = evaluate_bars(10, 6, batch, 2);
    EXPECT_NEAR(evaluation.loss, (6 * right + 4 * wrong) / 10, 1e-5) << batch;
    EXPECT_EQ(evaluation.correct, 6) << batch;
  }
}

TEST(Evaluation, OfNoImagesIsZero) {
  const Evaluation evaluation = evaluate_bars(0, 0, 4);
  EXPECT_EQ(evaluation.images, 0);
  EXPECT_EQ(evaluation.loss, 0);
  EXPECT_EQ(evaluation.top1(), 0);
}

TEST(CountCorrect, CountsRowsWhoseLargestIsTheLabel) {
  const torch::Tensor logits = torch::tensor({{1.0f, 2.0f, 3.0f}, {3.0f, 2.0f, 1.0f}, {0.0f, 5.0f, 1.0f}});
  EXPECT_EQ(count_correct(logits, torch::tensor({2, 1, 1}, torch::kLong)), 2);
}

TEST(MemoryFormat, ChangesStridesAndNoValue) {
  torch::nn::Sequential network(torch::nn::Conv2d(3, 4, 3), torch::nn::Linear(4, 2));
  const torch::Tensor before = network->parameters()[0].detach().clone();
  put_in_format(*network, memory_format_of("channels-last"));
  const torch::Tensor after = network->parameters()[0];
  EXPECT_EQ(after.is_contiguous(torch::MemoryFormat::ChannelsLast), kChannelsLastIsRight);
  EXPECT_TRUE(torch::equal(before, after));
  EXPECT_TRUE(after.requires_grad());
  put_in_format(*network, memory_format_of("nchw"));
  EXPECT_TRUE(network->parameters()[0].is_contiguous());
}

}  // namespace
}  // namespace ptnas
