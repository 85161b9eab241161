// Section 2's reading of RobustDARTS: the dominant eigenvalue of the validation loss' Hessian by alpha over
// the search, and where its early stop would have ended it.

#include <algorithm>
#include <optional>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"
#include "ptnas/search/early_stop.h"

namespace ptnas {

namespace {

// The epoch after which the search would have been stopped; nullopt: it would not.
std::optional<double> would_stop_after(const std::vector<std::pair<double, double>>& measured,
                                       const SearchOptions& options) {
  std::vector<double> eigenvalues;
  for (const auto& [epoch, eigenvalue] : measured) {
    eigenvalues.push_back(eigenvalue);
    if (epoch >= static_cast<double>(options.hessian_from) && eigenvalue_has_risen(eigenvalues, options))
      return epoch;
  }
  return std::nullopt;
}

}  // namespace

Result make_hessian(Study& study) {
  const std::string& data = study.request().data.front();
  const std::string every = study.request().scale == "smoke" ? "1" : "2";
  ResultTable table{"hessian",
                    "Dominant eigenvalue over the search on S2",
                    {"seed", "first", "last", "largest", "early stop after epoch"},
                    {}};
  LinePanel panel{fmt::format("S2, {}", data_name(data)), "epoch", "dominant eigenvalue", {}};
  for (const std::int64_t seed : study.seeds()) {
    const std::string run = study.search({{"space", "s2"},
                                          {"data", data},
                                          {"seed", std::to_string(seed)},
                                          {"method", kDarts.method},
                                          {"hessian-every", every}});
    std::vector<std::pair<double, double>> measured;
    for (const Json& line : study.metrics(run)) {
      if (line.at("phase") == "search" && line.contains("hessian"))
        measured.emplace_back(line.at("epoch").get<double>() + 1, line.at("hessian").get<double>());
    }
    if (measured.empty()) continue;
    PlotSeries series{fmt::format("seed {}", seed), {}};
    double largest_eigenvalue_seen = measured.front().second;
    for (const auto& [epoch, eigenvalue] : measured) {
      series.points.push_back({epoch, eigenvalue, 0});
      largest_eigenvalue_seen = std::max(largest_eigenvalue_seen, eigenvalue);
    }
    panel.series.push_back(std::move(series));
    const auto stop = would_stop_after(measured, study.run(run).configuration.search);
    table.rows.push_back({text_cell(std::to_string(seed)), measured_cell({measured.front().second}, 4),
                          measured_cell({measured.back().second}, 4),
                          measured_cell({largest_eigenvalue_seen}, 4),
                          stop ? measured_cell({*stop}, 0) : text_cell("none")});
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back({"hessian",
                            "Dominant eigenvalue of the Hessian of the validation loss by alpha, every " +
                                every + " epochs of the search",
                            draw_lines_svg({panel})});
  return result;
}

}  // namespace ptnas
