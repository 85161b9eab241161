// Table 5 (Appendix A.8): the architectures found on the first data set, trained on the second: ImageNet,
// mobile setting.

#include <cmath>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"

namespace ptnas {

namespace {

std::string trained_on_imagenet(Study& study, const Arm& arm, std::int64_t seed,
                                const std::string& imagenet) {
  OptionValues own = {{"train-recipe", "imagenet"}, {"data", imagenet}};
  if (study.request().scale == "smoke") own["image-size"] = "32";
  return study.train(selected_by(study, arm, {"darts", study.request().data.front(), seed}), own);
}

}  // namespace

Result make_table5(Study& study) {
  const std::vector<Arm> arms = {kDarts, kDartsPt, kRandom};
  const std::string& imagenet = study.request().data.back();
  const char* paper[][3] = {{"26.7", "8.7", "4.7"}, {"25.5", "8.0", "4.6"}, {"", "", ""}};
  ResultTable table{"table5",
                    fmt::format("Test error on {}, mobile setting", data_name(imagenet)),
                    {"architecture", "top-1 error (%)", "top-5 error (%)", "parameters (M)", "paper: top-1",
                     "paper: top-5", "paper: parameters (M)"},
                    {}};
  std::vector<std::vector<std::vector<double>>> measured;
  std::vector<std::string> groups;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    std::vector<double> top1, top5, parameters;
    for (const std::int64_t seed : study.seeds()) {
      const std::string trained = trained_on_imagenet(study, arms[a], seed, imagenet);
      if (!study.finished(trained)) continue;
      top1.push_back(*study.test_error(trained));
      top5.push_back(*study.test_error(trained, "top5"));
      parameters.push_back(*study.parameters(trained));
    }
    table.rows.push_back({text_cell(arms[a].name), measured_cell(top1), measured_cell(top5),
                          measured_cell(parameters), quoted_cell(paper[a][0]), quoted_cell(paper[a][1]),
                          quoted_cell(paper[a][2])});
    measured.push_back({top1, top5});
    groups.push_back(arms[a].name);
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.findings.push_back(comparison(data_name(imagenet), groups[1], measured[1][0], groups[0],
                                       measured[0][0], true, "in the paper 25.5 and 26.7"));
  result.findings.push_back(comparison(data_name(imagenet), groups[1], measured[1][0], groups[2],
                                       measured[2][0], true, "the paper has no random architectures"));
  result.figures.push_back({"table5", "Test error (%), top-1 and top-5; below, the paper's Table 5",
                            measured_beside_paper({"top-1", "top-5"}, groups, measured,
                                                  {{26.7, 8.7}, {25.5, 8.0}, {NAN, NAN}}, "test error (%)")});
  return result;
}

}  // namespace ptnas
