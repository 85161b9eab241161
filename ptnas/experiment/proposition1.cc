// Proposition 1 (Section 3.2, Appendix A.4): variances measured in trained supernets, the closed form's
// optimum beside a numerical one and what alpha learned.

#include "ptnas/analysis/proposition1.h"

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

constexpr struct {
  const char *key, *column;
  int decimals;
} kPropositionColumns[] = {{"mean_var_skip", "Var(x - m)", 3},
                           {"mean_var_other", "Var(o - m)", 3},
                           {"share_skip_nearer", "edges with Var(x - m) < Var(o - m)", 2},
                           {"share_closed_prefers_skip", "optimum above 1/2 for skip", 2},
                           {"share_learned_prefers_skip", "learned above 1/2 for skip", 2},
                           {"agreement", "both on the same side", 2},
                           {"rank_correlation", "rank correlation, optimum and learned", 2},
                           {"largest_difference", "largest difference, closed form and numerical", 4}};

}  // namespace

Result make_proposition1(Study& study) {
  const std::string& data = study.request().data.front();
  const std::int64_t images = study.request().scale == "smoke" ? 16 : 128;
  ResultTable table{
      "proposition1", "Means and shares over the edges of all cells", {"space", "estimate of m"}, {}};
  for (const auto& column : kPropositionColumns) table.columns.emplace_back(column.column);
  BarPanel panel{"Variance of the difference from m", "variance", {"Var(x - m)", "Var(o - m)"}, {}};
  for (const char* space : {"s2", "darts"}) {
    if (!study.wants(space)) continue;
    std::vector<Json> found;
    for (const std::int64_t seed : study.seeds()) {
      const Json measurement =
          study.measurement(study.measure(supernet_of(study, kDarts, {space, data, seed}), "variances", {},
                                          [images](const MeasureContext& c) {
                                            const Configuration& o = c.configuration;
                                            SupernetTrainer trainer(c.dataset, o.data, o.search, o.runtime);
                                            load_supernet(c.supernet.file(RunDirectory::kSupernet), trainer);
                                            return measure_proposition1(trainer, {.images = images});
                                          }));
      if (!measurement.is_null()) found.push_back(measurement);
    }
    for (std::size_t estimate = 0; estimate < 2; ++estimate) {
      std::vector<ResultCell> row = {text_cell(space), text_cell(estimate == 0 ? "node" : "mean of edges")};
      BarGroup group{fmt::format("{}, {}", space, estimate == 0 ? "node" : "mean of edges"), {}, {}};
      for (const auto& column : kPropositionColumns) {
        std::vector<double> values;
        for (const Json& one : found) {
          const Json& value = one.at("summary").at(estimate).at(column.key);
          if (!value.is_null()) values.push_back(value.get<double>());
        }
        if (group.values.size() < 2) {  // the first two columns are the variances
          group.values.push_back(mean_of(values));
          group.deviations.push_back(deviation_of(values));
        }
        row.push_back(measured_cell(values, column.decimals));
      }
      if (!found.empty()) panel.groups.push_back(std::move(group));
      table.rows.push_back(std::move(row));
    }
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back({"proposition1",
                            "Variance of the skip's output x and of the other operations' output o about the "
                            "estimated optimal map m, means over all edges and the seeds",
                            draw_bars_svg({panel})});
  result.findings.push_back(
      "The paper argues that x lies nearer m than o does in a well-optimized supernet, so that alpha_skip is "
      "greater; "
      "it gives no numbers");
  return result;
}

}  // namespace ptnas
