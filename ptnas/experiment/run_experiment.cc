#include "ptnas/experiment/run_experiment.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "ptnas/core/error.h"
#include "ptnas/core/files.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/experiment/cost.h"
#include "ptnas/experiment/scale.h"
#include "ptnas/job/jobs.h"
#include "ptnas/report/result_page.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "ptnas-experiment";
constexpr int kVersion = 1;
constexpr const char* kRecord = "experiment.json";

// What must be the same each time an experiment directory is used; seeds may be added.
Json identity_of(const ExperimentRequest& request) {
  Json json = versioned(kFormat, kVersion);
  json["name"] = request.name;
  json["scale"] = request.scale;
  json["data"] = request.data;
  json["options"] = Json::object();
  for (const auto& [name, value] : request.options) json["options"][name] = value;
  return json;
}

Json record_of(const Study& study) {
  Json json = identity_of(study.request());
  json["runs"] = Json::object();
  for (const PlannedRun& run : study.runs()) json["runs"][run.label] = run.name;
  return json;
}

void check_run(const Study& study, const PlannedRun& run) {
  const fs::path path = study.path_of(run.name);
  if (!fs::exists(path / RunDirectory::kRun)) return;
  const OptionValues saved = RunDirectory::open_for_reading(path).configuration();
  static const std::set<std::string> may_differ = {"threads",        "device",     "checkpoint-minutes",
                                                   "loader-threads", "stop-after", "preset"};
  Configuration wanted = run.configuration;
  unsigned parts = kDataPart | kRuntimePart;
  parts |= run.stage == "train"    ? kTrainPart
           : run.stage == "search" ? kSearchPart
                                   : kSearchPart | kSelectPart;
  const std::vector<std::string> names = option_names(parts);
  for (const NamedValue& value : option_values(wanted)) {
    const auto before = saved.find(value.name);
    if (before == saved.end() || before->second == value.value || may_differ.contains(value.name)) continue;
    if (std::find(names.begin(), names.end(), value.name) == names.end()) continue;
    fail_usage("{} was made with --{} {}, but {} needs {}; give another --out", path.string(), value.name,
               before->second, study.request().name, value.value);
  }
}

Flags flags_of(const Study& study, const PlannedRun& run) {
  Flags flags;
  flags.out = study.path_of(run.name).string();
  Configuration configuration = run.configuration;
  for (const NamedValue& value : option_values(configuration)) flags.values[value.name] = value.value;
  return flags;
}

void measure_job(const Study& study, const PlannedRun& run, const std::vector<std::string>& command_line) {
  const fs::path out = study.path_of(run.name), supernet_path = study.path_of(run.parent);
  RunDirectory::open_for_writing(out).set_parent(fs::absolute(supernet_path).lexically_normal());
  const RunDirectory supernet = RunDirectory::open_for_reading(supernet_path);
  Session session = open_session({flags_of(study, run), command_line, out, supernet_path});
  write_json(session.run.file("measurement.json"),
             run.measure({supernet, session.run, *session.dataset, session.configuration}));
  session.run.set_finished("measure");
}

void execute(const Study& study, const PlannedRun& run, const std::vector<std::string>& command_line) {
  const Flags flags = flags_of(study, run);
  const std::string parent = run.parent.empty() ? "" : study.path_of(run.parent).string();
  if (run.stage == "search") {
    search_job(flags, command_line);
  } else if (run.stage == "select") {
    select_job(parent, flags, command_line);
  } else if (run.stage == "train") {
    train_job(parent, flags, command_line);
  } else {
    measure_job(study, run, command_line);
  }
}

std::string joined(const std::vector<std::int64_t>& seeds) {
  return fmt::format("{}", fmt::join(seeds, ", "));
}

std::string data_names(const ExperimentRequest& request) {
  std::vector<std::string> names;
  for (const std::string& data : request.data) names.push_back(data.substr(0, data.find(':')));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string command_of(const ExperimentRequest& request) {
  std::string command = fmt::format("ptnas experiment {} --scale {} --seeds {}", request.name, request.scale,
                                    fmt::join(request.seeds, ","));
  for (const std::string& data : request.data)
    command += " --data " + data.substr(0, data.find(':')) + (data.find(':') == data.npos ? "" : ":DIR");
  if (!request.spaces.empty()) command += fmt::format(" --spaces {}", fmt::join(request.spaces, ","));
  if (!request.table.empty()) command += " --table TABLE";
  for (const auto& [name, value] : request.options) command += fmt::format(" --{} {}", name, value);
  return command;
}

Json result_json(const Study& study, const Result& result) {
  const ExperimentRequest& request = study.request();
  Json json = identity_of(request);
  json["data"] = data_names(request);
  json["seeds"] = request.seeds;
  json["command"] = command_of(request);
  json["tables"] = Json::array();
  for (const ResultTable& table : result.tables) json["tables"].push_back(to_json(table));
  json["figures"] = Json::array();
  for (const ResultFigure& figure : result.figures)
    json["figures"].push_back({{"file", figure.name + ".svg"}, {"caption", figure.caption}});
  json["comparisons"] = result.findings;
  json["runs"] = Json::array();
  for (const PlannedRun& run : study.runs())
    json["runs"].push_back({{"run", run.name}, {"finished", study.finished(run.name)}});
  return json;
}

void write_markdown(const fs::path& path, const Experiment& experiment, const ExperimentRequest& request,
                    const Result& result) {
  std::string text = fmt::format(
      "# {}\n\n{}.\n\n    {}\n\nMean \u00b1 sample deviation (seeds); columns that begin with `paper` are "
      "the paper's own numbers, of its "
      "scale; an empty cell was not measured.\n",
      experiment.name, experiment.title, command_of(request));
  for (const ResultTable& table : result.tables) text += "\n## " + table.title + "\n\n" + to_markdown(table);
  if (!result.findings.empty()) text += "\n## Comparisons\n\n";
  for (const std::string& finding : result.findings) text += "- " + finding + ".\n";
  for (const ResultFigure& figure : result.figures)
    text += fmt::format("\n![{}]({}.svg)\n", figure.caption, figure.name);
  write_file(path, text);
}

void write_results_of(const Study& study, const Experiment& experiment, const Result& result) {
  const ExperimentRequest& request = study.request();
  const fs::path folder = request.root / request.name;
  fs::create_directories(folder);
  write_json(folder / kRecord, record_of(study));
  write_json(folder / "result.json", result_json(study, result));
  for (const ResultTable& table : result.tables) write_file(folder / (table.name + ".csv"), to_csv(table));
  write_markdown(folder / "result.md", experiment, request, result);
  for (const ResultFigure& figure : result.figures) write_file(folder / (figure.name + ".svg"), figure.svg);
  const auto finished = std::count_if(study.runs().begin(), study.runs().end(),
                                      [&](const PlannedRun& run) { return study.finished(run.name); });
  const char* note = experiment.needs_table && request.table.empty()
                         ? "Without --table nothing is looked up in NAS-Bench-201."
                         : "";
  write_file(folder / "report.html",
             make_result_page({experiment.name, experiment.title, request.scale, joined(request.seeds),
                               data_names(request), command_of(request), note, study.runs().size(),
                               static_cast<std::size_t>(finished)},
                              result));
}

}  // namespace

void check_directory(const Study& study) {
  const ExperimentRequest& request = study.request();
  const fs::path file = request.root / request.name / kRecord;
  if (fs::exists(file)) {
    const Json before = read_json(file), now = record_of(study);
    check_version(before, kFormat, kVersion, file.string());
    for (const char* key : {"scale", "data", "options"}) {
      if (before.value(key, Json()) == now[key]) continue;
      fail_usage("{} has results with {} {}, now it is {}; give another --out", file.parent_path().string(),
                 key, before.value(key, Json()).dump(), now[key].dump());
    }
    for (const auto& [label, name] : now["runs"].items()) {
      const Json runs = before.value("runs", Json::object());
      if (runs.contains(label) && runs[label] != name)
        fail_usage("{} was made from runs of another configuration ({}, now {}); give another --out",
                   file.parent_path().string(), runs[label].get<std::string>(), name.get<std::string>());
    }
  }
  for (const PlannedRun& run : study.runs()) check_run(study, run);
}

std::string list_runs(const Study& study) {
  const CostModel model = CostModel::measured(study);
  std::string text;
  double total = 0;
  std::size_t open = 0;
  for (const PlannedRun& run : study.runs()) {
    const bool finished = study.finished(run.name);
    const double seconds = finished ? 0 : model.seconds(run, size_of_data(run.configuration.data));
    total += seconds;
    open += finished ? 0 : 1;
    text += fmt::format("{:>12}  {}\n", finished ? "finished" : format_duration(seconds), run.name);
  }
  return text + fmt::format(
                    "{} of {} runs to do, about {} in all by a few steps of the first and the others' "
                    "multiply-adds\n",
                    open, study.runs().size(), format_duration(total));
}

std::string list_experiments() {
  std::string text =
      "At each scale: runs for four seeds on CIFAR-10 (table3: three data sets at paper scale), and about "
      "how long two cores such as docs/performance.md's take.\n\n";
  for (const Experiment& experiment : experiments()) {
    text += fmt::format("{:<14}{}\n", experiment.name, experiment.title);
    for (const std::string& scale : scale_names()) {
      ExperimentRequest request{
          .name = experiment.name, .scale = scale, .seeds = {0, 1, 2, 3}, .data = {"cifar10:DIR"}};
      if (experiment.name == "table3" && scale == "paper")
        request.data = {"cifar10:DIR", "cifar100:DIR", "svhn:DIR"};
      if (experiment.name == "table5") request.data = {"cifar10:DIR", "imagenet:DIR"};
      request.root = fs::path();
      Study study(request);
      experiment.make(study);
      double seconds = 0;
      for (const PlannedRun& run : study.runs())
        seconds += CostModel().seconds(run, size_of_data(run.configuration.data));
      text += fmt::format("{:<14}{:<6} {:>4} runs, {}\n", "", scale, study.runs().size(),
                          format_duration(seconds));
    }
  }
  return text;
}

void write_results(const ExperimentRequest& request, const std::vector<std::string>&) {
  const Experiment& experiment = find_experiment(request.name);
  Study study(request);
  const Result result = experiment.make(study);
  write_results_of(study, experiment, result);
}

void run_experiment(const ExperimentRequest& request, const std::vector<std::string>& command_line) {
  const Experiment& experiment = find_experiment(request.name);
  Study study(request);
  write_results_of(study, experiment, experiment.make(study));
  const std::vector<PlannedRun> runs = study.runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (study.finished(runs[i].name)) continue;
    log_info("{}: run {}/{}, {}", request.name, i + 1, runs.size(), runs[i].name);
    execute(study, runs[i], command_line);
    write_results(request, command_line);
  }
}

void rehearse_experiment(const ExperimentRequest& request, const std::vector<std::string>& command_line) {
  const Experiment& experiment = find_experiment(request.name);
  ExperimentRequest cut = request;
  cut.root = request.root / "rehearsal";
  cut.seeds = {request.seeds.front()};
  Study whole(cut);
  experiment.make(whole);
  std::set<std::string> kinds, searched;
  for (PlannedRun run : whole.runs()) {
    // A run of each stage, space, method and selection is enough.
    Configuration& c = run.configuration;
    std::string kind = run.stage + c.search.space + c.search.method;
    if (run.stage != "search") kind += c.select.selection;
    if (c.select.from_epoch != 0 || (run.stage != "search" && !searched.contains(run.parent)) ||
        !kinds.insert(kind).second)
      continue;
    c.data.search_limit = 4 * c.search.batch;
    c.search.epochs = c.search.method == "sgas" ? c.search.epochs : 1;
    c.search.snapshot_every = 0;
    c.runtime.stop_after = run.stage == "select" ? 1 : run.stage == "train" ? 2 : 0;
    if (run.stage == "measure" || (run.stage == "train" && !whole.finished(run.parent))) continue;
    log_info("rehearsal: {}", run.name);
    try {
      execute(whole, run, command_line);
    } catch (const Interrupted& stopped) {
      if (interrupt_requested()) throw;
      log_info("{}", stopped.what());
    }
    searched.insert(run.name);
  }
}

}  // namespace ptnas
