#include "ptnas/report/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ptnas {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

ResultCell text_cell(std::string text) { return {ResultCell::Kind::kText, std::move(text), {}, 2}; }
ResultCell measured_cell(std::vector<double> values, int decimals) {
  return {ResultCell::Kind::kMeasured, "", std::move(values), decimals};
}
ResultCell quoted_cell(std::string text) { return {ResultCell::Kind::kQuoted, std::move(text), {}, 2}; }
ResultCell best_cell(const std::vector<double>& values, int decimals) {
  if (values.empty()) return text_cell("");
  return text_cell(fmt::format("{:.{}f}", *std::min_element(values.begin(), values.end()), decimals));
}

std::string display(const ResultCell& cell) {
  if (cell.kind != ResultCell::Kind::kMeasured) return cell.text;
  if (cell.values.empty()) return "";
  const double mean = mean_of(cell.values);
  if (cell.values.size() == 1) return fmt::format("{:.{}f} (1)", mean, cell.decimals);
  return fmt::format("{:.{}f} \u00b1 {:.{}f} ({})", mean, cell.decimals, deviation_of(cell.values),
                     cell.decimals, cell.values.size());
}

std::string comparison(const std::string& what, const std::string& first, const std::vector<double>& a,
                       const std::string& second, const std::vector<double>& b, bool lower_is_better,
                       const std::string& paper) {
  if (a.empty() || b.empty())
    return fmt::format("{}: {} against {}: not measured; {}", what, first, second, paper);
  const double difference = mean_of(a) - mean_of(b);
  const double deviation = std::max(deviation_of(a), deviation_of(b));
  const bool decided = a.size() > 1 && b.size() > 1 && std::abs(difference) > 2 * deviation;
  const bool better = lower_is_better ? difference < 0 : difference > 0;
  return fmt::format("{}: {} {:.2f}, {} {:.2f}, {:.2f} {} than it: {}; {}", what, second, mean_of(b), first,
                     mean_of(a), std::abs(difference), better ? "better" : "worse",
                     decided ? fmt::format("more than two deviations ({:.2f} each)", deviation)
                             : std::string("undecided (within two deviations, or one seed)"),
                     paper);
}

Json to_json(const ResultTable& table) {
  Json json = Json::object();
  json["name"] = table.name;
  json["title"] = table.title;
  json["columns"] = table.columns;
  json["rows"] = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const ResultCell& cell : row) {
      Json entry = Json::object();
      if (cell.kind == ResultCell::Kind::kText) {
        entry["text"] = cell.text;
      } else if (cell.kind == ResultCell::Kind::kQuoted) {
        entry["quoted"] = cell.text;
      } else {
        entry["values"] = cell.values;
        entry["mean"] = cell.values.empty() ? Json() : Json(mean_of(cell.values));
        entry["deviation"] = cell.values.size() < 2 ? Json() : Json(deviation_of(cell.values));
      }
      cells.push_back(std::move(entry));
    }
    json["rows"].push_back(std::move(cells));
  }
  return json;
}

namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i ? "," : "") + csv_field(fields[i]);
  return line + "\n";
}

}  // namespace

// A column of measurements becomes three: mean, deviation, seeds.
std::string to_csv(const ResultTable& table) {
  std::vector<bool> measured(table.columns.size(), false);
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      if (row[c].kind == ResultCell::Kind::kMeasured) measured[c] = true;
  }
  std::vector<std::string> head;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    head.push_back(table.columns[c]);
    if (!measured[c]) continue;
    head.push_back(table.columns[c] + " deviation");
    head.push_back(table.columns[c] + " seeds");
  }
  std::string text = csv_line(head);
  for (const auto& row : table.rows) {
    std::vector<std::string> fields;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const ResultCell& cell = row[c];
      const std::vector<double>& v = cell.values;
      const bool none = cell.kind != ResultCell::Kind::kMeasured;
      fields.push_back(none ? cell.text : v.empty() ? "" : fmt::format("{:.4f}", mean_of(v)));
      if (!measured[c]) continue;
      fields.push_back(v.size() < 2 ? "" : fmt::format("{:.4f}", deviation_of(v)));
      fields.push_back(none ? "" : std::to_string(v.size()));
    }
    text += csv_line(fields);
  }
  return text;
}

std::string to_markdown(const ResultTable& table) {
  std::string text = "|";
  for (const std::string& column : table.columns) text += " " + column + " |";
  text += "\n|";
  for (std::size_t c = 0; c < table.columns.size(); ++c) text += "---|";
  text += "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const ResultCell& cell : row) {
      std::string shown = display(cell);
      for (std::size_t at = 0; (at = shown.find('|', at)) != shown.npos; at += 2) shown.insert(at, "\\");
      text += " " + shown + " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace ptnas
