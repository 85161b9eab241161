#include "ptnas/network/supernet.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <set>

#include "ptnas/core/error.h"

namespace ptnas {
namespace {

using enum CellType;
constexpr SupernetShape kTiny = {.channels = 2, .cells = 3, .classes = 5, .image_channels = 3};

torch::Tensor images(std::int64_t n, std::int64_t size) {
  torch::manual_seed(1);
  return torch::randn({n, 3, size, size});
}

// Two nodes; every operation there is stands on some edge, edges have different candidates.
SearchSpace mixed_space() {
  using enum OperationKind;
  SearchSpace space;
  space.name = "mixed";
  space.nodes = 2;
  space.candidates[0] = {{kSkipConnect, kSepConv3x3, kNone},
                         {kMaxPool3x3, kNoise},
                         {kAvgPool3x3, kDilConv3x3},
                         {kSepConv5x5},
                         {kSkipConnect, kDilConv5x5}};
  space.candidates[1] = {{kSkipConnect, kAvgPool3x3, kMaxPool3x3},
                         {kSepConv3x3, kNone},
                         {kNoise, kDilConv5x5},
                         {kDilConv3x3, kSkipConnect},
                         {kSepConv5x5, kSkipConnect}};
  return space;
}

TEST(SupernetTest, LogitsInEverySpaceAtEvenAndOddSizes) {
  for (const char* name : {"darts", "s1", "s2", "s3", "s4", "nb201"}) {
    const SearchSpace space = make_space(name, 4, false);
    Supernet network(space, kTiny);
    const Architecture architecture(space, 1e-3, 1);
    for (const int size : {8, 11}) {
      const torch::Tensor logits = network.forward(images(2, size), architecture.weights(true), {});
      EXPECT_EQ(logits.sizes().vec(), (std::vector<std::int64_t>{2, 5})) << name << " " << size;
      EXPECT_TRUE(logits.isfinite().all().item<bool>()) << name << " " << size;
    }
  }
}

TEST(SupernetTest, IsDeterministicAndTheSameInBothMemoryFormats) {
  const SearchSpace space = make_space("s4", 4, false);
  Supernet network(space, kTiny);
  initialise(network, 2);
  const Architecture architecture(space, 1e-3, 1);
  const FrozenStatistics frozen(network);
  const torch::Tensor x = images(4, 8), last = x.contiguous(torch::MemoryFormat::ChannelsLast);
  const ForwardContext context = {7, 3};
  const torch::Tensor logits = network.forward(x, architecture.weights(false), context);
  EXPECT_TRUE(torch::equal(logits, network.forward(x, architecture.weights(false), context)));
  EXPECT_TRUE(
      torch::allclose(logits, network.forward(last, architecture.weights(false), context), 1e-3, 1e-4));
  // Noise is fresh at every step.
  EXPECT_FALSE(torch::equal(logits, network.forward(x, architecture.weights(false), {7, 4})));
}

// Cross-entropy of the network in double as a function of alpha.
struct DoubleNetwork {
  SearchSpace space = mixed_space();
  Supernet network{space, kTiny};
  Architecture architecture{space, 0.5, 3};
  torch::Tensor x = images(4, 8).to(torch::kDouble), y = torch::tensor({0, 1, 2, 3}, torch::kLong);
  FrozenStatistics frozen{network};

  DoubleNetwork() {
    initialise(network, 2);
    network.to(torch::kDouble);
    for (const CellType type : kCellTypes) {
      torch::Tensor& alpha = architecture.alpha(type);
      alpha = alpha.detach().to(torch::kDouble).requires_grad_(true);
    }
  }
  torch::Tensor loss(bool with_gradient) {
    return torch::cross_entropy_loss(network.forward(x, architecture.weights(with_gradient), {1, 1}), y);
  }
};

TEST(SupernetTest, GradientOfAlphaAgreesWithDifferences) {
  DoubleNetwork n;
  n.architecture.decide(kNormal, 4, 1);
  n.architecture.decide(kReduction, 0, 0);
  n.loss(true).backward();
  constexpr double kStep = 1e-5;
  const torch::NoGradGuard no_grad;
  for (const CellType type : kCellTypes) {
    const torch::Tensor alpha = n.architecture.alpha(type).detach(),
                        gradient = n.architecture.alpha(type).grad();
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-4);
    for (std::int64_t e = 0; e < alpha.size(0); ++e) {
      for (std::size_t o = 0; o < n.space.of(type)[static_cast<std::size_t>(e)].size(); ++o) {
        const torch::Tensor entry = alpha[e][static_cast<std::int64_t>(o)];
        entry.add_(kStep);
        const double above = n.loss(false).item<double>();
        entry.sub_(2 * kStep);
        const double below = n.loss(false).item<double>();
        entry.add_(kStep);
        EXPECT_NEAR(gradient[e][static_cast<std::int64_t>(o)].item<double>(), (above - below) / (2 * kStep),
                    1e-6)
            << name_of(type) << " edge " << e << " operation " << o;
      }
    }
  }
}

// Numbers of batches seen by the batch-norms below `prefix`.
std::set<std::int64_t> batches_below(const Supernet& network, const std::string& prefix) {
  std::set<std::int64_t> counts;
  for (const auto& item : network.named_buffers()) {
    if (item.key().starts_with(prefix) && item.key().ends_with("num_batches_tracked"))
      counts.insert(item.value().item<std::int64_t>());
  }
  return counts;
}

TEST(SupernetTest, AnOperationOfWeightZeroIsSkipped) {
  const SearchSpace space = make_space("darts", 4, false);
  Supernet network(space, kTiny);
  Architecture architecture(space, 1e-3, 1);
  architecture.decide(kNormal, 1, 3);
  architecture.remove(kNormal, 5);
  const ArchitectureWeights weights = architecture.weights(true, {{kNormal, 0, 4}});
  network.forward(images(2, 8), weights, {}).sum().backward();
  using Counts = std::set<std::int64_t>;
  EXPECT_EQ(batches_below(network, "cells.0._ops.0._ops.4."), Counts{0});  // masked
  EXPECT_EQ(batches_below(network, "cells.0._ops.0._ops.5."), Counts{1});
  EXPECT_EQ(batches_below(network, "cells.0._ops.1._ops.3."), Counts{1});  // decided: only this one
  EXPECT_EQ(batches_below(network, "cells.0._ops.1._ops.4."), Counts{0});
  EXPECT_EQ(batches_below(network, "cells.0._ops.5."), Counts{0});  // removed
  EXPECT_EQ(batches_below(network, "cells.1._ops.0."), Counts{1});  // a reduction cell
  const torch::Tensor mean = network.named_buffers()["cells.0._ops.0._ops.4.op.3.running_mean"];
  EXPECT_TRUE(torch::equal(mean, torch::zeros_like(mean)));
  EXPECT_FALSE(network.named_parameters()["cells.0._ops.0._ops.4.op.1.weight"].grad().defined());
  EXPECT_EQ(architecture.alpha(kNormal).grad()[1].abs().max().item<float>(), 0);
}

TEST(SupernetTest, NasBench201HasThePublishedNames) {
  Supernet network(make_space("nb201", 4, false), {.channels = 4, .cells = 2, .classes = 5});
  std::set<std::string> names;
  for (const auto& item : network.named_parameters()) names.insert(item.key());
  // 8 cells, of which 2 and 5 are residual blocks: 2 convolutions on 6 edges, and 3 with 2 norms.
  EXPECT_EQ(names.size(), 3u + 6 * 12 + 2 * (3 + 4) + 2 + 2);
  for (const char* name :
       {"stem.1.bias", "cells.0.edges.1<-0.2.op.1.weight", "cells.7.edges.3<-2.3.op.1.weight",
        "cells.2.conv_a.op.2.bias", "cells.5.conv_b.op.1.weight", "cells.5.downsample.1.weight",
        "lastact.0.weight", "classifier.bias"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_EQ(network.named_parameters()["cells.5.downsample.1.weight"].sizes().vec(),
            (std::vector<std::int64_t>{16, 8, 1, 1}));
  EXPECT_TRUE(network.named_buffers().contains("cells.3.edges.2<-1.3.op.2.running_mean"));
}

TEST(SupernetTest, NasBench201ComputesWhatHasWeightZero) {
  const SearchSpace space = make_space("nb201", 4, false);
  Supernet network(space, {.channels = 2, .cells = 1});
  Architecture architecture(space, 1e-3, 1);
  architecture.decide(kNormal, 1, 0);  // `none`
  network.forward(images(2, 8), architecture.weights(true, {{kNormal, 0, 3}}), {}).sum().backward();
  for (const char* norm : {"cells.0.edges.1<-0.3.", "cells.0.edges.2<-0.2.", "cells.0.edges.2<-0.3."})
    EXPECT_EQ(batches_below(network, norm), std::set<std::int64_t>{1}) << norm;
  const torch::Tensor gradient = network.named_parameters()["cells.0.edges.2<-0.3.op.1.weight"].grad();
  ASSERT_TRUE(gradient.defined());
  EXPECT_EQ(gradient.abs().max().item<float>(), 0);
  EXPECT_EQ(architecture.alpha(kNormal).grad()[1].abs().max().item<float>(), 0);
}

TEST(SupernetTest, ANodeThatNothingReachesIsZeros) {
  const SearchSpace space = mixed_space();
  Supernet network(space, kTiny);
  network.eval();
  Architecture architecture(space, 0, 1);
  for (const CellType type : kCellTypes) {
    for (int edge = 0; edge < space.edge_count(); ++edge) architecture.remove(type, edge);
  }
  for (const int size : {8, 11}) {
    const torch::Tensor logits = network.forward(images(2, size), architecture.weights(false), {});
    const torch::Tensor bias = network.named_parameters()["classifier.bias"];
    EXPECT_TRUE(torch::equal(logits, bias.expand_as(logits)));
  }
}

TEST(SupernetTest, MaskingNoneChangesNothing) {
  const SearchSpace space = make_space("s3", 4, false);
  Supernet network(space, kTiny);
  network.eval();
  const Architecture architecture(space, 1e-3, 1);
  const torch::Tensor x = images(2, 8);
  EXPECT_TRUE(torch::equal(network.forward(x, architecture.weights(false), {}),
                           network.forward(x, architecture.weights(false, {{kNormal, 4, 0}}), {})));
  EXPECT_FALSE(torch::equal(network.forward(x, architecture.weights(false), {}),
                            network.forward(x, architecture.weights(false, {{kNormal, 4, 2}}), {})));
}

TEST(SupernetTest, ImpossibleShapesAreRefused) {
  const SearchSpace space = make_space("s2", 4, false);
  EXPECT_THROW(Supernet(space, {.channels = 0}), Error);
  EXPECT_THROW(Supernet(space, {.cells = 0}), Error);
  EXPECT_THROW(Supernet(space, {.image_channels = 0}), Error);
}

}  // namespace
}  // namespace ptnas
