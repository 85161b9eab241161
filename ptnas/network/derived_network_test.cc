#include "ptnas/network/derived_network.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

#include "ptnas/core/error.h"
#include "ptnas/space/derive.h"

namespace ptnas {
namespace {

// Two published DARTS+PT cells (C = 36, 20 cells, 10 classes).
constexpr const char* kFirst =
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_3x3', 1), "
    "('skip_connect', 0), ('skip_connect', 2), ('skip_connect', 0), ('max_pool_3x3', 4)], "
    "normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('dil_conv_5x5', 1), "
    "('dil_conv_3x3', 2), ('avg_pool_3x3', 0), ('max_pool_3x3', 2), ('sep_conv_3x3', 2), "
    "('skip_connect', 4)], reduce_concat=range(2, 6))";
constexpr const char* kSecond =
    "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('skip_connect', 2), ('dil_conv_3x3', 3), ('max_pool_3x3', 1), ('skip_connect', 2)], "
    "normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('avg_pool_3x3', 0), "
    "('sep_conv_3x3', 1), ('dil_conv_5x5', 2), ('skip_connect', 3), ('sep_conv_3x3', 2), "
    "('sep_conv_5x5', 4)], reduce_concat=range(2, 6))";

Genotype first_genotype() { return genotype_from_text(kFirst, "first"); }

std::int64_t parameters_of(const DerivedNetwork& network) {
  std::int64_t count = 0;
  for (const auto& item : network.named_parameters()) {
    if (!item.key().starts_with("auxiliary_head.")) count += item.value().numel();
  }
  return count;
}

torch::Tensor images(std::int64_t n, std::int64_t channels, std::int64_t size) {
  torch::manual_seed(1);
  return torch::randn({n, channels, size, size});
}

TEST(DerivedNetworkTest, PublishedCellsHaveTheirPublishedParameters) {
  EXPECT_EQ(parameters_of(DerivedNetwork(first_genotype(), {}, /*auxiliary=*/true)), 2851246);
  EXPECT_EQ(parameters_of(DerivedNetwork(genotype_from_text(kSecond, "second"), {}, false)), 2658142);
}

TEST(DerivedNetworkTest, NasBench201sParametersAreThoseCountedUnderItsNames) {
  const SearchSpace space = make_space("nb201", 4, false);
  RandomStream stream(1, Purpose::kRandomSelection);
  for (int i = 0; i < 5; ++i) {
    const Genotype genotype = random_genotype(space, stream);
    const NetworkShape shape{.channels = 3 + i, .cells = 1 + i % 3, .classes = 7, .image_channels = 1};
    EXPECT_EQ(parameters_of(DerivedNetwork(genotype, shape, false)),
              count_network(genotype, shape).parameters)
        << to_text(genotype);
  }
  const Genotype genotype = genotype_from_text(
      "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|", "text");
  DerivedNetwork network(genotype, {.channels = 4, .cells = 1}, false);
  const auto parameters = network.named_parameters();
  for (const char* name : {"cells.0.layers.0.op.1.weight", "cells.4.layers.4.op.2.bias",
                           "cells.1.conv_a.op.1.weight", "lastact.0.weight"})
    EXPECT_TRUE(parameters.contains(name)) << name;
  EXPECT_EQ(network.forward(images(2, 3, 32), 0, {}).logits.size(1), 10);
  EXPECT_THROW(DerivedNetwork(genotype, {.channels = 4, .cells = 1}, /*auxiliary=*/true), Error);
}

TEST(DerivedNetworkTest, ParametersAreThoseCounted) {
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream stream(1, Purpose::kRandomSelection);
  const std::vector<NetworkShape> shapes = {
      {.channels = 4, .cells = 8},
      {.channels = 3, .cells = 5, .classes = 7, .image_channels = 1, .height = 28, .width = 28},
      {.channels = 1, .cells = 3, .classes = 2},
      {.channels = 5, .cells = 1},
      {.channels = 6, .cells = 2, .classes = 100}};
  for (const NetworkShape& shape : shapes) {
    for (int i = 0; i < 5; ++i) {
      const Genotype genotype = random_genotype(space, stream);
      EXPECT_EQ(parameters_of(DerivedNetwork(genotype, shape, i % 2 == 0)),
                count_network(genotype, shape).parameters)
          << to_text(genotype) << " channels " << shape.channels;
    }
  }
}

TEST(DerivedNetworkTest, AuxiliaryLogitsInTrainingOnlyForEveryImageSize) {
  for (const int size : {8, 11, 28, 32, 64}) {
    DerivedNetwork network(first_genotype(), {.channels = 2, .cells = 3, .classes = 6}, true);
    const auto training = network.forward(images(2, 3, size), 0.2, {1, 1});
    EXPECT_EQ(training.logits.sizes().vec(), (std::vector<std::int64_t>{2, 6}));
    ASSERT_TRUE(training.auxiliary.defined());
    EXPECT_EQ(training.auxiliary.sizes().vec(), (std::vector<std::int64_t>{2, 6}));
    (training.logits + training.auxiliary).sum().backward();
    network.eval();
    EXPECT_FALSE(network.forward(images(2, 3, size), 0.2, {1, 1}).auxiliary.defined());
  }
  DerivedNetwork without(first_genotype(), {.channels = 2, .cells = 3}, false);
  EXPECT_FALSE(without.has_auxiliary());
  EXPECT_FALSE(without.forward(images(2, 3, 8), 0, {}).auxiliary.defined());
}

TEST(DerivedNetworkTest, ABatchOfOneImageLeavesEveryBufferFinite) {
  DerivedNetwork network(first_genotype(), {.channels = 2, .cells = 3}, true);
  network.forward(images(1, 3, 32), 0, {});
  for (const auto& item : network.named_buffers())
    EXPECT_TRUE(item.value().isfinite().all().item<bool>()) << item.key();
}

TEST(DerivedNetworkTest, NamesAreThePublishedOnes) {
  const DerivedNetwork network(first_genotype(), {.channels = 2, .cells = 5}, true);
  const auto parameters = network.named_parameters();
  for (const char* name :
       {"stem.0.weight", "stem.1.bias", "cells.0.preprocess0.op.1.weight", "cells.0._ops.0.op.5.weight",
        "cells.1._ops.7.conv_1.weight", "cells.2.preprocess0.conv_2.weight", "cells.2.preprocess0.bn.weight",
        "auxiliary_head.features.2.weight", "auxiliary_head.features.6.bias",
        "auxiliary_head.classifier.bias", "classifier.weight"}) {
    // The skip of the reduction cells is of stride 1: without parameters.
    EXPECT_EQ(parameters.contains(name), std::string(name) != "cells.1._ops.7.conv_1.weight") << name;
  }
}

// DARTS' NetworkImageNet.
NetworkShape imagenet_shape(int channels, int cells, int size) {
  return {.channels = channels,
          .cells = cells,
          .classes = 6,
          .height = size,
          .width = size,
          .stem = StemKind::kImageNet};
}

TEST(ImageNetNetworkTest, ParametersAreThoseCounted) {
  const SearchSpace space = make_space("darts", 4, false);
  RandomStream stream(2, Purpose::kRandomSelection);
  for (const auto& [channels, cells] : {std::pair{48, 14}, {6, 5}, {3, 1}, {2, 3}}) {
    const Genotype genotype = random_genotype(space, stream);
    const NetworkShape shape = imagenet_shape(channels, cells, 224);
    EXPECT_EQ(parameters_of(DerivedNetwork(genotype, shape, true)), count_network(genotype, shape).parameters)
        << to_text(genotype) << " channels " << channels;
  }
}

TEST(ImageNetNetworkTest, NamesAreThePublishedOnes) {
  const DerivedNetwork network(first_genotype(), imagenet_shape(4, 14, 224), true);
  const auto parameters = network.named_parameters();
  for (const char* name :
       {"stem0.0.weight", "stem0.1.weight", "stem0.3.weight", "stem0.4.bias", "stem1.1.weight",
        "stem1.2.bias", "cells.0.preprocess0.conv_1.weight", "cells.0.preprocess0.bn.bias",
        "cells.0.preprocess1.op.1.weight", "cells.1.preprocess0.op.1.weight",
        "auxiliary_head.features.2.weight", "auxiliary_head.features.3.weight",
        "auxiliary_head.features.5.weight", "auxiliary_head.classifier.weight", "classifier.bias"})
    EXPECT_TRUE(parameters.contains(name)) << name;
  for (const char* name : {"stem.0.weight", "auxiliary_head.features.6.weight"})
    EXPECT_FALSE(parameters.contains(name)) << name;
  EXPECT_EQ(parameters["stem0.0.weight"].sizes().vec(), (std::vector<std::int64_t>{2, 3, 3, 3}));
  EXPECT_EQ(parameters["stem1.1.weight"].sizes().vec(), (std::vector<std::int64_t>{4, 4, 3, 3}));
}

// The stem as the sum that it is, with weights that make every step visible.
TEST(ImageNetNetworkTest, TheStemByHand) {
  torch::nn::Module owner;
  ImageNetStem stem(owner, 3, 4);
  initialise(owner, 5);
  owner.eval();  // running statistics of 0 and 1: all but the identity
  const torch::Tensor x = images(2, 3, 21);
  const torch::NoGradGuard no_grad;
  const auto weights = owner.named_parameters();
  const double scale = 1 / std::sqrt(1 + BatchNorm::kEpsilon);
  const auto step = [&](const torch::Tensor& in, const char* name) {
    return torch::conv2d(in, weights[name], {}, 2, 1) * scale;
  };
  const torch::Tensor older = step(torch::relu(step(x, "stem0.0.weight")), "stem0.3.weight");
  const torch::Tensor newer = step(torch::relu(older), "stem1.1.weight");
  const ImageNetStem::Output output = stem.forward(x);
  EXPECT_EQ(output.older.sizes().vec(), (std::vector<std::int64_t>{2, 4, 6, 6}));
  EXPECT_EQ(output.newer.sizes().vec(), (std::vector<std::int64_t>{2, 4, 3, 3}));
  EXPECT_TRUE(torch::allclose(output.older, older, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(output.newer, newer, 1e-4, 1e-5));
}

TEST(ImageNetNetworkTest, LogitsForEveryImageSize) {
  for (const int size : {8, 33, 64, 224}) {
    DerivedNetwork network(first_genotype(), imagenet_shape(2, 3, size), true);
    const auto training = network.forward(images(2, 3, size), 0, {1, 1});
    EXPECT_EQ(training.logits.sizes().vec(), (std::vector<std::int64_t>{2, 6}));
    ASSERT_TRUE(training.auxiliary.defined());
    EXPECT_EQ(training.auxiliary.sizes().vec(), (std::vector<std::int64_t>{2, 6}));
    (training.logits + training.auxiliary).sum().backward();
    for (const auto& item : network.named_parameters())
      EXPECT_TRUE(item.value().grad().defined() && item.value().grad().isfinite().all().item<bool>())
          << item.key() << " at " << size;
  }
}

TEST(DropPathTest, IsAFunctionOfSeedAndStepAndForTrainingOnly) {
  DerivedNetwork network(first_genotype(), {.channels = 2, .cells = 4}, false);
  initialise(network, 1);
  const FrozenStatistics frozen(network);
  const torch::Tensor x = images(8, 3, 8);
  const auto logits = [&](double p, ForwardContext context) { return network.forward(x, p, context).logits; };
  EXPECT_TRUE(torch::equal(logits(0.5, {1, 1}), logits(0.5, {1, 1})));
  EXPECT_FALSE(torch::equal(logits(0.5, {1, 1}), logits(0.5, {1, 2})));
  EXPECT_FALSE(torch::equal(logits(0.5, {1, 1}), logits(0.5, {2, 1})));
  EXPECT_TRUE(torch::equal(logits(0, {1, 1}), logits(0, {1, 2})));
  network.eval();
  EXPECT_TRUE(torch::equal(logits(0.5, {1, 1}), logits(0, {1, 2})));
}

// Four cells of one node whose operations are all skips; cells 1 and 2 are reductions, whose skips (stride 2)
// are dropped with probability 1/2. Cell 3 sees nothing, and a sample's logits are the bias, when both of
// cell 1's and cell 2's from cell 0 are dropped: one sample in 8. Were cell 3's own two skips (stride 1)
// dropped alike, it would be more than one in 4. Batch-norms in evaluation mode keep samples apart and zeros
// zero.
TEST(DropPathTest, SkipsOfStrideOneAreNeverDroppedAndSamplesAreDrawnOneByOne) {
  Genotype genotype;
  for (auto& cell : genotype.cells)
    cell = {{{OperationKind::kSkipConnect, 0}, {OperationKind::kSkipConnect, 1}}};
  DerivedNetwork network(genotype, {.channels = 4, .cells = 4}, false);
  initialise(network, 1);
  for (const auto& module : network.modules(/*include_self=*/false)) {
    if (module->as<BatchNorm>() != nullptr) module->eval();
  }
  const torch::NoGradGuard no_grad;
  const torch::Tensor bias = network.named_parameters()["classifier.bias"];
  const auto samples_of_nothing = [&](double drop_path) {
    const torch::Tensor logits = network.forward(images(400, 3, 8), drop_path, {1, 1}).logits;
    return (logits == bias).all(1).sum().item<std::int64_t>();
  };
  EXPECT_EQ(samples_of_nothing(0), 0);
  EXPECT_NEAR(samples_of_nothing(0.5), 50, 20);  // three standard deviations
}

TEST(DerivedNetworkTest, ImpossibleGenotypesAndShapesAreRefused) {
  EXPECT_THROW(DerivedNetwork(first_genotype(), {.channels = 0}, false), Error);
  Genotype later = first_genotype();
  later.cells[0][0][0].from = 5;
  EXPECT_THROW(DerivedNetwork(later, {}, false), Error);
}

}  // namespace
}  // namespace ptnas
