#include "ptnas/experiment/experiment_table.h"

#include "ptnas/core/error.h"

namespace ptnas {

// One line an experiment.
const std::vector<Experiment>& experiments() {
  static const std::vector<Experiment> table = {
      {"hessian",
       "S2: dominant eigenvalue of the validation loss' Hessian by alpha over the search, early stop "
       "(Section 2)",
       make_hessian},
      {"figure1", "DARTS space, 3 random edges: alpha against discretization accuracy (Section 3.1)",
       make_figure1},
      {"figure2",
       "S2, every edge: the operation by alpha and by discretization accuracy at convergence (Section 3.1)",
       make_figure2},
      {"table1", "VGG, ResNet, DARTS supernet: layers or edges change places at test time (Section 3.2)",
       make_table1},
      {"figure3", "Gap of skip's and convolutions' weight against the supernet's accuracy (Section 3.2)",
       make_figure3},
      {"proposition1", "Variances in trained supernets, the optimal alpha and the learned one (Section 3.2)",
       make_proposition1},
      {"table2",
       "DARTS, SDARTS-RS and SGAS on the DARTS space, with and without perturbation, retrained (Section 5.1)",
       make_table2},
      {"figure4",
       "NAS-Bench-201: architectures along the search by alpha, by perturbation and at random (Section 5.2)",
       make_figure4, true},
      {"table3",
       "S1 to S4 by data set: DARTS, DARTS+PT, DARTS+PT with alpha fixed, retrained (Sections 6.1, 6.3)",
       make_table3},
      {"figure5", "Normal cells found on S2 and S4 by alpha, by perturbation and at random (Section 6.1)",
       make_figure5},
      {"figure6", "S2: validation accuracy through the selection, PT and PT-Mag (Section 6.2)", make_figure6},
      {"pt-mag", "DARTS space: PT against PT-Mag, retrained (Section 6.2)", make_pt_mag},
      {"table4", "DARTS space and NAS-Bench-201: DARTS, DARTS+PT, DARTS+PT with alpha fixed (Section 6.3)",
       make_table4, true},
      {"figure7", "DARTS space, an edge of each seed's supernet: as figure1 (Appendix A.5)", make_figure7},
      {"figure8", "NAS-Bench-201: architectures along a search with alpha fixed (Appendix A.6)", make_figure8,
       true},
      {"table5", "The architectures of Table 2 on ImageNet, mobile setting (Appendix A.8)", make_table5},
      {"figure9", "NAS-Bench-201: perturbation by epochs of tuning (Appendix A.7)", make_figure9, true},
      {"figures10-24", "The cells found, by method, space and data set (Appendix A.9)", make_figures10_24},
  };
  return table;
}

const Experiment& find_experiment(const std::string& name) {
  std::string names;
  for (const Experiment& experiment : experiments()) {
    if (experiment.name == name) return experiment;
    names += (names.empty() ? "" : ", ") + experiment.name;
  }
  fail_usage("there is no experiment `{}`; there are {}", name, names);
}

}  // namespace ptnas
