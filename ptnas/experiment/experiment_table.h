#pragma once

#include <string>
#include <vector>

#include "ptnas/experiment/study.h"
#include "ptnas/report/result.h"

namespace ptnas {

/// An experiment: a table or figure of the paper as one function that asks a Study for runs and makes of what
/// they have found a Result (tables, figures, comparisons).
struct Experiment {
  std::string name;
  std::string title;  ///< one sentence
  Result (*make)(Study& study);
  bool needs_table = false;  ///< NAS-Bench-201's stored results, for all or some of its numbers
};

/// In the paper's order. To add one: a file, its declaration below and a line in experiment_table.cc.
const std::vector<Experiment>& experiments();
/// Throws Error(kUsage) for an unknown name.
const Experiment& find_experiment(const std::string& name);

// One file each.
Result make_figure1(Study& study);
Result make_table1(Study& study);
Result make_figure2(Study& study);
Result make_figure3(Study& study);
Result make_proposition1(Study& study);
Result make_figure7(Study& study);
Result make_hessian(Study& study);
Result make_table2(Study& study);
Result make_figure4(Study& study);
Result make_table3(Study& study);
Result make_figure5(Study& study);
Result make_figure6(Study& study);
Result make_table4(Study& study);
Result make_pt_mag(Study& study);
Result make_figure8(Study& study);
Result make_table5(Study& study);
Result make_figure9(Study& study);
Result make_figures10_24(Study& study);

}  // namespace ptnas
