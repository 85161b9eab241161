#include "ptnas/experiment/arms.h"

#include <cmath>

#include "ptnas/report/plot.h"

namespace ptnas {

std::string data_name(const std::string& data) { return data.substr(0, data.find(':')); }

std::string supernet_of(Study& study, const Arm& arm, const Setting& setting) {
  OptionValues own = {{"data", setting.data},
                      {"space", setting.space},
                      {"method", arm.method},
                      {"seed", std::to_string(setting.seed)}};
  if (arm.method == "sgas") own["selection"] = arm.selection;  // decides in its search
  return study.search(own);
}

std::string selected_by(Study& study, const Arm& arm, const Setting& setting, const OptionValues& own) {
  OptionValues values = own;
  values["selection"] = arm.selection;
  return study.select(supernet_of(study, arm, setting), values);
}

std::string trained_by(Study& study, const Arm& arm, const Setting& setting) {
  const std::string name = data_name(setting.data);
  OptionValues own;
  if (study.request().scale == "paper" && (name == "cifar100" || name == "svhn"))
    own = {{"train-channels", "16"}, {"train-cells", "8"}};
  return study.train(selected_by(study, arm, setting), own);
}

ArmResults results_of(Study& study, const Arm& arm, const std::string& space, const std::string& data) {
  ArmResults results;
  for (const std::int64_t seed : study.seeds()) {
    const Setting setting{space, data, seed};
    const std::string supernet = supernet_of(study, arm, setting),
                      selected = selected_by(study, arm, setting);
    const std::string trained = trained_by(study, arm, setting);
    if (const auto error = study.test_error(trained)) {
      results.errors.push_back(*error);
      results.parameters.push_back(*study.parameters(trained));
    }
    const auto search = study.hours(supernet), select = study.hours(selected);
    if (search && select) results.hours.push_back(*search + *select);
  }
  return results;
}

std::string measured_beside_paper(const std::vector<std::string>& series,
                                  const std::vector<std::string>& groups,
                                  const std::vector<std::vector<std::vector<double>>>& measured,
                                  const std::vector<std::vector<double>>& paper, const std::string& y_label) {
  BarPanel ours{"Measured", y_label, series, {}},
      theirs{"The paper's own numbers (its scale)", y_label, series, {}};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    BarGroup bars{groups[g], {}, {}};
    for (const std::vector<double>& values : measured[g]) {
      bars.values.push_back(values.empty() ? NAN : mean_of(values));
      bars.deviations.push_back(deviation_of(values));
    }
    ours.groups.push_back(bars);
    theirs.groups.push_back({groups[g], paper[g], std::vector<double>(paper[g].size(), 0.0)});
  }
  return draw_bars_svg({ours, theirs});
}

}  // namespace ptnas
