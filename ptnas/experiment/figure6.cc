// Figure 6 (Section 6.2): validation accuracy of the supernet through the selection on S2, by perturbation
// (PT) and by alpha with the same progressive tuning (PT-Mag).

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

// Validation accuracy (%) at the supernet's end and after each epoch of tuning.
std::vector<double> trajectory_of(Study& study, const Arm& arm, const Setting& setting) {
  const auto start = study.supernet_accuracy(supernet_of(study, arm, setting));
  const std::vector<Json> lines = study.metrics(selected_by(study, arm, setting));
  std::vector<double> values;
  if (!start || lines.empty()) return values;
  values.push_back(*start);
  for (const Json& line : lines)
    if (line.at("phase") == "tune") values.push_back(100 * line.at("valid_accuracy").get<double>());
  return values;
}

}  // namespace

Result make_figure6(Study& study) {
  const std::string& data = study.request().data.front();
  ResultTable table{"figure6",
                    "Validation accuracy of the supernet (%) on S2",
                    {"selection", "epochs of tuning", "validation accuracy (%)"},
                    {}};
  LinePanel panel{fmt::format("S2, {}", data_name(data)), "epochs of tuning", "validation accuracy (%)", {}};
  std::vector<std::vector<double>> ends;
  for (const Arm& arm : {kDartsPt, kDartsPtMag}) {
    std::vector<std::vector<double>> by_epoch;
    for (const std::int64_t seed : study.seeds()) {
      const std::vector<double> values = trajectory_of(study, arm, {"s2", data, seed});
      if (by_epoch.size() < values.size()) by_epoch.resize(values.size());
      for (std::size_t e = 0; e < values.size(); ++e) by_epoch[e].push_back(values[e]);
    }
    PlotSeries series{arm.name, {}};
    for (std::size_t e = 0; e < by_epoch.size(); ++e) {
      table.rows.push_back({text_cell(arm.name), text_cell(std::to_string(e)), measured_cell(by_epoch[e])});
      series.points.push_back({static_cast<double>(e), mean_of(by_epoch[e]), deviation_of(by_epoch[e])});
    }
    if (by_epoch.empty()) table.rows.push_back({text_cell(arm.name), text_cell(""), measured_cell({})});
    ends.push_back(by_epoch.empty() ? std::vector<double>() : by_epoch.back());
    panel.series.push_back(std::move(series));
  }
  Result result;
  result.findings.push_back(comparison("S2, supernet at the end of the selection", "DARTS+PT", ends[0],
                                       "DARTS+PT-Mag", ends[1], false,
                                       "in the paper's figure PT ends higher (no numbers)"));
  result.tables.push_back(std::move(table));
  result.figures.push_back({"figure6",
                            "Validation accuracy of the supernet after each epoch of tuning, mean and "
                            "deviation over the seeds; the paper's figure gives no numbers",
                            draw_lines_svg({panel})});
  return result;
}

}  // namespace ptnas
