#include "ptnas/report/draw.h"

#include <gmock/gmock.h>

#include <thread>

#include "ptnas/core/testing.h"

namespace ptnas {
namespace {

using enum OperationKind;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Genotype sample() {
  Genotype genotype;
  genotype.cells[0] = {{{kSepConv3x3, 0}, {kSkipConnect, 1}}, {{kNoise, 2}, {kDilConv5x5, 0}}};
  genotype.cells[1] = {{{kMaxPool3x3, 1}, {kAvgPool3x3, 0}}, {{kNone, 0}, {kSkipConnect, 1}}};
  return genotype;
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(DrawTest, ACellIsAnElementForAPage) {
  const std::string svg = draw_cell_svg(sample(), CellType::kNormal);
  EXPECT_THAT(svg, StartsWith("<svg "));
  EXPECT_THAT(svg, Not(HasSubstr(" id=")));  // several stand on one page
  for (const char* name : {"sep_conv_3x3", "skip_connect", "noise", "dil_conv_5x5"}) {
    EXPECT_EQ(count(svg, std::string(">") + name + "</text>"), 1) << name;
  }
}

TEST(DrawTest, OperationsWithWeightsAreRed) {
  const std::string red = "fill=\"#c0262d\">";
  const std::string normal = draw_cell_svg(sample(), CellType::kNormal);
  EXPECT_THAT(normal, HasSubstr(red + "sep_conv_3x3"));
  EXPECT_THAT(normal, HasSubstr(red + "dil_conv_5x5"));
  EXPECT_EQ(count(normal, red), 2);
  EXPECT_THAT(draw_cell_svg(sample(), CellType::kReduction), Not(HasSubstr("#c0262d")));
}

TEST(DrawTest, BothCellsAreAFileWithoutOverlap) {
  const std::string svg = draw_genotype_svg(sample());
  EXPECT_THAT(svg, StartsWith("<?xml"));
  EXPECT_EQ(count(svg, "<svg "), 3);
  EXPECT_EQ(count(svg, "pt\""), 2);  // the outer width and height; within, one unit is a point
}

TEST(DrawTest, TheSameBytesFromEveryThread) {
  const std::string expected = draw_genotype_svg(sample());
  std::string found[4];
  std::vector<std::thread> threads;
  for (std::string& svg : found) threads.emplace_back([&svg] { svg = draw_genotype_svg(sample()); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& svg : found) EXPECT_EQ(svg, expected);
}

TEST(DrawTest, WhatCannotBeIsNotDrawn) {
  Genotype genotype = sample();
  genotype.cells[0][0][0].from = 2;
  expect_error([&] { draw_cell_svg(genotype, CellType::kNormal); }, {"state 2"});
  expect_error([] { draw_genotype_svg({}); }, {"no nodes"});
}

TEST(DrawTest, TheNetworkShowsSizesChannelsAndTheAuxiliaryHead) {
  const NetworkShape shape{.channels = 4, .cells = 5, .height = 28, .width = 21};
  const std::string svg = draw_network_svg(shape, Family::kDarts, 3, true);
  for (const char* label :
       {"28\u00d721", "14\u00d711", "7\u00d76", ">12 ch.", ">24 ch.", ">48 ch.", "auxiliary"}) {
    EXPECT_EQ(count(svg, label), 1) << label;
  }
  EXPECT_EQ(count(svg, "<rect"), 7);
  EXPECT_THAT(draw_network_svg(shape, Family::kDarts, 3), Not(HasSubstr("auxiliary")));
}

TEST(DrawTest, NasBench201HasOneCellWithNumberedStates) {
  const Genotype genotype = genotype_from_text(
      "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|", "text");
  const std::string svg = draw_genotype_svg(genotype);
  EXPECT_EQ(count(svg, "<svg "), 2);
  EXPECT_EQ(count(svg, ">none</text>"), 2);
  EXPECT_EQ(count(svg, "fill=\"#c0262d\">nor_conv_"), 2);
  for (const char* state : {">0</text>", ">1</text>", ">2</text>", ">3</text>"})
    EXPECT_EQ(count(svg, state), 1);
  EXPECT_THAT(svg, Not(HasSubstr("c_{k")));
  const std::string network =
      draw_network_svg({.channels = 16, .cells = 2}, genotype.family, 3);  // 2 + 1 + 2 + 1 + 2 cells
  EXPECT_EQ(count(network, "<rect"), 10);
  EXPECT_EQ(count(network, ">res.<"), 2);
  for (const char* label : {"32\u00d732", "16\u00d716", "8\u00d78", ">16 ch.", ">32 ch.", ">64 ch."})
    EXPECT_EQ(count(network, label), 1) << label;
}

TEST(DrawTest, TheNetworkForImageNetBeginsAtAnEighthOfTheSize) {
  const NetworkShape shape{
      .channels = 48, .cells = 14, .height = 224, .width = 224, .stem = StemKind::kImageNet};
  const std::string svg = draw_network_svg(shape, Family::kDarts, 4);
  for (const char* label : {"28\u00d728", "14\u00d714", ">7\u00d77", ">192 ch.", ">768 ch."})
    EXPECT_EQ(count(svg, label), 1) << label;
}

TEST(DrawTest, TextIsEscaped) {
  EXPECT_EQ(escape_html("<a b='c' d=\"&\">"), "&lt;a b=&#39;c&#39; d=&quot;&amp;&quot;&gt;");
}

}  // namespace
}  // namespace ptnas
