#include "ptnas/space/count.h"

#include <gtest/gtest.h>

#include "ptnas/core/error.h"

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

TEST(CountTest, ReductionCellsAreAtThirds) {
  EXPECT_TRUE(is_reduction_cell(2, 8) && is_reduction_cell(5, 8));
  EXPECT_TRUE(is_reduction_cell(6, 20) && is_reduction_cell(13, 20));
  EXPECT_FALSE(is_reduction_cell(0, 8) || is_reduction_cell(7, 8));
}

TEST(CountTest, ImpossibleShapesAreRefused) {
  EXPECT_THROW(count_network(genotype_from_text(kFirst, "first"), {.channels = 0}), Error);
  EXPECT_THROW(count_network(genotype_from_text(kFirst, "first"), {.classes = -1}), Error);
}

}  // namespace
}  // namespace ptnas
