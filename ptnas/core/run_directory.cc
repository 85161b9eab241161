#include "ptnas/core/run_directory.h"

#include <algorithm>
#include <chrono>

#include "ptnas/core/error.h"
#include "ptnas/core/event_writer.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "ptnas-run";
constexpr int kVersion = 1;
constexpr const char* kLock = "lock";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::vector<fs::path> files_in(const fs::path& path) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) files.push_back(entry->path());
  if (error) fail("cannot read the directory {}: {}", path.string(), error.message());
  return files;
}

std::string temporary_name(const std::string& name) { return name + ".tmp"; }

// Makes sure that `path` is a directory that may become, or is, a run: absent, empty, left by a crash before
// its run.json stood, or a run.
void prepare_directory(const fs::path& path) {
  std::error_code error;
  if (present(path) && !fs::is_directory(path, error))
    fail("{} is a file; give another --out", path.string());
  fs::create_directories(path, error);
  if (error) fail("cannot make the run directory {}: {}", path.string(), error.message());
  if (present(path / RunDirectory::kRun)) return;
  for (const fs::path& file : files_in(path)) {
    if (file.filename() == kLock || file.filename() == temporary_name(RunDirectory::kRun)) continue;
    fail("{} is not empty and not a run directory: it has no {}; give another --out", path.string(),
         RunDirectory::kRun);
  }
}

// What a crash left beside a file that was being written.
void remove_temporaries(const fs::path& path) {
  for (const fs::path& file : files_in(path)) {
    std::error_code error;
    if (file.extension() == ".tmp" && fs::is_regular_file(file, error)) fs::remove(file, error);
  }
}

// The numbers in a weight matrix (null where an edge has fewer candidates).
std::vector<double> numbers_of(const Json& matrix) {
  std::vector<double> numbers;
  for (const Json& row : matrix) {
    for (const Json& value : row) {
      if (value.is_number()) numbers.push_back(value.get<double>());
    }
  }
  return numbers;
}

constexpr const char* kSteps[] = {"step", "event",
                                  "epoch"};  // the first that a line has is its place in time

std::int64_t step_of(const Json& line) {
  for (const char* key : kSteps) {
    if (line.contains(key)) return line[key].get<std::int64_t>();
  }
  return 0;
}

void write_events(EventWriter& events, const Json& line) {
  const double time = now_seconds();
  const std::string phase = line.at("phase").get<std::string>();
  const std::int64_t step = step_of(line);
  for (const auto& [key, value] : line.items()) {
    if (!value.is_number() || std::find(std::begin(kSteps), std::end(kSteps), key) != std::end(kSteps))
      continue;
    events.scalar(phase + "/" + key, value.get<double>(), step, time);
  }
  if (line.contains("alpha")) {
    for (const auto& [cell, matrix] : line["alpha"].items()) {
      events.histogram(phase + "/alpha." + cell, numbers_of(matrix), step, time);
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
  prepare_directory(path);
  RunDirectory run(path);
  run.lock_.emplace(path / kLock);
  if (present(path / kRun)) {
    run.load_run_json();
    remove_temporaries(path);
  } else {
    run.run_ = versioned(kFormat, kVersion);
    run.run_["finished"] = Json::array();
    run.save_run_json();
  }
  return run;
}

RunDirectory RunDirectory::open_for_reading(const fs::path& path) {
  if (!present(path / kRun)) {
    fail("{} is not a run directory: it has no {}; give one that `ptnas run` or `ptnas search` wrote",
         path.string(), kRun);
  }
  RunDirectory run(path);
  run.load_run_json();
  return run;
}

std::string RunDirectory::snapshot(std::int64_t epochs) {
  return fmt::format("supernet.epoch-{:03}.safetensors", epochs);
}

bool RunDirectory::has(const std::string& name) const { return present(path_ / name); }

void RunDirectory::load_run_json() {
  const std::string what = (path_ / kRun).string();
  run_ = read_json(path_ / kRun);
  check_version(run_, kFormat, kVersion, what);
  const Json& stages = run_["finished"];
  const bool listed = stages.is_array() && std::all_of(stages.begin(), stages.end(),
                                                       [](const Json& stage) { return stage.is_string(); });
  if (!listed)
    fail("{}: expected `finished` to be a list of stages, found {}; it is damaged", what, stages.type_name());
  if (run_.contains("parent") && !run_["parent"].is_string()) {
    fail("{}: expected `parent` to be a path, found {}; it is damaged", what, run_["parent"].type_name());
  }
}

void RunDirectory::save_run_json() { write_json(path_ / kRun, run_); }

bool RunDirectory::finished(const std::string& stage) const {
  const Json& stages = run_["finished"];
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

void RunDirectory::set_finished(const std::string& stage) {
  if (finished(stage)) return;
  run_["finished"].push_back(stage);
  save_run_json();
}

std::optional<fs::path> RunDirectory::parent() const {
  if (!run_.contains("parent")) return std::nullopt;
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
  append_file(path_ / kMetrics, line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  write_events(*events_, line);
}

std::vector<Json> RunDirectory::metrics() const {
  std::vector<Json> lines;
  if (!has(kMetrics)) return lines;
  const std::string text = read_file(path_ / kMetrics);
  for (std::size_t start = 0, end; (end = text.find('\n', start)) != text.npos; start = end + 1) {
    lines.push_back(parse_json(text.substr(start, end - start),
                               fmt::format("line {} of {}", lines.size() + 1, (path_ / kMetrics).string())));
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
  const auto size = [&position, this](const char* key) {
    if (!position.is_object() || !position.contains(key) || !position[key].is_number_integer() ||
        position[key].get<std::int64_t>() < 0) {
      fail(
          "{}: expected the checkpoint to say where its `{}` ended; it is damaged, begin again with another "
          "--out",
          path_.string(), key);
    }
    return position[key].get<std::uint64_t>();
  };
  const std::uint64_t metrics = size("metrics"), events = size("events");
  events_.reset();  // it writes the file's beginning again where nothing is left
  truncate_file(path_ / kMetrics, metrics);
  truncate_file(path_ / kEvents, events);
}

}  // namespace ptnas
