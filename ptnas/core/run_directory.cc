#include "ptnas/core/run_directory.h"

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "ptnas/core/error.h"
#include "ptnas/core/event_writer.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "ptnas-run";
constexpr int kVersion = 1;
constexpr const char* kLock = "lock";
constexpr const char* kEvents = "events.out.tfevents.ptnas";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool is_empty_or_absent(const fs::path& path) {
  std::error_code error;
  return !fs::exists(path, error) || (fs::is_directory(path, error) && fs::is_empty(path, error));
}

// What a crash left beside a file that was being written.
void remove_temporaries(const fs::path& path) {
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".tmp") fs::remove(entry.path());
  }
}

// The finite numbers in a weight matrix (null where an edge has fewer candidates).
std::vector<double> numbers_of(const Json& matrix) {
  std::vector<double> numbers;
  for (const Json& row : matrix) {
    for (const Json& value : row) {
      if (value.is_number()) numbers.push_back(value.get<double>());
    }
  }
  return numbers;
}

void write_events(EventWriter& events, const Json& line) {
  const double time = now_seconds();
  const std::string phase = line.at("phase").get<std::string>();
  const std::int64_t step = line.at("epoch").get<std::int64_t>();
  for (const auto& [key, value] : line.items()) {
    if (value.is_number() && key != "epoch")
      events.scalar(phase + "/" + key, value.get<double>(), step, time);
  }
  if (line.contains("alpha")) {
    for (const auto& [cell, matrix] : line["alpha"].items()) {
      events.histogram(phase + "/alpha/" + cell, numbers_of(matrix), step, time);
    }
  }
  events.flush();
}

}  // namespace

RunDirectory::RunDirectory(fs::path path) : path_(std::move(path)) {}
RunDirectory::RunDirectory(RunDirectory&&) noexcept = default;
RunDirectory::~RunDirectory() = default;

RunDirectory RunDirectory::open_for_writing(const fs::path& path) {
  if (path.empty()) fail_usage("expected a run directory, found an empty path; give --out DIR");
  RunDirectory run(path);
  const bool fresh = is_empty_or_absent(path) ||
                     (fs::is_directory(path) && !fs::exists(path / kRun) && fs::exists(path / kLock) &&
                      std::distance(fs::directory_iterator(path), fs::directory_iterator()) == 1);
  if (!fresh && !fs::exists(path / kRun)) {
    fail("{} is not a run directory and not empty; give another --out", path.string());
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("cannot make the run directory {}: {}", path.string(), error.message());
  run.lock_.emplace(path / kLock);
  remove_temporaries(path);
  if (fs::exists(path / kRun)) {
    run.run_ = read_json(path / kRun);
    check_version(run.run_, kFormat, kVersion, (path / kRun).string());
  } else {
    run.run_ = versioned(kFormat, kVersion);
    run.run_["finished"] = Json::array();
    run.save_run_json();
  }
  return run;
}

RunDirectory RunDirectory::open_for_reading(const fs::path& path) {
  if (!fs::exists(path / kRun)) {
    fail("{} is not a run directory: it has no {}; give one that `ptnas run` or `ptnas search` wrote",
         path.string(), kRun);
  }
  RunDirectory run(path);
  run.run_ = read_json(path / kRun);
  check_version(run.run_, kFormat, kVersion, (path / kRun).string());
  return run;
}

bool RunDirectory::has(const std::string& name) const { return fs::exists(path_ / name); }

void RunDirectory::save_run_json() { write_json(path_ / kRun, run_); }

bool RunDirectory::finished(const std::string& stage) const {
  if (!run_.contains("finished")) return false;
  const Json& stages = run_["finished"];
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

void RunDirectory::set_finished(const std::string& stage) {
  if (finished(stage)) return;
  run_["finished"].push_back(stage);
  save_run_json();
}

std::optional<fs::path> RunDirectory::parent() const {
  if (!run_.contains("parent") || !run_["parent"].is_string()) return std::nullopt;
  return fs::path(run_["parent"].get<std::string>());
}

void RunDirectory::set_parent(const fs::path& parent) {
  run_["parent"] = parent.string();
  save_run_json();
}

void RunDirectory::set_configuration(const std::vector<NamedValue>& values,
                                     const std::vector<std::string>& may_differ) {
  const OptionValues saved = configuration();
  for (const NamedValue& value : values) {
    const auto before = saved.find(value.name);
    if (before == saved.end() || before->second == value.value) continue;
    if (std::find(may_differ.begin(), may_differ.end(), value.name) != may_differ.end()) continue;
    fail_usage("{} was made with --{} {}, now it is {}; give the old value, --resume, or another --out",
               path_.string(), value.name, before->second, value.value);
  }
  std::string text = "# The resolved configuration of this run; --config takes this file.\n";
  for (const NamedValue& value : values) text += fmt::format("{} = {}\n", value.name, value.toml);
  write_file(path_ / kConfiguration, text);
}

OptionValues RunDirectory::configuration() const {
  return has(kConfiguration) ? read_option_file(path_ / kConfiguration) : OptionValues();
}

void RunDirectory::append_metrics(const Json& line) {
  if (!events_) events_ = std::make_unique<EventWriter>(path_ / kEvents);
  append_file(path_ / kMetrics, line.dump() + "\n");
  write_events(*events_, line);
}

std::vector<Json> RunDirectory::metrics() const {
  std::vector<Json> lines;
  if (!has(kMetrics)) return lines;
  const std::string text = read_file(path_ / kMetrics);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(parse_json(text.substr(start, end - start),
                               fmt::format("line {} of {}", lines.size() + 1, (path_ / kMetrics).string())));
    start = end + 1;
  }
  return lines;
}

Json RunDirectory::position() const {
  Json position = Json::object();
  position["metrics"] = file_size_or_zero(path_ / kMetrics);
  position["events"] = file_size_or_zero(path_ / kEvents);
  return position;
}

void RunDirectory::rewind(const Json& position) {
  truncate_file(path_ / kMetrics, position.at("metrics").get<std::uint64_t>());
  truncate_file(path_ / kEvents, position.at("events").get<std::uint64_t>());
}

}  // namespace ptnas
