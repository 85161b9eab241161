#include "ptnas/report/figures.h"

#include <fmt/format.h>

#include "ptnas/report/draw.h"

namespace ptnas {

std::string figure_html(const std::string& svg, const std::string& caption) {
  return fmt::format(
      "<figure class=\"drawing\"><div class=\"paper\" tabindex=\"0\" role=\"group\" aria-label=\"{1}\">{0}"
      "</div><figcaption>{1}</figcaption></figure>\n",
      svg, caption);
}

std::string cell_figures_html(const Genotype& genotype, const std::string& of) {
  std::string html = "<div class=\"pair\">\n";
  for (const CellType type : searched_cells(genotype.family)) {
    const char* which = type == CellType::kReduction              ? "Reduction cell"
                        : genotype.family == Family::kNasBench201 ? "The cell"
                                                                  : "Normal cell";
    html += figure_html(draw_cell_svg(genotype, type), std::string(which) + of);
  }
  return html + "</div>\n";
}

}  // namespace ptnas
