#include "ptnas/network/layout.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

#include "ptnas/network/supernet.h"

namespace ptnas {
namespace {

TEST(LayoutTest, ChannelsDoubleAtThirds) {
  const std::vector<CellPlace> cells = layout_cells(Family::kDarts, 16, 8, 4);
  ASSERT_EQ(cells.size(), 8u);
  EXPECT_EQ(cells[0].older_channels, 48);
  EXPECT_EQ(cells[0].newer_channels, 48);
  EXPECT_EQ(cells[1].older_channels, 48);
  EXPECT_EQ(cells[1].newer_channels, 64);
  EXPECT_EQ(cells[2].type, CellType::kReduction);
  EXPECT_EQ(cells[2].channels, 32);
  EXPECT_TRUE(cells[3].after_reduction && !cells[4].after_reduction && cells[6].after_reduction);
  EXPECT_EQ(cells[7].channels, 64);
  EXPECT_EQ(output_channels(Family::kDarts, cells, 4), 256);
}

TEST(LayoutTest, NasBench201HasThreeStagesWithResidualBlocksBetween) {
  const std::vector<CellPlace> cells = layout_cells(Family::kNasBench201, 16, 5, 3);
  ASSERT_EQ(cells.size(), 17u);
  for (const CellPlace& cell : cells) {
    const bool block = cell.index == 5 || cell.index == 11;
    EXPECT_EQ(cell.type, block ? CellType::kReduction : CellType::kNormal);
    EXPECT_EQ(cell.channels, cell.index < 5 ? 16 : cell.index < 11 ? 32 : 64);
    EXPECT_EQ(cell.newer_channels, block ? cell.channels / 2 : cell.channels);
  }
  EXPECT_EQ(output_channels(Family::kNasBench201, cells, 3), 64);
}

TEST(LayoutTest, AfterTheStemForImageNetTheFirstCellHalvesItsOlderInput) {
  const std::vector<CellPlace> cells = layout_cells(Family::kDarts, 48, 14, 4, StemKind::kImageNet);
  EXPECT_EQ(cells[0].older_channels, 48);
  EXPECT_EQ(cells[0].newer_channels, 48);
  EXPECT_TRUE(cells[0].after_reduction);
  EXPECT_FALSE(cells[1].after_reduction);
  EXPECT_EQ(cells[1].older_channels, 48);
  EXPECT_EQ(cells[1].newer_channels, 192);
  EXPECT_TRUE(cells[4].type == CellType::kReduction && cells[9].type == CellType::kReduction);
  EXPECT_EQ(output_channels(Family::kDarts, cells, 4), 768);
}

TEST(InitialiseTest, WeightsAreUniformByFanInAndNormsUntouched) {
  Supernet network(make_space("darts", 4, false), {.channels = 8, .cells = 3});
  initialise(network, 5);
  for (const auto& item : network.named_parameters()) {
    const torch::Tensor& p = item.value();
    if (item.key() == "stem.1.weight") {
      EXPECT_TRUE(torch::equal(p, torch::ones_like(p)));
    }
    if (item.key() == "stem.1.bias") {
      EXPECT_TRUE(torch::equal(p, torch::zeros_like(p)));
    }
    if (p.dim() < 2) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(p.numel() / p.size(0)));
    EXPECT_LE(p.abs().max().item<double>(), bound + 1e-6) << item.key();
    if (p.numel() > 1000) {
      EXPECT_GT(p.abs().max().item<double>(), 0.98 * bound) << item.key();
      EXPECT_NEAR(p.std().item<double>(), bound / std::sqrt(3.0), 0.1 * bound) << item.key();
    }
  }
  const torch::Tensor bias = network.named_parameters()["classifier.bias"];
  const double bound = 1 / std::sqrt(128.0);  // 4 nodes of 32 channels
  EXPECT_LE(bias.abs().max().item<double>(), bound);
  EXPECT_GT(bias.abs().max().item<double>(), bound / 4);
}

TEST(InitialiseTest, IsAFunctionOfTheSeed) {
  const SearchSpace space = make_space("s2", 4, false);
  Supernet first(space, {.channels = 4, .cells = 3}), again(space, {.channels = 4, .cells = 3}),
      other(space, {.channels = 4, .cells = 3});
  initialise(first, 5);
  torch::manual_seed(99);
  initialise(again, 5);
  initialise(other, 6);
  const auto a = first.parameters(), b = again.parameters(), c = other.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(torch::equal(a[i], b[i]));
    if (a[i].dim() > 1) {
      EXPECT_FALSE(torch::equal(a[i], c[i]));
    }
  }
}

TEST(FrozenStatisticsTest, LeavesEveryBufferAsItWasAndEndsWithItsScope) {
  const SearchSpace space = make_space("s3", 4, false);
  Supernet network(space, {.channels = 2, .cells = 3});
  initialise(network, 1);
  const Architecture architecture(space, 1e-3, 1);
  torch::manual_seed(4);
  const torch::Tensor x = torch::randn({4, 3, 8, 8});
  network.forward(x, architecture.weights(false), {});
  std::vector<torch::Tensor> before;
  for (const torch::Tensor& buffer : network.buffers()) before.push_back(buffer.clone());
  torch::Tensor frozen_logits;
  {
    const FrozenStatistics outer(network);
    frozen_logits = network.forward(x, architecture.weights(false), {});
    { const FrozenStatistics inner(network); }
    network.forward(x, architecture.weights(false, {{CellType::kNormal, 3, 2}}), {});
    network.forward(x, architecture.weights(false, {{CellType::kReduction, 5, std::nullopt}}), {});
  }
  const auto after = network.buffers();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(before[i], after[i]));
  const torch::Tensor logits = network.forward(x, architecture.weights(false), {});
  EXPECT_TRUE(torch::equal(frozen_logits, logits));
  EXPECT_FALSE(torch::equal(network.named_buffers()["stem.1.running_mean"], before[0]));
}

}  // namespace
}  // namespace ptnas
