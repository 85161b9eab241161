// Figure 5 (Section 6.1) and Figures 10 to 24 (Appendix A.9): the cells found, side by side.

#include "ptnas/experiment/arms.h"
#include "ptnas/experiment/experiment_table.h"
#include "ptnas/report/draw.h"
#include "ptnas/report/plot.h"

namespace ptnas {

namespace {

// Numbers of operations with weights of their own, of skip connections and of noise among a cell's edges.
struct Counts {
  double weighted = 0, skips = 0, noise = 0;
};
Counts count(const Genotype& genotype, CellType type) {
  Counts counts;
  for (const auto& node : genotype.of(type)) {
    for (const GenotypeEdge& edge : node) {
      const std::string name(name_of(edge.operation));
      if (name.find("conv_") != name.npos && name != "skip_connect") ++counts.weighted;
      if (name == "skip_connect") ++counts.skips;
      if (name == "noise") ++counts.noise;
    }
  }
  return counts;
}

struct CellRow {
  std::string figure;  ///< the paper's, where it has one
  Arm arm;
  std::string space, data;
};

ResultTable cells_table(const std::string& name) {
  return {name,
          "Operations in the cells found",
          {"figure", "method", "space", "data", "cell", "with weights", "skip_connect", "noise"},
          {}};
}

// Adds the row's drawings (of the first seed) and counts (over the seeds).
void add_cells(Study& study, const CellRow& row, const std::vector<CellType>& types, ResultTable& table,
               std::vector<GridItem>& items) {
  for (const CellType type : types) {
    std::vector<double> weighted, skips, noise;
    for (const std::int64_t seed : study.seeds()) {
      const auto genotype = study.genotype(selected_by(study, row.arm, {row.space, row.data, seed}));
      if (!genotype) continue;
      const Counts counts = count(*genotype, type);
      weighted.push_back(counts.weighted), skips.push_back(counts.skips), noise.push_back(counts.noise);
      if (weighted.size() == 1)
        items.push_back({fmt::format("{}, {}, {}, {} cell, seed {}", row.arm.name, row.space,
                                     data_name(row.data), name_of(type), seed),
                         draw_cell_svg(*genotype, type)});
    }
    table.rows.push_back({text_cell(row.figure), text_cell(row.arm.name), text_cell(row.space),
                          text_cell(data_name(row.data)), text_cell(std::string(name_of(type))),
                          measured_cell(weighted, 1), measured_cell(skips, 1), measured_cell(noise, 1)});
  }
}

}  // namespace

Result make_figure5(Study& study) {
  ResultTable table = cells_table("figure5");
  table.columns.push_back("paper");
  std::vector<GridItem> items;
  for (const char* space : {"s2", "s4"}) {
    if (!study.wants(space)) continue;
    for (const Arm& arm : {kDarts, kDartsPt, kRandom}) {
      add_cells(study, {"5", arm, space, study.request().data.front()}, {CellType::kNormal}, table, items);
      const bool pt = arm.selection == "perturbation", random = arm.selection == "random",
                 s2 = std::string(space) == "s2";
      table.rows.back().push_back(quoted_cell(random ? ""
                                              : s2 ? (pt ? "4 convolutions" : "filled with skip connections")
                                              : pt ? "favours sep_conv_3x3"
                                                   : "alpha selects noise"));
    }
  }
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back({"figure5",
                            "Normal cells found on S2 and S4, first seed: by alpha (DARTS), by perturbation "
                            "(DARTS+PT) and at random; operations with weights are red",
                            draw_grid_svg(items, 3)});
  return result;
}

Result make_figures10_24(Study& study) {
  const std::vector<std::string>& data = study.request().data;
  std::vector<CellRow> rows = {{"10", kDartsPt, "darts", data.front()},
                               {"11", {"SDARTS-RS+PT", "sdarts-rs", "perturbation"}, "darts", data.front()},
                               {"12", {"SGAS+PT", "sgas", "perturbation"}, "darts", data.front()}};
  for (const std::string& set : data) {
    const std::string name = data_name(set);
    const int first = name == "cifar10" ? 13 : name == "cifar100" ? 17 : name == "svhn" ? 21 : 0;
    for (int s = 0; s < 4; ++s)
      rows.push_back({first > 0 ? std::to_string(first + s) : "", kDartsPt, fmt::format("s{}", s + 1), set});
  }
  ResultTable table = cells_table("figures10-24");
  std::vector<GridItem> items;
  for (const CellRow& row : rows)
    if (study.wants(row.space))
      add_cells(study, row, {CellType::kNormal, CellType::kReduction}, table, items);
  Result result;
  result.tables.push_back(std::move(table));
  result.figures.push_back({"figures10-24",
                            "Normal and reduction cells found by perturbation, first seed; operations with "
                            "weights are red. The paper's figures are drawings without numbers.",
                            draw_grid_svg(items, 2)});
  return result;
}

}  // namespace ptnas
