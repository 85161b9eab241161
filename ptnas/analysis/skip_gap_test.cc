#include "ptnas/analysis/skip_gap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptnas/analysis/statistics.h"
#include "ptnas/core/error.h"

namespace ptnas {
namespace {

Json line(int epoch, double accuracy, double skip) {
  Json alpha = Json::object();
  // Two edges a cell type; skip_connect and sep_conv_3x3.
  alpha["normal"] = {{skip, 1 - skip}, {0.5, 0.5}};
  alpha["reduction"] = {{0.5, 0.5}, {0.25, 0.75}};
  Json json = Json::object();
  json["phase"] = "search";
  json["epoch"] = epoch;
  json["valid_accuracy"] = accuracy;
  json["alpha"] = alpha;
  return json;
}

TEST(SkipGaps, OfS2ByHand) {
  const SearchSpace space = make_space("s2", 1, false);
  const std::vector<SkipGap> gaps =
      skip_gaps({line(0, 0.3, 0.5), Json{{"phase", "tune"}}, line(1, 0.4, 0.75)}, space);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_NEAR(gaps[0].gap, -0.5 / 4, 1e-12);         // edges 0, 0, 0 and -0.5
  EXPECT_NEAR(gaps[1].gap, (0.5 - 0.5) / 4, 1e-12);  // 0.5, 0, 0 and -0.5
  EXPECT_EQ(gaps[1].epoch, 1);
  EXPECT_NEAR(accuracy_gap_correlation(gaps), 1, 1e-12);
}

TEST(SkipGaps, OfTheDartsSpaceAgainstTheMeanOfFourConvolutions) {
  const SearchSpace space = make_space("darts", 1, false);
  // max, avg, skip, sep3, sep5, dil3, dil5
  const Json row = {0.1, 0.1, 0.4, 0.1, 0.1, 0.05, 0.15};
  Json json = line(0, 0.5, 0.5);
  json["alpha"]["normal"] = {row, row};
  json["alpha"]["reduction"] = {row, row};
  EXPECT_NEAR(skip_gaps({json}, space).at(0).gap, 0.4 - 0.1, 1e-12);
}

TEST(SkipGaps, OtherSpacesAndDamagedLinesAreErrors) {
  EXPECT_THROW(skip_gaps({line(0, 0.3, 0.5)}, make_space("s4", 1, false)), Error);
  Json damaged = line(0, 0.3, 0.5);
  damaged.erase("alpha");
  EXPECT_THROW(skip_gaps({damaged}, make_space("s2", 1, false)), Error);
}

TEST(RankCorrelation, ByHand) {
  EXPECT_EQ(ranks_of({3, 1, 3, 2}), (std::vector<double>{3.5, 1, 3.5, 2}));
  EXPECT_NEAR(rank_correlation({1, 2, 3}, {10, 20, 15}), 0.5, 1e-12);  // ranks 1 2 3 and 1 3 2
  EXPECT_NEAR(rank_correlation({1, 2, 3}, {3, 2, 1}), -1, 1e-12);
  EXPECT_TRUE(std::isnan(rank_correlation({1, 2}, {5, 5})));
  EXPECT_TRUE(std::isnan(rank_correlation({1}, {5})));
}

}  // namespace
}  // namespace ptnas
