// Table 2 (Section 5.1): DARTS, SDARTS-RS and SGAS on the DARTS space, each by alpha and by perturbation,
// retrained; and pt-mag (Section 6.2): the same progressive tuning where alpha chooses.

#include <cmath>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"

namespace ptnas {

namespace {

struct Quotation {
  const char *architecture, *error, *parameters, *cost, *method;
};
// Table 2's literature rows and the paper's own; none of them was measured here.
constexpr Quotation kLiterature[] = {{"DenseNet-BC", "3.46", "25.6", "-", "manual"},
                                     {"NASNet-A", "2.65", "3.3", "2000", "RL"},
                                     {"AmoebaNet-A", "3.34 \u00b1 0.06", "3.2", "3150", "evolution"},
                                     {"AmoebaNet-B", "2.55 \u00b1 0.05", "2.8", "3150", "evolution"},
                                     {"PNAS", "3.41 \u00b1 0.09", "3.2", "225", "SMBO"},
                                     {"ENAS", "2.89", "4.6", "0.5", "RL"},
                                     {"NAONet", "3.53", "3.1", "0.4", "NAO"},
                                     {"SNAS (moderate)", "2.85 \u00b1 0.02", "2.8", "1.5", "gradient"},
                                     {"GDAS", "2.93", "3.4", "0.3", "gradient"},
                                     {"BayesNAS", "2.81 \u00b1 0.04", "3.4", "0.2", "gradient"},
                                     {"ProxylessNAS (another space)", "2.08", "5.7", "4.0", "gradient"},
                                     {"NASP", "2.83 \u00b1 0.09", "3.3", "0.1", "gradient"},
                                     {"P-DARTS", "2.50", "3.4", "0.3", "gradient"},
                                     {"PC-DARTS", "2.57 \u00b1 0.07", "3.6", "0.1", "gradient"},
                                     {"R-DARTS (L2)", "2.95 \u00b1 0.21", "-", "1.6", "gradient"}};

struct TableArm {
  Arm arm;
  const char *paper_error, *paper_best, *paper_parameters, *paper_cost;
};
const TableArm kArms[] = {
    {kDarts, "3.00 \u00b1 0.14", "", "3.3", "0.4"},
    {{"SDARTS-RS", "sdarts-rs", "magnitude"}, "2.67 \u00b1 0.03", "", "3.4", "0.4"},
    {{"SGAS (criterion 1)", "sgas", "magnitude"}, "2.66 \u00b1 0.24", "", "3.7", "0.25"},
    {kDartsPt, "2.61 \u00b1 0.08", "2.48", "3.0", "0.8"},
    {{"SDARTS-RS+PT", "sdarts-rs", "perturbation"}, "2.54 \u00b1 0.10", "2.44", "3.3", "0.8"},
    {{"SGAS+PT (criterion 1)", "sgas", "perturbation"}, "2.56 \u00b1 0.10", "2.46", "3.9", "0.29"},
    {kRandom, "", "", "", ""}};

}  // namespace

Result make_table2(Study& study) {
  const std::string& data = study.request().data.front();
  ResultTable table{"table2",
                    fmt::format("Test error on {}", data_name(data)),
                    {"architecture", "test error (%)", "best", "parameters (M)", "search (hours here)",
                     "paper: test error (%)", "paper: best", "paper: parameters (M)",
                     "paper: search (GPU days)", "search method"},
                    {}};
  for (const Quotation& q : kLiterature)
    table.rows.push_back({text_cell(q.architecture), measured_cell({}), text_cell(""), measured_cell({}),
                          measured_cell({}), quoted_cell(q.error), quoted_cell(""), quoted_cell(q.parameters),
                          quoted_cell(q.cost), quoted_cell(q.method)});
  Result result;
  std::vector<std::vector<std::vector<double>>> measured;
  std::vector<std::vector<double>> paper;
  std::vector<std::string> groups;
  for (const TableArm& row : kArms) {
    const ArmResults found = results_of(study, row.arm, "darts", data);
    table.rows.push_back({text_cell(row.arm.name), measured_cell(found.errors), best_cell(found.errors),
                          measured_cell(found.parameters), measured_cell(found.hours, 3),
                          quoted_cell(row.paper_error), quoted_cell(row.paper_best),
                          quoted_cell(row.paper_parameters), quoted_cell(row.paper_cost),
                          text_cell(row.arm.selection == "random" ? "none" : "gradient")});
    groups.push_back(row.arm.name);
    measured.push_back({found.errors});
    paper.push_back({*row.paper_error ? std::strtod(row.paper_error, nullptr) : NAN});
  }
  for (std::size_t i = 0; i < 3; ++i) {
    result.findings.push_back(
        comparison("DARTS space", groups[i + 3], measured[i + 3][0], groups[i], measured[i][0], true,
                   fmt::format("in the paper {} and {}", kArms[i + 3].paper_error, kArms[i].paper_error)));
    result.findings.push_back(comparison("DARTS space", groups[i + 3], measured[i + 3][0], "random",
                                         measured[6][0], true, "the paper has no random architectures"));
  }
  result.tables.push_back(std::move(table));
  result.figures.push_back(
      {"table2", "Test error (%), mean and deviation over the seeds; below, the paper's Table 2",
       measured_beside_paper({"test error"}, groups, measured, paper, "test error (%)")});
  return result;
}

Result make_pt_mag(Study& study) {
  const std::string& data = study.request().data.front();
  const std::vector<Arm> arms = {kDartsPt, kDartsPtMag, kDarts, kRandom};
  const std::vector<double> paper = {2.61, 2.85, 3.00, NAN};
  ResultTable table{"pt-mag",
                    fmt::format("Test error (%) on {}, DARTS space", data_name(data)),
                    {"selection", "test error (%)", "best", "paper: test error (%)"},
                    {}};
  std::vector<std::vector<std::vector<double>>> measured;
  std::vector<std::vector<double>> quoted;
  std::vector<std::string> groups;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const std::vector<double> errors = results_of(study, arms[a], "darts", data).errors;
    table.rows.push_back({text_cell(arms[a].name), measured_cell(errors), best_cell(errors),
                          quoted_cell(std::isnan(paper[a]) ? "" : fmt::format("{:.2f}", paper[a]))});
    groups.push_back(arms[a].name);
    measured.push_back({errors});
    quoted.push_back({paper[a]});
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.findings.push_back(comparison("DARTS space", groups[0], measured[0][0], groups[1], measured[1][0],
                                       true, "in the paper 2.61 and 2.85"));
  result.findings.push_back(comparison("DARTS space", groups[0], measured[0][0], groups[3], measured[3][0],
                                       true, "the paper has no random architectures"));
  result.figures.push_back(
      {"pt-mag", "Test error (%), mean and deviation over the seeds; below, the paper's numbers",
       measured_beside_paper({"test error"}, groups, measured, quoted, "test error (%)")});
  return result;
}

}  // namespace ptnas
