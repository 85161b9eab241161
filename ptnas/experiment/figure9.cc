// Figure 9 (Appendix A.7): NAS-Bench-201, perturbation with more and fewer epochs of tuning between two
// decisions.

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

Result make_figure9(Study& study) {
  const std::string& data = study.request().data.front();
  const bool paper = study.request().scale == "paper", smoke = study.request().scale == "smoke";
  const std::vector<int> epochs = paper   ? std::vector<int>{1, 3, 5, 10, 20}
                                  : smoke ? std::vector<int>{1, 2}
                                          : std::vector<int>{0, 1, 2, 4};
  ResultTable table{"figure9",
                    "Test accuracy (%) in NAS-Bench-201 on CIFAR-10 by epochs of tuning",
                    {"epochs of tuning", "DARTS+PT", "random"},
                    {}};
  LinePanel panel{
      "NAS-Bench-201, CIFAR-10", "epochs of tuning", "test accuracy (%)", {{"DARTS+PT", {}}, {"random", {}}}};
  std::vector<std::vector<double>> all;
  std::vector<double> random;
  for (const std::int64_t seed : study.seeds())
    if (const auto accuracy =
            study.stored_accuracy(selected_by(study, kRandom, {"nb201", data, seed}), Nb201Dataset::kCifar10))
      random.push_back(*accuracy);
  for (const int e : epochs) {
    std::vector<double> values;
    for (const std::int64_t seed : study.seeds()) {
      const std::string supernet = supernet_of(study, kDartsPt, {"nb201", data, seed});
      // The scale's own number is the run of every other experiment.
      OptionValues own;
      if (study.run(supernet).configuration.select.tune_epochs != e) own["tune-epochs"] = std::to_string(e);
      if (const auto accuracy = study.stored_accuracy(
              selected_by(study, kDartsPt, {"nb201", data, seed}, own), Nb201Dataset::kCifar10))
        values.push_back(*accuracy);
    }
    table.rows.push_back({text_cell(std::to_string(e)), measured_cell(values), measured_cell(random)});
    if (!values.empty())
      panel.series[0].points.push_back({static_cast<double>(e), mean_of(values), deviation_of(values)});
    if (!random.empty())
      panel.series[1].points.push_back({static_cast<double>(e), mean_of(random), deviation_of(random)});
    all.push_back(std::move(values));
  }
  Result result;
  result.findings.push_back(
      comparison("NAS-Bench-201", fmt::format("{} epochs of tuning", epochs.back()), all.back(),
                 fmt::format("{}", epochs.front()), all.front(), false,
                 "in the paper more than 5 epochs gain marginally (Appendix A.7, no numbers)"));
  result.tables.push_back(std::move(table));
  result.figures.push_back(
      {"figure9",
       "Test accuracy of the architecture by epochs of tuning between decisions, mean and deviation over the "
       "seeds; which epochs the paper's figure has its text does not say",
       draw_lines_svg({panel})});
  return result;
}

}  // namespace ptnas
