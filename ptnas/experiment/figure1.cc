// Figures 1 and 7 (Section 3.1, Appendix A.5): alpha beside the discretization accuracy at convergence of
// every operation on random edges, of one supernet or of several.

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/discretized_edges.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

std::string edge_title(const Json& edge, std::int64_t seed) {
  return fmt::format("{} edge {} ({} to node {}), seed {}", edge.at("cell").get<std::string>(),
                     edge.at("edge").get<int>(), edge.at("from").get<int>(), edge.at("node").get<int>(),
                     seed);
}

Result alpha_against_accuracy(Study& study, const std::string& name, std::int64_t edges) {
  const std::string& data = study.request().data.front();
  ResultTable table{name,
                    "Every operation of the edges",
                    {"edge", "operation", "softmax weight", "accuracy when discretized to it (%)"},
                    {}};
  ResultTable summary{fmt::format("{}-edges", name),
                      "Whether alpha ranks as the accuracy does",
                      {"edge", "rank correlation", "alpha's choice", "the best"},
                      {}};
  std::vector<BarPanel> panels;
  for (const std::int64_t seed : study.seeds()) {
    const Json found =
        study.measurement(discretized_edges(study, supernet_of(study, kDarts, {"darts", data, seed}), edges));
    if (found.is_null()) continue;
    for (const Json& edge : found) {
      const std::string title = edge_title(edge, seed);
      BarPanel panel{title, "%", {"softmax weight (%)", "accuracy (%)"}, {}};
      for (const Json& one : edge.at("operations")) {
        const double alpha = one.at("alpha").get<double>(), accuracy = 100 * one.at("accuracy").get<double>();
        const std::string operation = one.at("operation").get<std::string>();
        table.rows.push_back(
            {text_cell(title), text_cell(operation), measured_cell({alpha}, 4), measured_cell({accuracy})});
        panel.groups.push_back({operation, {100 * alpha, accuracy}, {0, 0}});
      }
      panels.push_back(std::move(panel));
      const Json& correlation = edge.at("rank_correlation");
      summary.rows.push_back({text_cell(title),
                              measured_cell(correlation.is_null() ? std::vector<double>()
                                                                  : std::vector{correlation.get<double>()}),
                              text_cell(edge.at("alpha_choice").get<std::string>()),
                              text_cell(edge.at("best").get<std::string>())});
    }
  }
  Result result;
  result.tables = {std::move(summary), std::move(table)};
  result.figures.push_back(
      {name,
       "Softmax weight and validation accuracy of each operation when the edge is discretized "
       "to it and the rest tuned; the paper's figure gives no numbers in its text",
       draw_bars_svg(panels)});
  return result;
}

}  // namespace

Result make_figure1(Study& study) { return alpha_against_accuracy(study, "figure1", 3); }
// One random edge of each seed's supernet; the paper has six.
Result make_figure7(Study& study) { return alpha_against_accuracy(study, "figure7", 1); }

}  // namespace ptnas
