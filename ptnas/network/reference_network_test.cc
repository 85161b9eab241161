#include "ptnas/network/reference_network.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/network/layout.h"

namespace ptnas {
namespace {

TEST(ReferenceNetwork, Vgg16HasThePublishedLayers) {
  const ReferenceNetwork network(ReferenceShape{});
  // 13 convolutions of 14,710,464 weights, 2 x 4,224 of batch-norm, 512 x 10 + 10 of the linear layer.
  EXPECT_EQ(network.cost().parameters, 14710464 + 8448 + 5130);
  // 313.2 million of convolutions on 32x32 images, by stage 38.9, 56.6, 94.4, 94.4 and 28.3.
  EXPECT_EQ(network.cost().multiply_adds, 313196544 + 5130);
  const auto& layers = network.interchangeable();
  ASSERT_EQ(layers.size(), 5u);
  EXPECT_EQ(layers[0], (std::vector<std::string>{"layers.1."}));
  EXPECT_EQ(layers[2], (std::vector<std::string>{"layers.5.", "layers.6."}));
  EXPECT_EQ(layers[4], (std::vector<std::string>{"layers.10.", "layers.11.", "layers.12."}));
}

TEST(ReferenceNetwork, ResNet20HasThePublishedParameters) {
  const ReferenceNetwork network({.kind = ReferenceKind::kResNet, .channels = 16, .blocks = 3});
  EXPECT_EQ(network.cost().parameters, 269722);  // 0.27 million (He et al., Table 6)
  const auto& layers = network.interchangeable();
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0], (std::vector<std::string>{"layers.1.", "layers.2.", "layers.3."}));
  EXPECT_EQ(layers[1], (std::vector<std::string>{"layers.5.", "layers.6."}));
}

TEST(ReferenceNetwork, TakesSmallAndOddImagesAndLearns) {
  for (const ReferenceKind kind : {ReferenceKind::kVgg16, ReferenceKind::kResNet}) {
    ReferenceNetwork network({.kind = kind, .channels = 4, .blocks = 2, .classes = 3, .image_channels = 1});
    initialise(network, 7);
    network.train();
    const torch::Tensor logits = network.forward(torch::randn({2, 1, 9, 7}), 0, {}).logits;
    EXPECT_EQ(logits.sizes(), (torch::IntArrayRef{2, 3}));
    logits.sum().backward();
    for (const auto& parameter : network.named_parameters())
      EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
  }
}

TEST(ReferenceNetwork, ABlockOfStrideTwoHasAShortcutOfZeros) {
  ReferenceNetwork network({.kind = ReferenceKind::kResNet, .channels = 2, .blocks = 1, .classes = 2});
  network.eval();
  const torch::NoGradGuard no_grad;
  for (const auto& parameter : network.named_parameters()) {
    // The residual branches give zero; the stem and the classifier add up.
    const bool is_branch =
        !parameter.key().starts_with("layers.0.") && parameter.key().starts_with("layers.");
    torch::Tensor value = parameter.value();
    value.fill_(is_branch ? 0 : 1);
  }
  const torch::Tensor logits = network.forward(torch::ones({1, 3, 8, 8}), 0, {}).logits;
  // The first two of eight features alone are not zero, and the classifier's bias is 1.
  const torch::Tensor stem = torch::relu(
      torch::conv2d(torch::ones({1, 3, 8, 8}), torch::ones({1, 3, 3, 3}), {}, 1, 1) / std::sqrt(1 + 1e-5) +
      1);
  const double mean = stem.slice(2, 0, {}, 4).slice(3, 0, {}, 4).mean().item<double>();
  EXPECT_NEAR(logits[0][0].item<double>(), 2 * mean + 1, 1e-3);
}

TEST(ReferenceNetwork, AShapeOutOfRangeIsAnError) {
  EXPECT_THROW(ReferenceNetwork({.kind = ReferenceKind::kResNet, .channels = 0}), Error);
  EXPECT_THROW(ReferenceNetwork({.kind = ReferenceKind::kResNet, .blocks = 0}), Error);
}

}  // namespace
}  // namespace ptnas
