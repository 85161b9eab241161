#include "ptnas/space/count.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

// Two published DARTS+PT cells with their published parameter counts (C = 36, 20 cells, 10 classes).
constexpr const char* kFirst =
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_3x3', 1), "
    "('skip_connect', 0), "
    "('skip_connect', 2), ('skip_connect', 0), ('max_pool_3x3', 4)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_3x3', 0), "
    "('avg_pool_3x3', 1), ('dil_conv_5x5', 1), ('dil_conv_3x3', 2), ('avg_pool_3x3', 0), ('max_pool_3x3', "
    "2), ('sep_conv_3x3', 2), "
    "('skip_connect', 4)], reduce_concat=range(2, 6))";
constexpr const char* kSecond =
    "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('skip_connect', 2), "
    "('dil_conv_3x3', 3), ('max_pool_3x3', 1), ('skip_connect', 2)], normal_concat=range(2, 6), "
    "reduce=[('avg_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('dil_conv_5x5', 2), ('skip_connect', "
    "3), ('sep_conv_3x3', 2), "
    "('sep_conv_5x5', 4)], reduce_concat=range(2, 6))";

TEST(CountTest, PublishedCellsHaveTheirPublishedParameters) {
  const NetworkShape shape;
  EXPECT_EQ(count_network(genotype_from_text(kFirst, "first"), shape).parameters, 2851246);
  EXPECT_EQ(count_network(genotype_from_text(kSecond, "second"), shape).parameters, 2658142);
}

TEST(CountTest, MultiplyAddsOfANetworkOfSkipsByHand) {
  Genotype genotype;
  for (auto& cell : genotype.cells) {
    cell = {{{OperationKind::kSkipConnect, 0}, {OperationKind::kSkipConnect, 1}}};
  }
  // Four cells of one node: reductions are cells 1 and 2.
  const NetworkShape shape{
      .channels = 2, .cells = 4, .classes = 3, .image_channels = 1, .height = 8, .width = 8};
  const std::int64_t stem = 9 * 6 * 64;
  const std::int64_t cell0 = 2 * (6 * 2 * 64);                            // both inputs are the stem
  const std::int64_t cell1 = 6 * 4 * 64 + 2 * 4 * 64 + 2 * (4 * 4 * 16);  // two factorized reductions to 4x4
  const std::int64_t cell2 = 2 * 8 * 16 + 4 * 8 * 16 + 2 * (8 * 8 * 4);   // older input halved first
  const std::int64_t cell3 = 4 * 8 * 4 + 8 * 8 * 4;
  const std::int64_t linear = 8 * 3 + 3;
  EXPECT_EQ(count_network(genotype, shape).multiply_adds, stem + cell0 + cell1 + cell2 + cell3 + linear);
}

// By hand: C = 1, one cell a stage, a convolution on edge 1<-0 and a skip to the output.
TEST(CountTest, NasBench201sSkeletonByHand) {
  const Genotype genotype =
      genotype_from_text("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|", "text");
  const NetworkShape shape{
      .channels = 1, .cells = 1, .classes = 3, .image_channels = 2, .height = 8, .width = 6};
  const std::int64_t stem = 9 * 2 * 48, stages = 9 * (1 * 48 + 4 * 12 + 16 * 4),  // 4x3, then 2x2
      blocks = (9 * 2 + 9 * 4 + 2) * 12 + (9 * 8 + 9 * 16 + 8) * 4;
  const NetworkCost cost = count_network(genotype, shape);
  EXPECT_EQ(cost.multiply_adds, stem + stages + blocks + 4 * 3 + 3);
  const std::int64_t norms = 2 * (1 + (1 + 2 + 4) + (2 + 2) + (4 + 4) + 4);
  EXPECT_EQ(cost.parameters, 9 * 2 + 9 * (1 + 4 + 16) + (18 + 36 + 2) + (72 + 144 + 8) + norms + 4 * 3 + 3);
  EXPECT_EQ(supernet_multiply_adds(make_space("nb201", 4, false), shape),
            stem + 6 * (stages + stages / 9) + blocks + 4 * 3 + 3);
}

// Every row of the benchmark's table, in whole numbers.
TEST(CountTest, NasBench201sTableAgreesOnEveryRow) {
  const std::string path = PTNAS_SOURCE_DIR "/../shared/data/nb201/nb201.csv";
  std::ifstream table(path);
  if (!table) GTEST_SKIP() << "no table beside the project (../shared/data/nb201/nb201.csv)";
  std::string line;
  std::getline(table, line);
  ASSERT_TRUE(line.starts_with("index,arch,n_seeds,params_m,flops_m_c10,")) << line;
  int rows = 0;
  for (; std::getline(table, line); ++rows) {
    std::istringstream fields(line);
    std::string index, text, seeds, parameters, flops;
    for (std::string* field : {&index, &text, &seeds, &parameters, &flops}) std::getline(fields, *field, ',');
    const NetworkCost cost =
        count_network(genotype_from_text(text, index), usual_shape(Family::kNasBench201));
    ASSERT_EQ(cost.parameters, std::llround(1e6 * std::stod(parameters))) << text;
    ASSERT_EQ(cost.multiply_adds, std::llround(1e6 * std::stod(flops))) << text;
  }
  EXPECT_EQ(rows, kNb201ArchitectureCount);
}

TEST(CountTest, TheImageNetStemByHand) {
  Genotype genotype;
  for (auto& cell : genotype.cells) {
    cell = {{{OperationKind::kSkipConnect, 0}, {OperationKind::kSkipConnect, 1}}};
  }
  // Four cells of one node on maps of 4x4 (from 32x32): reductions are cells 1 and 2.
  const NetworkShape shape{.channels = 4,
                           .cells = 4,
                           .classes = 3,
                           .image_channels = 3,
                           .height = 32,
                           .width = 32,
                           .stem = StemKind::kImageNet};
  const std::int64_t stem = 9 * (3 * 2 * 256 + 2 * 4 * 64 + 4 * 4 * 16);
  const std::int64_t cell0 = 4 * 4 * 16 + 4 * 4 * 16;                    // the older input, 8x8, halved
  const std::int64_t cell1 = 4 * 8 * 16 + 4 * 8 * 16 + 2 * (8 * 8 * 4);  // two factorized reductions to 2x2
  const std::int64_t cell2 = 4 * 16 * 4 + 8 * 16 * 4 + 2 * (16 * 16);
  const std::int64_t cell3 = 8 * 16 + 16 * 16;
  const std::int64_t linear = 16 * 3 + 3;
  const NetworkCost cost = count_network(genotype, shape);
  EXPECT_EQ(cost.multiply_adds, stem + cell0 + cell1 + cell2 + cell3 + linear);
  const std::int64_t stem_weights = 9 * (3 * 2 + 2 * 4 + 4 * 4) + 2 * (2 + 4 + 4);
  const std::int64_t cells_weights = 2 * (16 + 8) + (2 * (32 + 16) + 2 * (64 + 16)) +
                                     (64 + 32 + 128 + 32 + 2 * (256 + 32)) + (128 + 32 + 256 + 32);
  EXPECT_EQ(cost.parameters, stem_weights + cells_weights + linear);
}

// DARTS' own second-order cell: 4.7 million parameters (Liu et al., 2019, Table 3), and by its program's log
// 4.718752. The paper's 574 million multiply-adds come from a count of its own; of convolutions and the
// linear layer there are as many as here, counted twice.
TEST(CountTest, PublishedParametersOnImageNetAndFewerThan600MillionMultiplyAdds) {
  const Genotype genotype = genotype_from_text(
      "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
      "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
      "normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
      "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
      "('max_pool_3x3', 1)], reduce_concat=range(2, 6))",
      "a test");
  const NetworkCost cost = count_network(genotype, {.channels = 48,
                                                    .cells = 14,
                                                    .classes = 1000,
                                                    .height = 224,
                                                    .width = 224,
                                                    .stem = StemKind::kImageNet});
  EXPECT_EQ(cost.parameters, 4718752);
  EXPECT_EQ(cost.multiply_adds, 529912552);
}

TEST(CountTest, StemsByName) {
  EXPECT_EQ(stem_from_name("cifar"), StemKind::kCifar);
  EXPECT_EQ(stem_from_name("imagenet"), StemKind::kImageNet);
  expect_error([] { stem_from_name("mnist"); }, {"cifar or imagenet", "mnist"}, ErrorKind::kUsage);
}

TEST(CountTest, ReductionCellsAreAtThirds) {
  EXPECT_TRUE(is_reduction_cell(2, 8) && is_reduction_cell(5, 8));
  EXPECT_TRUE(is_reduction_cell(6, 20) && is_reduction_cell(13, 20));
  EXPECT_FALSE(is_reduction_cell(0, 8) || is_reduction_cell(7, 8));
}

TEST(CountTest, OddSizesAreRoundedUp) {
  Genotype genotype;
  for (auto& cell : genotype.cells) cell = {{{OperationKind::kSepConv3x3, 0}, {OperationKind::kNone, 1}}};
  // One cell, a reduction (floor(1/3) = 0) that doubles the 1 channel: maps 5x7 to 3x4.
  const NetworkShape shape{
      .channels = 1, .cells = 1, .classes = 2, .image_channels = 3, .height = 5, .width = 7};
  const std::int64_t stem = 9 * 3 * 3 * 35, preprocess = 2 * 3 * 2 * 35, sep = 2 * (9 * 2 + 2 * 2) * 12;
  EXPECT_EQ(count_network(genotype, shape).multiply_adds, stem + preprocess + sep + 2 * 2 + 2);
}

// Every candidate of every edge: two of S2 on two edges, where the skip costs in a reduction only.
TEST(CountTest, ASupernetHasAllCandidates) {
  const SearchSpace space = make_space("s2", 1, false);
  const NetworkShape shape{
      .channels = 1, .cells = 1, .classes = 2, .image_channels = 3, .height = 5, .width = 7};
  const std::int64_t stem = 9 * 3 * 3 * 35, preprocess = 2 * 3 * 2 * 35;
  const std::int64_t sep = 2 * (9 * 2 + 2 * 2) * 12, skip = 2 * 2 * 12;
  EXPECT_EQ(supernet_multiply_adds(space, shape), stem + preprocess + 2 * (sep + skip) + 2 * 2 + 2);
}

TEST(CountTest, ImpossibleShapesAreRefused) {
  const Genotype genotype = genotype_from_text(kFirst, "first");
  const auto refused = [&](const NetworkShape& shape, const std::string& says) {
    expect_error([&] { count_network(genotype, shape); }, {says}, ErrorKind::kUsage);
  };
  refused({.channels = 0}, "channels");
  refused({.channels = 1 << 30}, "channels");
  refused({.channels = 1, .stem = StemKind::kImageNet}, "at least 2 channels");
  refused({.cells = 0}, "cells");
  refused({.cells = 2000000000}, "cells");
  refused({.classes = -1}, "classes");
  refused({.image_channels = 0}, "image channels");
  refused({.height = 0}, "image height");
  refused({.width = -32}, "image width");
  refused({.channels = 1 << 16, .cells = 1000, .height = 1 << 20, .width = 1 << 20}, "multiply-adds");
  expect_error([] { count_network({}, {}); }, {"no nodes"});
}

}  // namespace
}  // namespace ptnas
