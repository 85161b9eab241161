// Figure 3 (Section 3.2): mean gap of the skip's and the convolutions' softmax weight against the supernet's
// accuracy over the search.

#include <cmath>

#include "ptnas/analysis/skip_gap.h"
#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

Result make_figure3(Study& study) {
  const std::string& data = study.request().data.front();
  ResultTable table{"figure3",
                    "Over the epochs of the search",
                    {"space", "gap after the first epoch", "gap after the last",
                     "accuracy after the last (%)", "rank correlation of accuracy and gap"},
                    {}};
  std::vector<LinePanel> panels;
  for (const char* space : {"darts", "s2"}) {
    if (!study.wants(space)) continue;
    LinePanel panel{space, "validation accuracy of the supernet (%)", "mean(skip - convolutions)", {}};
    std::vector<double> first, last, accuracy, correlation;
    for (const std::int64_t seed : study.seeds()) {
      const std::string run = supernet_of(study, kDarts, {space, data, seed});
      const SearchOptions& search = study.run(run).configuration.search;
      const std::vector<SkipGap> gaps = skip_gaps(
          study.metrics(run), make_space(search.space, static_cast<int>(search.nodes), search.with_none));
      if (gaps.empty()) continue;
      first.push_back(gaps.front().gap);
      last.push_back(gaps.back().gap);
      accuracy.push_back(100 * gaps.back().valid_accuracy);
      const double rank = accuracy_gap_correlation(gaps);
      if (std::isfinite(rank)) correlation.push_back(rank);
      PlotSeries series{fmt::format("seed {}", seed), {}};
      for (const SkipGap& one : gaps) series.points.push_back({100 * one.valid_accuracy, one.gap, 0});
      panel.series.push_back(std::move(series));
    }
    table.rows.push_back({text_cell(space), measured_cell(first, 4), measured_cell(last, 4),
                          measured_cell(accuracy), measured_cell(correlation)});
    panels.push_back(std::move(panel));
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back(
      {"figure3",
       "Mean gap of skip_connect's and the convolutions' softmax weight against the supernet's "
       "validation accuracy, a point an epoch; in the paper it grows (accuracies 83.5 to 85.7 %)",
       draw_lines_svg(panels)});
  return result;
}

}  // namespace ptnas
