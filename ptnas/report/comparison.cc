#include "ptnas/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "ptnas/report/draw.h"
#include "ptnas/report/figures.h"
#include "ptnas/report/page.h"
#include "ptnas/report/report_data.h"
#include "ptnas/report/resources.h"

namespace ptnas {

namespace {

constexpr const char* kComparisonStyle = R"(
.compared th, .compared td { padding: 0.2rem 0.7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); min-width: 8.6rem; max-width: 22rem; overflow-wrap: anywhere; }
.compared thead th { vertical-align: bottom; }
.compared tbody th { font-weight: 500; color: var(--soft); }
.compared .differs th { color: var(--masking); font-weight: 600; }
.compared .unlike { background: var(--card); color: var(--masking); font-weight: 600; }
)";

Json without(Json object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) object.erase(key);
  return object;
}

// What the page shows of a run: a comparison of many would otherwise be as large as all their reports.
Json shown_of(const RunDirectory& run) {
  Json data = without(collect_report_data(run), {"toml", "genotype"});
  for (Json& line : data["metrics"]) line.erase("alpha");
  if (!data["selection"].is_null())
    data["selection"] = without(data["selection"], {"candidates", "alpha", "magnitude_genotype"});
  if (!data["evaluation"].is_null())
    data["evaluation"] = without(data["evaluation"], {"per_class", "confusion"});
  if (!data["data"].is_null())
    data["data"] = Json{
        {"name", data["data"]["name"]}, {"train", data["data"]["train"]}, {"test", data["data"]["test"]}};
  return data;
}

// The name of a run's directory, or where others are called the same, its path.
std::string label_of(const Json& all, std::size_t index, const RunDirectory& run) {
  const Json& name = all[index]["name"];
  const auto same =
      std::count_if(all.begin(), all.end(), [&](const Json& other) { return other["name"] == name; });
  return same > 1 ? run.path().string() : name.get<std::string>();
}

std::string cells_of(const RunDirectory& run) {
  if (!run.has(RunDirectory::kGenotype)) return "<p>No architecture has been selected yet.</p>\n";
  return cell_figures_html(read_genotype(run.file(RunDirectory::kGenotype).string()), "");
}

}  // namespace

std::string make_comparison(std::span<const RunDirectory> runs) {
  Json all = Json::array();
  for (const RunDirectory& run : runs) all.push_back(shown_of(run));
  std::string cells =
      "<section id=\"cells\" aria-labelledby=\"cells-title\"><h2 id=\"cells-title\">The cells</h2>\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string label = label_of(all, i, runs[i]);
    all[i]["label"] = label;
    cells += fmt::format("<h3><bdi>{}</bdi></h3>\n", escape_html(label)) + cells_of(runs[i]);
  }
  Page page;
  page.title = "Comparison";
  page.style = kComparisonStyle;
  page.body = fmt::format(
      "<header id=\"headline\"><h1><small>ptnas compare</small> {} run{} side by side</h1></header>\n",
      runs.size(), runs.size() == 1 ? "" : "s");
  page.body += "<noscript><p>Without its script this page shows the drawings only.</p></noscript>\n";
  page.body += cells + "</section>\n";
  page.data = Json{{"runs", all}};
  page.drawing = compare_scripts();
  page.scripts = {draw_once_script()};
  return make_page(page);
}

}  // namespace ptnas
