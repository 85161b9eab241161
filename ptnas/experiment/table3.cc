// Table 3 (Sections 6.1 and 6.3): S1 to S4 by data set; and Table 3's question asked of random architectures.

#include <array>
#include <cmath>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"

namespace ptnas {

namespace {

struct PaperRow {
  const char *data, *space;
  double darts, pt, fixed;
};
// Table 3, test error in percent.
constexpr PaperRow kPaper[] = {
    {"cifar10", "s1", 3.84, 3.50, 2.86},     {"cifar10", "s2", 4.85, 2.79, 2.59},
    {"cifar10", "s3", 3.34, 2.49, 2.52},     {"cifar10", "s4", 7.20, 2.64, 2.58},
    {"cifar100", "s1", 29.46, 24.48, 24.40}, {"cifar100", "s2", 26.05, 23.16, 23.30},
    {"cifar100", "s3", 28.90, 22.03, 21.94}, {"cifar100", "s4", 22.85, 20.80, 20.66},
    {"svhn", "s1", 4.58, 2.62, 2.39},        {"svhn", "s2", 3.53, 2.53, 2.32},
    {"svhn", "s3", 3.41, 2.42, 2.32},        {"svhn", "s4", 3.05, 2.42, 2.39}};

std::array<double, 3> paper_numbers(const std::string& data, const std::string& space) {
  for (const PaperRow& row : kPaper)
    if (row.data == data && row.space == space) return {row.darts, row.pt, row.fixed};
  return {NAN, NAN, NAN};
}

ResultCell quoted(double value) { return quoted_cell(std::isnan(value) ? "" : fmt::format("{:.2f}", value)); }

}  // namespace

Result make_table3(Study& study) {
  const std::vector<Arm> arms = {kDarts, kDartsPt, kFixedPt, kDartsPtMag, kRandom};
  ResultTable table{"table3", "Test error (%) on S1 to S4", {"data", "space"}, {}};
  for (const Arm& arm : arms) table.columns.push_back(arm.name);
  for (const char* name : {"paper: DARTS", "paper: DARTS+PT", "paper: DARTS+PT (fix alpha)", "best DARTS+PT",
                           "supernet accuracy (%)"})
    table.columns.push_back(name);
  Result result;
  std::vector<std::string> groups, series;
  std::vector<std::vector<std::vector<double>>> measured;
  std::vector<std::vector<double>> quoted_numbers;
  for (const Arm& arm : arms) series.push_back(arm.name);
  for (const std::string& data : study.request().data) {
    for (const char* space : {"s1", "s2", "s3", "s4"}) {
      const auto paper = paper_numbers(data_name(data), space);
      std::vector<ResultCell> row = {text_cell(data_name(data)), text_cell(space)};
      std::vector<std::vector<double>> errors(arms.size());
      std::vector<double> supernets;
      if (study.wants(space)) {
        for (std::size_t a = 0; a < arms.size(); ++a)
          errors[a] = results_of(study, arms[a], space, data).errors;
        for (const std::int64_t seed : study.seeds())
          if (const auto accuracy = study.supernet_accuracy(supernet_of(study, kDarts, {space, data, seed})))
            supernets.push_back(*accuracy);
      }
      for (const auto& values : errors) row.push_back(measured_cell(values));
      for (const double number : paper) row.push_back(quoted(number));
      row.push_back(best_cell(errors[1]));
      row.push_back(measured_cell(supernets, 1));
      table.rows.push_back(std::move(row));
      groups.push_back(data_name(data) + " " + space);
      measured.push_back(errors);
      quoted_numbers.push_back({paper[0], paper[1], paper[2], NAN, NAN});
      if (!study.wants(space)) continue;
      const std::string where = groups.back();
      const auto paper_says = [&](std::size_t a, std::size_t b) {
        return std::isnan(paper[a]) ? std::string("the paper has no such row")
                                    : fmt::format("in the paper {:.2f} and {:.2f}", paper[a], paper[b]);
      };
      result.findings.push_back(
          comparison(where, "DARTS+PT", errors[1], "DARTS", errors[0], true, paper_says(1, 0)));
      result.findings.push_back(comparison(where, "DARTS+PT (fix alpha)", errors[2], "DARTS+PT", errors[1],
                                           true, paper_says(2, 1)));
      result.findings.push_back(comparison(where, "DARTS+PT", errors[1], "DARTS+PT-Mag", errors[3], true,
                                           "the paper compares them on the DARTS space alone"));
      result.findings.push_back(comparison(where, "DARTS+PT", errors[1], "random", errors[4], true,
                                           "the paper has no random architectures"));
    }
  }
  result.tables.push_back(std::move(table));
  result.figures.push_back(
      {"table3",
       "Test error (%) by space and data set, mean and deviation over the seeds; below, the paper's Table 3",
       measured_beside_paper(series, groups, measured, quoted_numbers, "test error (%)")});
  return result;
}

}  // namespace ptnas
