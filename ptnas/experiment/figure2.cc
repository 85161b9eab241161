// Figure 2 (Section 3.1): on every edge of S2 the operation with the largest alpha, and the one with the
// highest discretization accuracy at convergence.

#include <functional>

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/discretized_edges.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/draw.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

constexpr const char *kByAlpha = "alpha_choice", *kByAccuracy = "best";

// The cell with all edges, each with its strongest operation by `key`.
std::string drawing(const Json& measurement, const char* key) {
  Genotype genotype;
  for (const Json& edge : measurement) {
    auto& cell = genotype.cells[edge.at("cell") == "normal" ? 0 : 1];
    const auto node = edge.at("node").get<std::size_t>();
    if (cell.size() <= node) cell.resize(node + 1);
    cell[node].push_back(
        {edge.at(key) == "skip_connect" ? OperationKind::kSkipConnect : OperationKind::kSepConv3x3,
         edge.at("from").get<int>()});
  }
  return draw_cell_svg(genotype, CellType::kNormal);
}

double count_edges(const Json& measurement, const char* cell, const std::function<bool(const Json&)>& holds) {
  double count = 0;
  for (const Json& edge : measurement) count += edge.at("cell") == cell && holds(edge) ? 1 : 0;
  return count;
}

ResultTable edge_counts(const std::vector<Json>& found) {
  const auto is = [](const char* key, const char* operation) {
    return [=](const Json& edge) { return edge.at(key) == operation; };
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
      skips.push_back(count_edges(measurement, cell, is(kByAlpha, "skip_connect")));
      convolutions.push_back(count_edges(measurement, cell, is(kByAccuracy, "sep_conv_3x3")));
      agreements.push_back(
          count_edges(measurement, cell, [](const Json& edge) { return edge.at("agree").get<bool>(); }));
    }
    const bool normal = std::string(cell) == "normal";
    table.rows.push_back({text_cell(cell), measured_cell(skips, 1), measured_cell(convolutions, 1),
                          measured_cell(agreements, 1), quoted_cell(normal ? "12 of 14" : ""),
                          quoted_cell(normal ? "half of the edges" : "")});
  }
  return table;
}

ResultTable every_edge(const std::vector<Json>& found) {
  ResultTable table{"figure2-edges",
                    "Every edge",
                    {"cell", "edge", "alpha of skip_connect", "accuracy as skip_connect (%)",
                     "accuracy as sep_conv_3x3 (%)"},
                    {}};
  for (std::size_t e = 0; !found.empty() && e < found.front().size(); ++e) {
    std::vector<double> alpha, skip, convolution;
    for (const Json& measurement : found) {
      const Json& operations = measurement.at(e).at("operations");  // S2: skip_connect, sep_conv_3x3
      alpha.push_back(operations.at(0).at("alpha").get<double>());
      skip.push_back(100 * operations.at(0).at("accuracy").get<double>());
      convolution.push_back(100 * operations.at(1).at("accuracy").get<double>());
    }
    const Json& edge = found.front().at(e);
    table.rows.push_back({text_cell(edge.at("cell").get<std::string>()),
                          text_cell(fmt::format("{}: {} to node {}", edge.at("edge").get<int>(),
                                                edge.at("from").get<int>(), edge.at("node").get<int>())),
                          measured_cell(alpha, 3), measured_cell(skip), measured_cell(convolution)});
  }
  return table;
}

}  // namespace

Result make_figure2(Study& study) {
  const std::string& data = study.request().data.front();
  std::vector<Json> found;
  for (const std::int64_t seed : study.seeds()) {
    const Json measurement = study.measurement(
        discretized_edges(study, supernet_of(study, kDarts, {"s2", data, seed}), kAllEdges));
    if (!measurement.is_null()) found.push_back(measurement);
  }
  std::vector<GridItem> items;
  if (!found.empty())
    items = {{"(a) largest alpha, first seed", drawing(found.front(), kByAlpha)},
             {"(b) highest discretization accuracy, first seed", drawing(found.front(), kByAccuracy)}};
  Result result;
  result.tables = {edge_counts(found), every_edge(found)};
  result.figures.push_back({"figure2",
                            "Normal cell of S2, every edge: the operation (a) with the largest alpha, (b) "
                            "with the highest validation accuracy when the edge alone is discretized to it "
                            "and the rest tuned; operations with weights are red",
                            draw_grid_svg(items, 2)});
  return result;
}

}  // namespace ptnas
