// Table 4 (Section 6.3): trained and fixed alpha, on the DARTS space (retrained) and NAS-Bench-201 (looked
// up).

#include <cmath>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"

namespace ptnas {

Result make_table4(Study& study) {
  const std::vector<Arm> arms = {kDarts, kDartsPt, kFixedPt, kRandom};
  const std::string& data = study.request().data.front();
  ResultTable table{
      "table4",
      fmt::format("Test error (%) on {} (NAS-Bench-201: its table's, CIFAR-10)", data_name(data)),
      {"space"},
      {}};
  std::vector<std::string> series;
  for (const Arm& arm : arms) series.push_back(arm.name);
  table.columns.insert(table.columns.end(), series.begin(), series.end());
  for (const char* name : {"paper: DARTS", "paper: DARTS+PT", "paper: DARTS+PT (fix alpha)"})
    table.columns.push_back(name);
  const std::vector<std::string> spaces = {"darts", "nb201"};
  const std::vector<std::vector<double>> paper = {{3.00, 2.61, 2.87, NAN}, {45.7, 11.89, 6.20, NAN}};
  std::vector<std::vector<std::vector<double>>> measured;
  Result result;
  for (std::size_t s = 0; s < spaces.size(); ++s) {
    std::vector<std::vector<double>> errors(arms.size());
    for (std::size_t a = 0; a < arms.size() && study.wants(spaces[s]); ++a) {
      if (spaces[s] == "darts") {
        errors[a] = results_of(study, arms[a], spaces[s], data).errors;
        continue;
      }
      for (const std::int64_t seed : study.seeds()) {
        const auto accuracy =
            study.stored_accuracy(selected_by(study, arms[a], {"nb201", data, seed}), Nb201Dataset::kCifar10);
        if (accuracy) errors[a].push_back(100 - *accuracy);
      }
    }
    std::vector<ResultCell> row = {text_cell(spaces[s])};
    for (const auto& values : errors) row.push_back(measured_cell(values));
    for (std::size_t a = 0; a < 3; ++a) row.push_back(quoted_cell(fmt::format("{:g}", paper[s][a])));
    table.rows.push_back(std::move(row));
    measured.push_back(errors);
    if (!study.wants(spaces[s])) continue;
    const auto says = [&](std::size_t a, std::size_t b) {
      return fmt::format("in the paper {:g} and {:g}", paper[s][a], paper[s][b]);
    };
    result.findings.push_back(
        comparison(spaces[s], arms[1].name, errors[1], arms[0].name, errors[0], true, says(1, 0)));
    result.findings.push_back(
        comparison(spaces[s], arms[2].name, errors[2], arms[1].name, errors[1], true, says(2, 1)));
    result.findings.push_back(comparison(spaces[s], arms[1].name, errors[1], arms[3].name, errors[3], true,
                                         "the paper has no random architectures"));
    result.findings.push_back(comparison(spaces[s], arms[2].name, errors[2], arms[3].name, errors[3], true,
                                         "the paper has no random architectures"));
  }
  result.tables.push_back(std::move(table));
  result.figures.push_back({"table4",
                            "Test error (%), mean and deviation over the seeds; below, the paper's Table 4",
                            measured_beside_paper(series, spaces, measured, paper, "test error (%)")});
  return result;
}

}  // namespace ptnas
