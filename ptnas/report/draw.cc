#include "ptnas/report/draw.h"

#include <graphviz/gvc.h>

#include <memory>
#include <mutex>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

constexpr const char* kRed = "#c0262d";  // parameterised operations
constexpr const char* kInk = "#333333";

bool is_parameterised(OperationKind kind) {
  for (const OperationInfo& info : operation_table()) {
    if (info.kind == kind) return info.parameterised;
  }
  return false;
}

std::string state_name(int state) {
  if (state == 0) return "c_{k-2}";
  if (state == 1) return "c_{k-1}";
  return std::to_string(state - 2);
}

// Operation names and states are ours: nothing in the text needs quoting.
std::string cell_dot(const std::vector<std::vector<GenotypeEdge>>& cell) {
  std::string dot =
      "digraph cell { rankdir=LR; bgcolor=transparent; nodesep=0.25; ranksep=0.5;"
      "node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=13, height=0.45, "
      "width=0.45, color=\"#777777\"];"
      "edge [fontname=\"Helvetica\", fontsize=11, arrowsize=0.7];";
  dot +=
      R"("c_{k-2}" [fillcolor="#c6e3c6"]; "c_{k-1}" [fillcolor="#c6e3c6"]; "c_{k}" [fillcolor="#efe3b0"];)";
  for (std::size_t node = 0; node < cell.size(); ++node)
    dot += fmt::format("\"{}\" [fillcolor=\"#c9dcf2\"];", node);
  for (std::size_t node = 0; node < cell.size(); ++node) {
    for (const GenotypeEdge& edge : cell[node]) {
      const char* colour = is_parameterised(edge.operation) ? kRed : kInk;
      dot += fmt::format("\"{}\" -> \"{}\" [label=\"{}\", color=\"{}\", fontcolor=\"{}\"];",
                         state_name(edge.from), node, name_of(edge.operation), colour, colour);
    }
  }
  for (std::size_t node = 0; node < cell.size(); ++node) {
    dot += fmt::format("\"{}\" -> \"c_{{k}}\" [color=\"#999999\", style=dashed];", node);
  }
  return dot + "}";
}

std::string render(const std::string& dot) {
  static std::mutex mutex;  // Graphviz is not thread-safe
  const std::lock_guard lock(mutex);
  const std::unique_ptr<GVC_t, decltype(&gvFreeContext)> context(gvContext(), gvFreeContext);
  Agraph_t* graph = agmemread(dot.c_str());
  if (!context || graph == nullptr) fail("Graphviz cannot read the cell to draw");
  char* data = nullptr;
  unsigned length = 0;
  const bool drawn = gvLayout(context.get(), graph, "dot") == 0 &&
                     gvRenderData(context.get(), graph, "svg", &data, &length) == 0;
  std::string svg = drawn ? std::string(data, length) : "";
  if (data != nullptr) gvFreeRenderData(data);
  gvFreeLayout(context.get(), graph);
  agclose(graph);
  const std::size_t start = svg.find("<svg");
  if (start == std::string::npos) fail("Graphviz cannot draw the cell; is its package (libgvc6) whole?");
  return svg.substr(start);
}

// Width and height in points from the viewBox "0.00 0.00 w h".
std::pair<double, double> size_of(const std::string& svg) {
  double width = 0, height = 0;
  const std::size_t box = svg.find("viewBox=\"");
  if (box == std::string::npos ||
      std::sscanf(svg.c_str() + box, "viewBox=\"%*f %*f %lf %lf", &width, &height) != 2) {
    fail("Graphviz drew a cell without a size");
  }
  return {width, height};
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string draw_cell_svg(const Genotype& genotype, CellType type) {
  return render(cell_dot(genotype.of(type)));
}

std::string draw_genotype_svg(const Genotype& genotype) {
  constexpr double kTitle = 24;
  std::string body;
  double width = 0, top = 0;
  for (const CellType type : kCellTypes) {
    std::string svg = draw_cell_svg(genotype, type);
    const auto [cell_width, cell_height] = size_of(svg);
    body +=
        fmt::format("<text x=\"6\" y=\"{:.0f}\" font-family=\"Helvetica\" font-size=\"14\">{} cell</text>\n",
                    top + 16, name_of(type));
    svg.insert(4, fmt::format(" y=\"{:.0f}\"", top + kTitle));
    body += svg;
    width = std::max(width, cell_width);
    top += kTitle + cell_height;
  }
  // The nested drawings' sizes are in points; so are the outer one's.
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{0:.0f}pt\" height=\"{1:.0f}pt\" viewBox=\"0 0 "
      "{2:.0f} {3:.0f}\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{4}</svg>\n",
      width, top, width * 4 / 3, top * 4 / 3, body);
}

std::string draw_network_svg(const NetworkShape& shape, int nodes) {
  constexpr int kStep = 34, kHeight = 96;
  const int width = (shape.cells + 3) * kStep + 40;
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" aria-label=\"The network: stem, {} cells, "
      "classifier\" "
      "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui, sans-serif\" font-size=\"10\">",
      width, kHeight, width, shape.cells);
  int x = 6, channels = shape.channels, height = shape.height, column = 0;
  const auto box = [&](const char* fill, const std::string& label, int box_height) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"26\" height=\"{}\" rx=\"4\" fill=\"{}\" stroke=\"#777\"/>", x,
        48 - box_height / 2, box_height, fill);
    svg +=
        fmt::format("<text x=\"{}\" y=\"92\" text-anchor=\"middle\" fill=\"#333\">{}</text>", x + 13, label);
    x += kStep;
    ++column;
  };
  box("#efe3b0", "stem", 60);
  for (int i = 0; i < shape.cells; ++i) {
    const bool reduction = is_reduction_cell(i, shape.cells);
    if (reduction) {
      channels *= 2;
      height = (height + 1) / 2;
    }
    const bool first_of_size = i == 0 || reduction;
    if (first_of_size) {
      svg += fmt::format("<text x=\"{}\" y=\"12\" fill=\"#333\">{}x{}, {} channels</text>", x, height, height,
                         nodes * channels);
    }
    box(reduction ? "#f0c3a8" : "#c9dcf2", reduction ? "red." : std::to_string(i),
        std::max(18, 60 * height / shape.height));
  }
  box("#c6e3c6", "linear", 24);
  return svg + "</svg>";
}

}  // namespace ptnas
