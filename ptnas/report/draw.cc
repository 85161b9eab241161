#include "ptnas/report/draw.h"

#include <graphviz/gvc.h>

#include <algorithm>
#include <cstdio>
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

// NAS-Bench-201 numbers all states, the input first.
std::string state_name(Family family, int state) {
  if (family == Family::kNasBench201) return std::to_string(state);
  if (state == 0) return "c_{k-2}";
  if (state == 1) return "c_{k-1}";
  return std::to_string(state - 2);
}

// An edge without an operation is there in NAS-Bench-201, and hardly to be seen.
std::string style_of(const GenotypeEdge& edge, Family family) {
  if (family == Family::kNasBench201 && edge.operation == OperationKind::kNone)
    return "color=\"#bbbbbb\", fontcolor=\"#999999\", style=dotted";
  const char* colour = is_parameterised(edge.operation) ? kRed : kInk;
  return fmt::format("color=\"{0}\", fontcolor=\"{0}\"", colour);
}

// Inputs, and the output where it is no node.
std::string outer_dot(Family family) {
  if (family == Family::kNasBench201) return R"("0" [fillcolor="#c6e3c6"];)";
  return R"("c_{k-2}" [fillcolor="#c6e3c6"]; "c_{k-1}" [fillcolor="#c6e3c6"]; "c_{k}" [fillcolor="#efe3b0"];)";
}

// Operation names and states are ours: nothing in the text needs quoting.
std::string cell_dot(Family family, const std::vector<std::vector<GenotypeEdge>>& cell) {
  const auto node_name = [&](std::size_t node) {
    return state_name(family, input_count(family) + static_cast<int>(node));
  };
  const auto is_output = [&](std::size_t node) {
    return family == Family::kNasBench201 && node + 1 == cell.size();
  };
  std::string dot =
      "digraph cell { rankdir=LR; bgcolor=transparent; nodesep=0.25; ranksep=0.5;"
      "node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=13, height=0.45, "
      "width=0.45, color=\"#777777\"];"
      "edge [fontname=\"Helvetica\", fontsize=11, arrowsize=0.7];";
  dot += outer_dot(family);
  for (std::size_t node = 0; node < cell.size(); ++node)
    dot +=
        fmt::format("\"{}\" [fillcolor=\"{}\"];", node_name(node), is_output(node) ? "#efe3b0" : "#c9dcf2");
  for (std::size_t node = 0; node < cell.size(); ++node) {
    for (const GenotypeEdge& edge : cell[node]) {
      dot += fmt::format("\"{}\" -> \"{}\" [label=\"{}\", {}];", state_name(family, edge.from),
                         node_name(node), name_of(edge.operation), style_of(edge, family));
    }
  }
  for (std::size_t node = 0; node < cell.size() && family == Family::kDarts; ++node) {
    dot += fmt::format("\"{}\" -> \"c_{{k}}\" [color=\"#999999\", style=dashed];", node_name(node));
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

// Removes every `name="..."` of an attribute: several drawings share a page, so none may bring ids.
void remove_attribute(std::string& svg, const std::string& name) {
  const std::string start = " " + name + "=\"";
  for (std::size_t at = svg.find(start); at != std::string::npos; at = svg.find(start, at)) {
    svg.erase(at, svg.find('"', at + start.size()) + 1 - at);
  }
}

// Width and height from the viewBox "0.00 0.00 w h".
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
  validate(genotype, "the genotype to draw");
  std::string svg = render(cell_dot(genotype.family, genotype.of(type)));
  remove_attribute(svg, "id");
  svg.insert(4, fmt::format(" role=\"img\" aria-label=\"The {} cell\"", name_of(type)));
  return svg;
}

std::string draw_genotype_svg(const Genotype& genotype) {
  constexpr double kTitle = 24;
  std::string body;
  double width = 0, top = 0;
  for (const CellType type : searched_cells(genotype.family)) {
    std::string svg = draw_cell_svg(genotype, type);
    const auto [cell_width, cell_height] = size_of(svg);
    body +=
        fmt::format("<text x=\"6\" y=\"{:.0f}\" font-family=\"Helvetica\" font-size=\"14\">{} cell</text>\n",
                    top + 16, name_of(type));
    remove_attribute(svg, "width");
    remove_attribute(svg, "height");
    svg.insert(4, fmt::format(" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\"", top + kTitle, cell_width,
                              cell_height));
    body += svg;
    width = std::max(width, cell_width);
    top += kTitle + cell_height;
  }
  // One unit of the drawings is a point.
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{0:.0f}pt\" height=\"{1:.0f}pt\" viewBox=\"0 0 "
      "{0:.0f} {1:.0f}\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{2}</svg>\n",
      width, top, body);
}

std::string draw_network_svg(const NetworkShape& shape, Family family, int nodes, bool auxiliary) {
  constexpr int kStep = 42, kBox = 28, kMiddle = 62;
  const int cells = cell_count(family, shape.cells);
  const int width = (cells + 2) * kStep + 12, whole = auxiliary ? 142 : 112;
  const char* reduction_name = family == Family::kDarts ? "red." : "res.";
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "role=\"img\" aria-label=\"The network: stem, {2} cells, classifier\" "
      "font-family=\"system-ui, sans-serif\" font-size=\"10\">",
      width, whole, cells);
  int x = 6, channels = shape.channels, height = shape.height, image_width = shape.width;
  const auto text = [&](int y, const std::string& content) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#333\">{}</text>", x + kBox / 2,
                       y, content);
  };
  const auto box = [&](const char* fill, const std::string& label, int box_height) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{}\" stroke=\"#777\"/>", x,
        kMiddle - box_height / 2, kBox, box_height, fill);
    text(106, label);
  };
  box("#efe3b0", "stem", 60);
  x += kStep;
  if (shape.stem == StemKind::kImageNet) {  // three convolutions of stride 2
    height = (height + 7) / 8;
    image_width = (image_width + 7) / 8;
  }
  const int first_height = height;
  for (int i = 0; i < cells; ++i, x += kStep) {
    const bool reduction = is_reduction_cell(i, cells);
    if (reduction) {
      channels *= 2;
      height = (height + 1) / 2;
      image_width = (image_width + 1) / 2;
    }
    if (i == 0 || reduction) {
      text(11, fmt::format("{}\u00d7{}", height, image_width));
      text(23, fmt::format("{} ch.", output_nodes(family, nodes) * channels));
    }
    box(reduction ? "#f0c3a8" : "#c9dcf2", reduction ? reduction_name : std::to_string(i),
        std::max(18, 60 * height / first_height));
    if (auxiliary && i == 2 * cells / 3) {
      svg += fmt::format("<path d=\"M{0} 110v12\" stroke=\"#777\"/>", x + kBox / 2);
      text(134, "auxiliary");
    }
  }
  box("#c6e3c6", "linear", 24);
  return svg + "</svg>";
}

}  // namespace ptnas
