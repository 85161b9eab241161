#include "ptnas/report/report_data.h"

#include <algorithm>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/report/report_check.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// A JSON file of the run, checked; null where it has none.
Json maybe_json(const RunDirectory& run, const char* name, const char* format,
                void (*check)(const Json&, const std::string&)) {
  if (!run.has(name)) return nullptr;
  const std::string file = run.file(name).string();
  Json json = read_json(file);
  check_version(json, format, 1, file);
  check(json, file);
  return json;
}

std::vector<Json> checked_metrics(const RunDirectory& run) {
  std::vector<Json> lines = run.metrics();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    check_metrics_line(lines[i],
                       fmt::format("line {} of {}", i + 1, run.file(RunDirectory::kMetrics).string()));
  }
  return lines;
}

bool is_search(const Json& line) { return line["phase"] == "search"; }

// The run's lines, with its parent's search in front where it has none of its own.
Json collect_metrics(const RunDirectory& run) {
  std::vector<Json> lines = checked_metrics(run);
  const bool searched = std::any_of(lines.begin(), lines.end(), is_search);
  if (searched || !run.parent() || !fs::exists(*run.parent() / RunDirectory::kRun)) return Json(lines);
  const std::vector<Json> parent = checked_metrics(RunDirectory::open_for_reading(*run.parent()));
  std::vector<Json> all;
  std::copy_if(parent.begin(), parent.end(), std::back_inserter(all), is_search);
  all.insert(all.end(), lines.begin(), lines.end());
  return Json(all);
}

std::string name_of_directory(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace

Json collect_report_data(const RunDirectory& run) {
  Json data = Json::object();
  data["name"] = name_of_directory(run.path());
  data["parent"] = run.parent() ? Json(name_of_directory(*run.parent())) : Json(nullptr);
  data["finished"] = Json::array();
  for (const char* stage : {"search", "select", "train"}) {
    if (run.finished(stage)) data["finished"].push_back(stage);
  }
  data["data"] = maybe_json(run, RunDirectory::kData, "ptnas-data", check_data);
  data["environment"] = maybe_json(run, RunDirectory::kEnvironment, "ptnas-environment", check_environment);
  data["selection"] = maybe_json(run, RunDirectory::kSelection, "ptnas-selection", check_selection);
  data["evaluation"] = maybe_json(run, RunDirectory::kEvaluation, "ptnas-evaluation", check_evaluation);
  data["genotype"] = maybe_json(run, RunDirectory::kGenotype, "ptnas-genotype", check_nothing);
  data["metrics"] = collect_metrics(run);
  data["configuration"] = Json::object();
  for (const auto& [name, value] : run.configuration()) data["configuration"][name] = value;
  const bool configured = run.has(RunDirectory::kConfiguration);
  data["toml"] = configured ? Json(read_file(run.file(RunDirectory::kConfiguration))) : Json(nullptr);
  return data;
}

}  // namespace ptnas
