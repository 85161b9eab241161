#include "ptnas/report/report.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/report/draw.h"
#include "ptnas/report/resources.h"
#include "ptnas/space/genotype.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// A JSON file of the run, null where it has none.
Json maybe_json(const RunDirectory& run, const char* name, const char* format) {
  if (!run.has(name)) return nullptr;
  Json json = read_json(run.file(name));
  check_version(json, format, 1, run.file(name).string());
  return json;
}

// The parent's lines of the search, where this run has none of its own.
Json collect_metrics(const RunDirectory& run) {
  std::vector<Json> lines = run.metrics();
  const auto is_search = [](const Json& line) { return line.value("phase", "") == "search"; };
  const bool searched = std::any_of(lines.begin(), lines.end(), is_search);
  if (!searched && run.parent() && fs::exists(*run.parent() / RunDirectory::kRun)) {
    const std::vector<Json> parent = RunDirectory::open_for_reading(*run.parent()).metrics();
    std::vector<Json> all;
    std::copy_if(parent.begin(), parent.end(), std::back_inserter(all), is_search);
    all.insert(all.end(), lines.begin(), lines.end());
    lines = std::move(all);
  }
  return Json(lines);
}

Json collect(const RunDirectory& run) {
  Json data = Json::object();
  data["name"] = fs::absolute(run.path()).lexically_normal().filename().string();
  data["parent"] = run.parent() ? Json(run.parent()->filename().string()) : Json(nullptr);
  data["data"] = maybe_json(run, RunDirectory::kData, "ptnas-data");
  data["environment"] = maybe_json(run, RunDirectory::kEnvironment, "ptnas-environment");
  data["selection"] = maybe_json(run, RunDirectory::kSelection, "ptnas-selection");
  data["evaluation"] = maybe_json(run, RunDirectory::kEvaluation, "ptnas-evaluation");
  data["genotype"] = maybe_json(run, RunDirectory::kGenotype, "ptnas-genotype");
  data["metrics"] = collect_metrics(run);
  data["configuration"] = Json::object();
  for (const auto& [name, value] : run.configuration()) data["configuration"][name] = value;
  return data;
}

// JSON inside a script element: plain ASCII, and no `<` that could end the element or open a comment.
std::string script_json(const Json& data) {
  const std::string text = data.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  std::string result;
  for (const char c : text) {
    if (c == '<') {
      result += "\\u003c";
    } else {
      result += c;
    }
  }
  return result;
}

NetworkShape shape_of(const Json& data) {
  const auto number = [&](const char* option, int otherwise) {
    const Json& configuration = data["configuration"];
    return configuration.contains(option) ? std::stoi(configuration[option].get<std::string>()) : otherwise;
  };
  NetworkShape shape;
  shape.channels = number("train-channels", shape.channels);
  shape.cells = number("train-cells", shape.cells);
  if (!data["data"].is_null()) {
    shape.height = data["data"].at("height").get<int>();
    shape.width = data["data"].at("width").get<int>();
  }
  return shape;
}

std::string drawings(const Json& data) {
  if (data["genotype"].is_null()) return "<p>No architecture has been selected yet.</p>";
  const Genotype genotype = genotype_from_json(data["genotype"], "genotype.json");
  std::string html;
  for (const CellType type : kCellTypes) {
    html += fmt::format(
        "<figure class=\"drawing\"><div class=\"scroll\">{}</div><figcaption>The {} "
        "cell{}</figcaption></figure>\n",
        draw_cell_svg(genotype, type), name_of(type),
        type == CellType::kNormal
            ? ": most of the network is copies of it"
            : ": it halves the resolution and doubles the channels, at one and two thirds");
  }
  html += fmt::format(
      "<figure class=\"drawing\"><div class=\"scroll\">{}</div><figcaption>The network, cell by "
      "cell</figcaption></figure>\n",
      draw_network_svg(shape_of(data), static_cast<int>(genotype.cells[0].size())));
  return html;
}

}  // namespace

std::string make_report(const RunDirectory& run) {
  const Json data = collect(run);
  const std::string title = escape_html("ptnas: " + data["name"].get<std::string>());
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src "
      "'unsafe-inline'; img-src data:\">\n";
  html += "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" + title + "</title>\n<style>\n";
  html += page_css();
  html += "</style>\n</head>\n<body>\n<main>\n<header id=\"headline\"><h1>" + title + "</h1></header>\n";
  html += "<section id=\"network\"><h2>The network</h2>\n" + drawings(data) + "</section>\n";
  html += "<div id=\"page\"></div>\n</main>\n";
  html +=
      "<noscript><p>The tables and charts of this page are drawn by the script inside it.</p></noscript>\n";
  html += "<script type=\"application/json\" id=\"data\">" + script_json(data) + "</script>\n<script>";
  html += chart_js();
  html += "</script>\n<script>";
  html += page_js();
  html += "</script>\n</body>\n</html>\n";
  return html;
}

void write_report(const RunDirectory& run) { write_file(run.file(RunDirectory::kReport), make_report(run)); }

}  // namespace ptnas
