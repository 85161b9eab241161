#include "ptnas/report/result_page.h"

#include <fmt/format.h>

#include "ptnas/report/draw.h"
#include "ptnas/report/figures.h"
#include "ptnas/report/page.h"

namespace ptnas {

namespace {

constexpr const char* kStyle = R"(
.numbers { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; vertical-align: top; }
.numbers th { font-weight: 600; color: inherit; overflow-wrap: normal; min-width: 5rem; }
.numbers td { white-space: nowrap; }
.command { display: block; overflow-x: auto; white-space: pre; padding: 0.3rem 0.6rem; }
.numbers .quoted { color: var(--soft); font-style: italic; }
)";

std::string table_of(const ResultTable& table) {
  std::string html = fmt::format("<h3>{}</h3>\n<div class=\"wide\"><table class=\"numbers\"><thead><tr>",
                                 escape_html(table.title));
  for (const std::string& column : table.columns)
    html += "<th scope=\"col\">" + escape_html(column) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const ResultCell& cell : row) {
      html += cell.kind == ResultCell::Kind::kQuoted ? "<td class=\"quoted\">" : "<td>";
      html += escape_html(display(cell)) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string make_result_page(const ResultHeading& heading, const Result& result) {
  std::string html = fmt::format("<header><h1><small>ptnas experiment</small> {}</h1><p>{}</p></header>\n",
                                 escape_html(heading.name), escape_html(heading.title));
  html += fmt::format(
      "<p>Scale <b>{}</b>, seeds {}, data {}; {} of {} runs finished.</p>\n<p class=\"soft\">Measured: mean "
      "± sample deviation (number "
      "of seeds). In italics: the paper’s own numbers, of its scale. An empty cell was not measured. "
      "{}</p>\n<code class=\"command\" tabindex=\"0\">{}</code>\n",
      escape_html(heading.scale), escape_html(heading.seeds), escape_html(heading.data), heading.finished,
      heading.runs, escape_html(heading.note), escape_html(heading.command));
  for (const ResultFigure& figure : result.figures) {
    html += figure_html(figure.svg, escape_html(figure.caption));
  }
  for (const ResultTable& table : result.tables) html += table_of(table);
  if (!result.findings.empty()) {
    html += "<h3>Comparisons</h3>\n<ul>\n";
    for (const std::string& finding : result.findings) html += "<li>" + escape_html(finding) + "</li>\n";
    html += "</ul>\n";
  }
  Page page;
  page.title = escape_html(heading.name);
  page.style = kStyle;
  page.body = html;
  return make_page(page);
}

}  // namespace ptnas
