#include "ptnas/report/result.h"

#include <gmock/gmock.h>

#include <cmath>

#include "ptnas/report/plot.h"
#include "ptnas/report/result_page.h"

namespace ptnas {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ResultTable sample() {
  return {"t",
          "A <table>",
          {"arm", "error", "paper"},
          {{text_cell("a|b, c"), measured_cell({2, 4}), quoted_cell("3.00 \u00b1 0.14")},
           {text_cell("empty"), measured_cell({}), quoted_cell("")}}};
}

TEST(ResultTest, MeanAndSampleDeviation) {
  EXPECT_DOUBLE_EQ(mean_of({2, 4, 9}), 5);
  EXPECT_DOUBLE_EQ(deviation_of({2, 4, 9}), std::sqrt(13.0));
  EXPECT_EQ(deviation_of({7}), 0);
  EXPECT_EQ(display(measured_cell({2, 4})), "3.00 \u00b1 1.41 (2)");
  EXPECT_EQ(display(measured_cell({2})), "2.00 (1)");
  EXPECT_EQ(display(measured_cell({})), "");
  EXPECT_EQ(display(best_cell({4, 2})), "2.00");
}

TEST(ResultTest, WithinTwoDeviationsADifferenceIsUndecided) {
  EXPECT_THAT(comparison("S2", "PT", {10, 11}, "DARTS", {12, 13}, true, "paper"),
              Not(HasSubstr("undecided")));
  EXPECT_THAT(comparison("S2", "PT", {10, 12}, "DARTS", {12, 13}, true, "paper"), HasSubstr("undecided"));
  EXPECT_THAT(comparison("S2", "PT", {10}, "DARTS", {90}, true, "paper"), HasSubstr("undecided"));
  EXPECT_THAT(comparison("S2", "PT", {}, "DARTS", {90}, true, "paper"), HasSubstr("not measured"));
  EXPECT_THAT(comparison("S2", "PT", {10, 11}, "DARTS", {12, 13}, true, "paper"), HasSubstr("better"));
  EXPECT_THAT(comparison("S2", "PT", {10, 11}, "DARTS", {12, 13}, false, "paper"), HasSubstr("worse"));
}

TEST(ResultTest, WhatWasNotMeasuredIsAnEmptyCellEverywhere) {
  EXPECT_EQ(to_csv(sample()),
            "arm,error,error deviation,error seeds,paper\n\"a|b, c\",3.0000,1.4142,2,3.00 \u00b1 "
            "0.14\nempty,,,0,\n");
  EXPECT_THAT(to_markdown(sample()), HasSubstr("| a\\|b, c | 3.00 \u00b1 1.41 (2) |"));
  const Json json = to_json(sample());
  EXPECT_TRUE(json["rows"][1][1]["mean"].is_null());
  EXPECT_EQ(json["rows"][0][2]["quoted"], "3.00 \u00b1 0.14");
}

TEST(ResultTest, ThePageEscapesAndHasNoScript) {
  const PlotSeries series{"s<", {{0, 1, 0.1}, {1, 2, 0.2}}};
  const LinePanel panel{"p", "x", "y", {series}};
  Result result;
  result.tables.push_back(sample());
  result.figures.push_back({"f", "<b>caption", draw_lines_svg({panel})});
  result.findings = {"a < b"};
  const std::string page =
      make_result_page({"n", "t", "smoke", "0, 1", "idx", "ptnas <x>", "", 2, 1}, result);
  for (const char* text :
       {"A &lt;table&gt;", "&lt;b&gt;caption", "a &lt; b", "s&lt;", "ptnas &lt;x&gt;", "1 of 2 runs"})
    EXPECT_THAT(page, HasSubstr(text));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(ResultTest, EmptyDrawingsCanStand) {
  LinePanel lines;
  lines.series.push_back(PlotSeries{"s", {}});
  BarPanel bars;
  bars.series = {"s"};
  bars.groups.push_back(BarGroup{"g", {NAN}, {0}});
  EXPECT_THAT(draw_lines_svg({lines}), HasSubstr("</svg>"));
  EXPECT_THAT(draw_bars_svg({bars}), HasSubstr("</svg>"));
  EXPECT_THAT(draw_grid_svg({}, 2), HasSubstr("</svg>"));
}

}  // namespace
}  // namespace ptnas
