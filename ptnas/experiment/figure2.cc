// Figure 2 (Section 3.1): on every edge of S2 the operation with the largest alpha, and the one with the
// highest discretization accuracy at convergence.

#include <algorithm>
#include <map>

#include "ptnas/analysis/edge_strength.h"
#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/draw.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

std::size_t largest(const Json& values) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i].get<double>() > values[best].get<double>()) best = i;
  return best;
}

// The cell with all edges, each with its strongest operation by `key`.
std::string drawing(const Json& measurement, const char* key) {
  Genotype genotype;
  for (const Json& edge : measurement.at("edges")) {
    auto& cell = genotype.cells[edge.at("cell") == "normal" ? 0 : 1];
    const auto node = edge.at("node").get<std::size_t>();
    if (cell.size() <= node) cell.resize(node + 1);
    const std::string operation = edge.at("operations").at(largest(edge.at(key))).get<std::string>();
    cell[node].push_back(
        {operation == "skip_connect" ? OperationKind::kSkipConnect : OperationKind::kSepConv3x3,
         edge.at("from").get<int>()});
  }
  return draw_cell_svg(genotype, CellType::kNormal);
}

double share(const Json& measurement, const char* cell, const std::function<bool(const Json&)>& holds) {
  double count = 0;
  for (const Json& edge : measurement.at("edges")) count += edge.at("cell") == cell && holds(edge) ? 1 : 0;
  return count;
}

}  // namespace

Result make_figure2(Study& study) {
  const std::string& data = study.request().data.front();
  std::vector<Json> found;
  for (const std::int64_t seed : study.seeds()) {
    const Json measurement = study.measurement(study.measure(
        supernet_of(study, kDarts, {"s2", data, seed}), "edge-strength", {}, [](const MeasureContext& c) {
          return measure_edge_strengths(c.supernet, c.run, c.dataset, c.configuration);
        }));
    if (!measurement.is_null()) found.push_back(measurement);
  }
  const auto is = [](const char* key, const char* operation) {
    return [=](const Json& edge) { return edge.at("operations").at(largest(edge.at(key))) == operation; };
  };
  const auto agrees = [](const Json& edge) {
    return largest(edge.at("alpha")) == largest(edge.at("accuracy"));
  };
  ResultTable table{
      "figure2",
      "Edges of S2, by cell",
      {"cell", "alpha prefers skip_connect", "discretization prefers sep_conv_3x3", "both agree",
       "paper: alpha prefers skip_connect", "paper: discretization prefers sep_conv_3x3"},
      {}};
  for (const char* cell : {"normal", "reduction"}) {
    std::vector<double> skips, convolutions, agreements;
    for (const Json& measurement : found) {
      skips.push_back(share(measurement, cell, is("alpha", "skip_connect")));
      convolutions.push_back(share(measurement, cell, is("accuracy", "sep_conv_3x3")));
      agreements.push_back(share(measurement, cell, agrees));
    }
    const bool normal = std::string(cell) == "normal";
    table.rows.push_back({text_cell(cell), measured_cell(skips, 1), measured_cell(convolutions, 1),
                          measured_cell(agreements, 1), quoted_cell(normal ? "12 of 14" : ""),
                          quoted_cell(normal ? "half of the edges" : "")});
  }
  ResultTable edges{"figure2-edges",
                    "Every edge",
                    {"cell", "edge", "alpha of skip_connect", "accuracy as skip_connect (%)",
                     "accuracy as sep_conv_3x3 (%)"},
                    {}};
  if (!found.empty()) {
    for (std::size_t e = 0; e < found.front().at("edges").size(); ++e) {
      std::vector<double> alpha, skip, convolution;
      for (const Json& measurement : found) {
        const Json& edge = measurement.at("edges").at(e);
        alpha.push_back(edge.at("alpha").at(0).get<double>());
        skip.push_back(100 * edge.at("accuracy").at(0).get<double>());
        convolution.push_back(100 * edge.at("accuracy").at(1).get<double>());
      }
      const Json& edge = found.front().at("edges").at(e);
      edges.rows.push_back({text_cell(edge.at("cell").get<std::string>()),
                            text_cell(fmt::format("{}: {} to node {}", edge.at("edge").get<int>(),
                                                  edge.at("from").get<int>(), edge.at("node").get<int>())),
                            measured_cell(alpha, 3), measured_cell(skip), measured_cell(convolution)});
    }
  }
  Result result;
  std::vector<GridItem> items;
  if (!found.empty())
    items = {{"(a) largest alpha, first seed", drawing(found.front(), "alpha")},
             {"(b) highest discretization accuracy, first seed", drawing(found.front(), "accuracy")}};
  result.tables = {std::move(table), std::move(edges)};
  result.figures.push_back({"figure2",
                            "Normal cell of S2, every edge: the operation (a) with the largest alpha, (b) "
                            "with the highest validation accuracy when the edge alone is discretized to it "
                            "and the rest tuned; operations with weights are red",
                            draw_grid_svg(items, 2)});
  return result;
}

}  // namespace ptnas
