#pragma once

#include <string>
#include <vector>

#include "ptnas/experiment/study.h"
#include "ptnas/report/result.h"

namespace ptnas {

/// A way from images to an architecture, under the name that tables give it: how the supernet is trained and
/// how is selected from it.
struct Arm {
  std::string name, method, selection;
};
inline const Arm kDarts = {"DARTS", "darts", "magnitude"};
inline const Arm kDartsPt = {"DARTS+PT", "darts", "perturbation"};
inline const Arm kDartsPtMag = {"DARTS+PT-Mag", "darts", "magnitude-progressive"};
inline const Arm kFixedPt = {"DARTS+PT (fix alpha)", "fixed-alpha", "perturbation"};
inline const Arm kRandom = {"random", "darts", "random"};

/// Where: a space, a data set, a seed.
struct Setting {
  std::string space, data;
  std::int64_t seed = 0;
};

// The runs of an arm in a setting; names of runs, as Study returns them.
std::string supernet_of(Study& study, const Arm& arm, const Setting& setting);
std::string selected_by(Study& study, const Arm& arm, const Setting& setting, const OptionValues& own = {});
/// Retrained by the space's recipe at this scale; CIFAR-100 and SVHN in the study of S1 to S4 with C = 16 and
/// 8 cells at the paper's (FACTS, Retraining).
std::string trained_by(Study& study, const Arm& arm, const Setting& setting);

/// Test errors of an arm's retrained networks over the seeds that have finished, and of each network its
/// parameters (millions) and the hours of its search and selection.
struct ArmResults {
  std::vector<double> errors, parameters, hours;
};
ArmResults results_of(Study& study, const Arm& arm, const std::string& space, const std::string& data);

/// Bars of measured means beside a panel of the paper's numbers (NaN: it has none).
std::string measured_beside_paper(const std::vector<std::string>& series,
                                  const std::vector<std::string>& groups,
                                  const std::vector<std::vector<std::vector<double>>>& measured,
                                  const std::vector<std::vector<double>>& paper, const std::string& y_label);

/// The data set's name without its place.
std::string data_name(const std::string& data);

}  // namespace ptnas
