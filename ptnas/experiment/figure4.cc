// Figures 4 and 8 (Section 5.2, Appendix A.6): NAS-Bench-201, architectures selected from snapshots of the
// supernet along its search, looked up in the benchmark's table.

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

constexpr Nb201Dataset kDatasets[] = {Nb201Dataset::kCifar10, Nb201Dataset::kCifar100,
                                      Nb201Dataset::kImageNet16_120};

struct Trajectory {
  Arm arm;
  std::vector<std::int64_t> epochs;
  std::vector<std::vector<double>> accuracies[3];  // by data set, epoch, seed
};

// Every snapshot of the search and its end.
std::vector<std::int64_t> snapshots(const Study& study, const std::string& supernet) {
  const SearchOptions& search = study.run(supernet).configuration.search;
  std::vector<std::int64_t> epochs;
  for (std::int64_t e = search.snapshot_every; search.snapshot_every > 0 && e < search.epochs;
       e += search.snapshot_every)
    epochs.push_back(e);
  epochs.push_back(search.epochs);
  return epochs;
}

Trajectory follow(Study& study, const Arm& arm) {
  Trajectory trajectory{arm, {}, {}};
  const std::string& data = study.request().data.front();
  for (const std::int64_t seed : study.seeds()) {
    const Setting setting{"nb201", data, seed};
    const std::string supernet = supernet_of(study, arm, setting);
    trajectory.epochs = snapshots(study, supernet);
    const std::int64_t last = trajectory.epochs.back();
    for (auto& by_epoch : trajectory.accuracies) by_epoch.resize(trajectory.epochs.size());
    for (std::size_t e = 0; e < trajectory.epochs.size(); ++e) {
      OptionValues own;
      if (trajectory.epochs[e] != last) own["from-epoch"] = std::to_string(trajectory.epochs[e]);
      // A random architecture does not depend on the supernet.
      const std::string selected =
          selected_by(study, arm, setting, arm.selection == "random" ? OptionValues() : own);
      for (std::size_t d = 0; d < 3; ++d)
        if (const auto accuracy = study.stored_accuracy(selected, kDatasets[d]))
          trajectory.accuracies[d][e].push_back(*accuracy);
    }
  }
  return trajectory;
}

Result trajectories(Study& study, const std::string& name, const std::vector<Arm>& arms,
                    const std::string& caption) {
  Result result;
  std::vector<Trajectory> found;
  for (const Arm& arm : arms) found.push_back(follow(study, arm));
  std::vector<LinePanel> panels;
  ResultTable table{name,
                    "Test accuracy (%) in NAS-Bench-201 after 200 epochs",
                    {"selection", "epoch", "cifar10", "cifar100", "ImageNet16-120"},
                    {}};
  for (const Trajectory& t : found) {
    for (std::size_t e = 0; e < t.epochs.size(); ++e) {
      std::vector<ResultCell> row = {text_cell(t.arm.name), text_cell(std::to_string(t.epochs[e]))};
      for (const auto& by_epoch : t.accuracies) row.push_back(measured_cell(by_epoch[e]));
      table.rows.push_back(std::move(row));
    }
  }
  for (std::size_t d = 0; d < 3; ++d) {
    LinePanel panel{std::string(name_of(kDatasets[d])), "search epochs", "test accuracy (%)", {}};
    for (const Trajectory& t : found) {
      PlotSeries series{t.arm.name, {}};
      for (std::size_t e = 0; e < t.epochs.size(); ++e) {
        const auto& values = t.accuracies[d][e];
        if (!values.empty())
          series.points.push_back({static_cast<double>(t.epochs[e]), mean_of(values), deviation_of(values)});
      }
      panel.series.push_back(std::move(series));
    }
    panels.push_back(std::move(panel));
    for (std::size_t a = 1; a < found.size(); ++a) {
      result.findings.push_back(comparison(
          std::string(name_of(kDatasets[d])) + ", end of the search", found[0].arm.name,
          found[0].accuracies[d].back(), found[a].arm.name, found[a].accuracies[d].back(), false,
          d == 0 ? "Table 4 has test errors of 45.7 for DARTS, 11.89 for DARTS+PT and 6.20 with alpha fixed"
                 : "the paper shows curves without numbers"));
    }
  }
  result.tables.push_back(std::move(table));
  result.figures.push_back({name, caption, draw_lines_svg(panels)});
  return result;
}

}  // namespace

Result make_figure4(Study& study) {
  return trajectories(study, "figure4", {kDartsPt, kDarts, kRandom},
                      "Test accuracy of the architecture selected after so many epochs of the search, by "
                      "perturbation, by alpha and at random; mean and deviation over the seeds. "
                      "The paper's figure gives no numbers but those of its Table 4 at the end.");
}

Result make_figure8(Study& study) {
  const Arm random{"random", "fixed-alpha", "random"};
  return trajectories(study, "figure8", {kFixedPt, random},
                      "The same with alpha fixed at 0: perturbation and random architectures. The paper's "
                      "figure gives no numbers but that of its Table 4 at the end.");
}

}  // namespace ptnas
