#include "ptnas/report/report.h"

#include <charconv>
#include <cstdlib>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/report/draw.h"
#include "ptnas/report/figures.h"
#include "ptnas/report/page.h"
#include "ptnas/report/report_data.h"
#include "ptnas/report/resources.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

namespace {

// A whole number of the saved configuration, or what is usual.
int option_or(const Json& data, const char* name, int usual) {
  const Json& configuration = data["configuration"];
  if (!configuration.contains(name)) return usual;
  const std::string text = configuration[name].get<std::string>();
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    fail("{}: expected `{}` to be a whole number above 0, found `{}`; restore the file",
         RunDirectory::kConfiguration, name, text);
  }
  return value;
}

NetworkShape shape_of(const Json& data, Family family) {
  NetworkShape shape = usual_shape(family);
  shape.channels = option_or(data, "train-channels", shape.channels);
  shape.cells = option_or(data, "train-cells", shape.cells);
  const Json& configuration = data["configuration"];
  if (const auto stem = configuration.find("train-stem"); stem != configuration.end())
    shape.stem = stem_from_name(stem->get<std::string>());
  if (!data["data"].is_null()) {
    shape.classes = static_cast<int>(data["data"]["classes"].size());
    shape.image_channels = data["data"]["channels"].get<int>();
    shape.height = data["data"]["height"].get<int>();
    shape.width = data["data"]["width"].get<int>();
  }
  return shape;
}

// Whether the network was trained with an auxiliary head.
bool has_auxiliary(const Json& data) {
  const Json& configuration = data["configuration"];
  const auto weight = configuration.find("train-auxiliary-weight");
  return weight == configuration.end() || std::strtod(weight->get<std::string>().c_str(), nullptr) > 0;
}

// What alpha alone would have chosen, where the run chose otherwise.
std::string alternative_figures(const Json& data, const Genotype& genotype) {
  if (data["selection"].is_null()) return "";
  Json json = to_json(genotype);
  json.erase("text");
  json["cells"] = data["selection"]["magnitude_genotype"];
  const Genotype alternative =
      genotype_from_json(json, fmt::format("magnitude_genotype of {}", RunDirectory::kSelection));
  const char* cells = genotype.family == Family::kDarts ? "cells" : "cell";
  if (alternative == genotype)
    return fmt::format("<p>Alpha alone would have chosen the same {}.</p>\n", cells);
  return fmt::format(
             "<details open><summary>For comparison: the {} that alpha alone would have chosen</summary>\n",
             cells) +
         cell_figures_html(alternative, " by alpha") + "</details>\n";
}

const char* explanation_of(Family family) {
  if (family == Family::kNasBench201) {
    return "<p>The network is a stack of equal cells in three stages. A cell\u2019s node 0 is the output of "
           "the cell before; each later node adds up one operation from every earlier one (none: nothing "
           "comes that way), and the last is the cell\u2019s output. Operations with weights of their own "
           "are red. "
           "The residual blocks between the stages, the same in every network of this space, halve the "
           "resolution and double the channels.</p>\n";
  }
  return "<p>The network is a stack of cells of two kinds. Each cell takes the outputs of the two cells "
         "before it, c<sub>k-2</sub> and c<sub>k-1</sub>; each numbered node adds up two operations, and the "
         "nodes together are the cell\u2019s output c<sub>k</sub>. Operations with weights of their own are "
         "red. Reduction cells, at one and two thirds of the depth, halve the resolution and double the "
         "channels.</p>\n";
}

std::string network_section(const Json& data) {
  std::string html =
      "<section id=\"network\" aria-labelledby=\"network-title\"><h2 id=\"network-title\">The network</h2>\n";
  if (data["genotype"].is_null()) return html + "<p>No architecture has been selected yet.</p></section>\n";
  const Genotype genotype = genotype_from_json(data["genotype"], RunDirectory::kGenotype);
  html += explanation_of(genotype.family);
  html += cell_figures_html(genotype, "");
  const bool is_darts = genotype.family == Family::kDarts;
  html += figure_html(
      draw_network_svg(shape_of(data, genotype.family), genotype.family,
                       static_cast<int>(genotype.of(CellType::kNormal).size()),
                       is_darts && has_auxiliary(data)),
      fmt::format("The whole stack, from the image on the left to the classes on the right; {} are orange",
                  is_darts ? "reduction cells" : "residual blocks"));
  return html + alternative_figures(data, genotype) + "</section>\n";
}

// The page with its heading; `before` stands between heading and network.
Page run_page(const RunDirectory& run, const char* kind, const char* before) {
  Page page;
  page.data = collect_report_data(run);
  page.title = escape_html((*page.data)["name"].get<std::string>());
  page.body = fmt::format("<header id=\"headline\"><h1><small>{}</small> <bdi>{}</bdi></h1></header>\n{}",
                          kind, page.title, before);
  page.body += "<noscript><p>Without its script this page shows the drawings only.</p></noscript>\n";
  page.body += network_section(*page.data);
  page.drawing = report_scripts();
  return page;
}

}  // namespace

std::string make_report(const RunDirectory& run) {
  Page page = run_page(run, "ptnas run", "");
  page.scripts = {draw_once_script()};
  return make_page(page);
}

std::string make_live_report(const RunDirectory& run) {
  Page page = run_page(run, "ptnas watch", "<p id=\"live\" class=\"soft\" role=\"status\"></p>\n");
  page.scripts = {follow_script()};
  page.asks_its_server = true;
  return make_page(page);
}

void write_report(const RunDirectory& run) { write_file(run.file(RunDirectory::kReport), make_report(run)); }

}  // namespace ptnas
