#include "ptnas/ops/preprocess.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

namespace ptnas {
namespace {

// What the class says, written with a zero-padded copy: rows and columns beyond an odd size are zero.
torch::Tensor reduce_by_hand(FactorizedReduce& reduce, const torch::Tensor& input) {
  const auto parameters = reduce.named_parameters();
  const std::int64_t h = input.size(2), w = input.size(3);
  torch::Tensor padded = torch::zeros({input.size(0), input.size(1), h + h % 2, w + w % 2});
  padded.slice(2, 0, h).slice(3, 0, w).copy_(torch::relu(input));
  const torch::Tensor first = torch::conv2d(padded, parameters["conv_1.weight"], {}, 2);
  const torch::Tensor second =
      torch::conv2d(padded.slice(2, 1).slice(3, 1), parameters["conv_2.weight"], {}, 2);
  return torch::batch_norm(torch::cat({first, second}, 1), {}, {}, {}, {}, true, 0.1, 1e-5, true);
}

TEST(FactorizedReduceTest, EvenAndOddSizes) {
  torch::manual_seed(2);
  for (const auto& [h, w] : {std::pair{8, 8}, {7, 7}, {7, 8}, {6, 9}, {1, 1}}) {
    FactorizedReduce reduce(3, 5, /*affine=*/false);
    const torch::Tensor x = torch::randn({4, 3, h, w});
    const torch::Tensor expected = reduce_by_hand(reduce, x), found = reduce.forward(x);
    EXPECT_EQ(found.size(2), (h + 1) / 2);
    EXPECT_EQ(found.size(3), (w + 1) / 2);
    EXPECT_TRUE(torch::allclose(found, expected, 1e-4, 1e-5)) << h << "x" << w;
  }
}

TEST(FactorizedReduceTest, TheFirstConvolutionTakesTheOddChannel) {
  FactorizedReduce reduce(4, 5, false), one(4, 1, false);
  EXPECT_EQ(reduce.named_parameters()["conv_1.weight"].size(0), 3);
  EXPECT_EQ(reduce.named_parameters()["conv_2.weight"].size(0), 2);
  EXPECT_EQ(one.forward(torch::randn({2, 4, 6, 6})).size(1), 1);
}

TEST(ReluConvBnTest, NormalisesTheConvolutionOfTheRelu) {
  torch::manual_seed(3);
  ReluConvBn preprocess(3, 4, /*affine=*/true);
  const torch::Tensor x = torch::randn({2, 3, 4, 4});
  const torch::Tensor raw = torch::conv2d(torch::relu(x), preprocess.named_parameters()["op.1.weight"]);
  const torch::Tensor expected = torch::batch_norm(raw, {}, {}, {}, {}, true, 0.1, 1e-5, true);
  EXPECT_TRUE(torch::allclose(preprocess.forward(x), expected, 1e-4, 1e-5));
  EXPECT_TRUE(preprocess.named_parameters().contains("op.2.bias"));
}

}  // namespace
}  // namespace ptnas
