#include "ptnas/experiment/study.h"

#include <algorithm>
#include <cctype>

#include "ptnas/core/error.h"
#include "ptnas/experiment/scale.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// Options that never change a result.
constexpr const char* kIndifferent[] = {"threads",        "device",     "checkpoint-minutes",
                                        "loader-threads", "stop-after", "preset"};

// FNV-1a.
std::string hash_of(const std::string& text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return fmt::format("{:08x}", hash);
}

// Of a data set its name alone: its files may move.
std::string short_value(const std::string& name, const std::string& value) {
  return name == "data" ? value.substr(0, value.find(':')) : value;
}

std::string canonical(Configuration configuration, unsigned parts) {
  OptionCollector collector;
  configuration.declare_parts(collector, parts);
  std::string text;
  for (const NamedValue& value : collector.values) {
    const bool indifferent =
        std::find(std::begin(kIndifferent), std::end(kIndifferent), value.name) != std::end(kIndifferent);
    if (!indifferent) text += value.name + "=" + short_value(value.name, value.value) + ";";
  }
  return text;
}

// The values that say what a run is, by themselves; of others the option's name too. The seed comes last.
std::string label_of(const OptionValues& own, std::int64_t seed) {
  static const std::vector<std::string> speaking = {"data", "space", "method", "selection"};
  std::string label;
  const auto append = [&](const std::string& text) {
    label += "-";
    for (const char c : text) label += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '_';
  };
  for (const std::string& name : speaking)
    if (own.contains(name)) append(short_value(name, own.at(name)));
  for (const auto& [name, value] : own) {
    if (name == "seed" || std::find(speaking.begin(), speaking.end(), name) != speaking.end()) continue;
    append(name + value);
  }
  return label + fmt::format("-seed{}", seed);
}

std::string without_seed(const std::string& label) { return label.substr(0, label.rfind("-seed")); }

OptionValues values_of(Configuration configuration) {
  OptionValues values;
  for (const NamedValue& value : option_values(configuration)) values[value.name] = value.value;
  return values;
}

}  // namespace

Study::Study(const ExperimentRequest& request) : request_(request) {
  if (!request.table.empty()) table_ = Nb201Table::open(request.table);
}

bool Study::wants(const std::string& space) const {
  return request_.spaces.empty() ||
         std::find(request_.spaces.begin(), request_.spaces.end(), space) != request_.spaces.end();
}

Configuration Study::resolve(const OptionValues& beneath, const OptionValues& own) const {
  return resolve_configuration(
      {{"scale " + request_.scale, beneath}, {"command line", request_.options}, {request_.name, own}});
}

const PlannedRun& Study::run(const std::string& name) const {
  for (const PlannedRun& run : runs_)
    if (run.name == name) return run;
  fail("no run {} was planned", name);
}

std::string Study::add(PlannedRun run, const OptionValues& own, unsigned parts) {
  for (const auto& [name, value] : own) {
    if (request_.options.contains(name)) fail_usage("{} sets --{} itself; leave it out", request_.name, name);
  }
  const std::string before = run.parent.empty() ? "" : without_seed(this->run(run.parent).label);
  // "search-cifar10-s2-darts" is "select-cifar10-s2-darts-perturbation" in its child's label.
  const std::size_t stage_end = before.find('-');
  run.label = run.stage + (stage_end == before.npos ? "" : before.substr(stage_end)) +
              label_of(own, run.configuration.runtime.seed);
  run.name = run.label + "-" + hash_of(run.label + run.parent + canonical(run.configuration, parts));
  for (const PlannedRun& other : runs_)
    if (other.name == run.name) return run.name;
  runs_.push_back(std::move(run));
  return runs_.back().name;
}

std::string Study::search(const OptionValues& own) {
  const std::string method = own.contains("method") ? own.at("method") : "darts";
  PlannedRun run;
  run.stage = "search";
  run.configuration = resolve(scale_values(request_.scale, own.at("space"), method), own);
  const unsigned chosen = method == "sgas" ? kSelectPart : 0u;  // it decides while it searches
  return add(std::move(run), own, kDataPart | kSearchPart | kRuntimePart | chosen);
}

std::string Study::select(const std::string& supernet, const OptionValues& own) {
  PlannedRun run;
  run.stage = "select";
  run.parent = supernet;
  run.configuration =
      resolve_configuration({{supernet, values_of(this->run(supernet).configuration)}, {request_.name, own}});
  return add(std::move(run), own, kDataPart | kSearchPart | kSelectPart | kRuntimePart);
}

std::string Study::train(const std::string& selected, const OptionValues& own) {
  PlannedRun run;
  run.stage = "train";
  run.parent = selected;
  // A recipe lies beneath the scale's and the user's options.
  const Configuration& parent = this->run(selected).configuration;
  OptionValues values = own;
  if (own.contains("train-recipe")) {
    for (const auto& layer :
         {scale_values(request_.scale, parent.search.space, parent.search.method), request_.options}) {
      for (const auto& [name, value] : layer)
        if (name.starts_with("train-") && !own.contains(name)) values[name] = value;
    }
  }
  run.configuration = resolve_configuration({{selected, values_of(parent)}, {request_.name, values}});
  return add(std::move(run), own, kDataPart | kTrainPart | kRuntimePart);
}

std::string Study::measure(const std::string& supernet, const std::string& what, const OptionValues& own,
                           Measurement measurement, double trials) {
  PlannedRun run;
  run.trials = trials;
  run.stage = "measure";
  run.parent = supernet;
  run.measure = std::move(measurement);
  run.configuration =
      resolve_configuration({{supernet, values_of(this->run(supernet).configuration)}, {request_.name, own}});
  OptionValues labelled = own;
  labelled["selection"] = what;  // stands in the label as a selection would
  return add(std::move(run), labelled, kDataPart | kSearchPart | kSelectPart | kRuntimePart);
}

fs::path Study::path_of(const std::string& run) const { return request_.root / "runs" / run; }

bool Study::finished(const std::string& run) const {
  const fs::path path = path_of(run);
  return fs::exists(path / RunDirectory::kRun) &&
         RunDirectory::open_for_reading(path).finished(this->run(run).stage);
}

std::optional<double> Study::test_error(const std::string& trained, const char* top) const {
  if (!finished(trained)) return std::nullopt;
  return 100 * (1 - read_json(path_of(trained) / RunDirectory::kEvaluation).at(top).get<double>());
}

std::optional<double> Study::parameters(const std::string& trained) const {
  if (!finished(trained)) return std::nullopt;
  return read_json(path_of(trained) / RunDirectory::kEvaluation).at("parameters").get<double>() / 1e6;
}

std::optional<Genotype> Study::genotype(const std::string& selected) const {
  if (!finished(selected)) return std::nullopt;
  return read_genotype((path_of(selected) / RunDirectory::kGenotype).string());
}

Json Study::selection(const std::string& selected) const {
  return finished(selected) ? read_json(path_of(selected) / RunDirectory::kSelection) : Json();
}

Json Study::measurement(const std::string& measured) const {
  return finished(measured) ? read_json(path_of(measured) / "measurement.json") : Json();
}

std::vector<Json> Study::metrics(const std::string& run) const {
  return finished(run) ? RunDirectory::open_for_reading(path_of(run)).metrics() : std::vector<Json>();
}

std::optional<double> Study::supernet_accuracy(const std::string& searched) const {
  std::optional<double> accuracy;
  for (const Json& line : metrics(searched))
    if (line.at("phase") == "search") accuracy = 100 * line.at("valid_accuracy").get<double>();
  return accuracy;
}

std::optional<double> Study::hours(const std::string& run) const {
  if (!finished(run)) return std::nullopt;
  double seconds = 0;
  for (const Json& line : metrics(run))
    if (line.contains("seconds") && line["seconds"].is_number()) seconds += line["seconds"].get<double>();
  return seconds / 3600;
}

std::optional<double> Study::stored_accuracy(const std::string& selected, Nb201Dataset dataset) {
  const std::optional<Genotype> found = genotype(selected);
  if (!table_ || !found) return std::nullopt;
  const Nb201Architecture architecture = nb201_architecture_of(*found);
  const std::string text = format_nb201_architecture(architecture);
  if (!looked_up_.contains(text)) looked_up_.emplace(text, table_->find(architecture));
  return looked_up_.at(text).result(dataset, Nb201Protocol::k200Epochs).test;
}

}  // namespace ptnas
