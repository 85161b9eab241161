#include "ptnas/job/session.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/kernels/vector_target.h"
#include "ptnas/network/layout.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

// What a run has saved; nothing where there is no configuration.
void add_run(std::vector<ConfigurationLayer>& layers, const std::optional<fs::path>& run) {
  if (!run) return;
  const fs::path file = *run / RunDirectory::kConfiguration;
  if (fs::exists(file)) layers.push_back({file.string(), read_option_file(file)});
}

// Layers in order: the run this one is based on, the run itself when it is resumed, --config, flags. A preset
// that is named anew decides over what the older run has saved of the parts `preset_decides`.
Configuration layered_configuration(const std::optional<fs::path>& based_on,
                                    const std::optional<fs::path>& resumed, const Flags& flags,
                                    unsigned preset_decides, const std::string& space = {}) {
  std::vector<ConfigurationLayer> layers, given;
  if (!space.empty()) layers.push_back({"the genotype", {{"space", space}}});
  add_run(layers, based_on);
  if (!flags.config.empty()) given.push_back({flags.config, read_option_file(flags.config)});
  given.push_back({"command line", flags.values});
  const bool names_preset = std::any_of(given.begin(), given.end(), [](const ConfigurationLayer& layer) {
    return layer.values.contains("preset");
  });
  if (based_on && names_preset && !layers.empty()) {
    for (const std::string& name : option_names(preset_decides)) layers.back().values.erase(name);
  }
  add_run(layers, resumed);
  layers.insert(layers.end(), given.begin(), given.end());
  return resolve_configuration(layers);
}

// Options that a run's stages have not used yet, and those that never change a result.
std::vector<std::string> changeable_options(const RunDirectory& run) {
  std::vector<std::string> names = {"preset",         "threads",   "device", "checkpoint-minutes",
                                    "loader-threads", "stop-after"};
  const auto add = [&names](unsigned parts) {
    for (std::string& name : option_names(parts)) names.push_back(std::move(name));
  };
  const bool searched = run.has(RunDirectory::kSearchCheckpoint) || run.has(RunDirectory::kSupernet);
  const bool selected = run.has(RunDirectory::kSelectCheckpoint) || run.has(RunDirectory::kSelection);
  const bool trained = run.has(RunDirectory::kTrainCheckpoint) || run.has(RunDirectory::kModel);
  if (!searched && !run.parent()) add(kSearchPart);
  if (!selected) add(kSelectPart);
  if (!trained) add(kTrainPart);
  if (!searched && !selected && !trained && !run.parent()) add(kDataPart | kRuntimePart);
  return names;
}

void warn_of_another_machine(const RunDirectory& run, const Json& now) {
  if (!run.has(RunDirectory::kEnvironment)) return;
  const Json before = read_json(run.file(RunDirectory::kEnvironment));
  for (const char* key : {"vector_target", "threads"}) {
    if (before.contains(key) && now.contains(key) && before[key] != now[key]) {
      log_warning(
          fmt::format("the run was started with {} {}, now it is {}: it goes on, but not to the same bits",
                      key, before[key].dump(), now[key].dump()));
    }
  }
}

void check_device(const RuntimeOptions& runtime) {
  if (runtime.device == "cuda" && !at::hasCUDA())
    fail_usage(
        "--device cuda expects a GPU that libtorch can use, and found none; leave it out to use the CPU");
}

void write_environment(RunDirectory& run, const std::vector<std::string>& command_line,
                       const RuntimeOptions& runtime) {
  Json environment = describe_environment(command_line, at::get_num_threads());
  environment["libtorch"] = TORCH_VERSION;
  environment["seed"] = runtime.seed;
  environment["vector_target"] = kernels::vector_target();
  warn_of_another_machine(run, environment);
  if (run.has(RunDirectory::kEnvironment)) {
    // The first start's description stays; later command lines join its list.
    Json first = read_json(run.file(RunDirectory::kEnvironment));
    if (first.contains("command_lines") && environment.contains("command_lines")) {
      for (const Json& line : environment["command_lines"]) {
        if (first["command_lines"].empty() || first["command_lines"].back() != line)
          first["command_lines"].push_back(line);
      }
    }
    environment = first;
  }
  write_json(run.file(RunDirectory::kEnvironment), environment);
}

void check_data(const RunDirectory& run, const Json& description) {
  if (!run.has(RunDirectory::kData)) return;
  const Json before = read_json(run.file(RunDirectory::kData));
  for (const char* key : {"classes", "channels", "height", "width", "train", "test"}) {
    if (before.contains(key) && before[key] != description[key]) {
      fail("the data set has changed since {} was started: `{}` was {} and is {}; use another --out",
           run.path().string(), key, before[key].dump(), description[key].dump());
    }
  }
}

}  // namespace

void configure_threads(const RuntimeOptions& runtime) {
  check_device(runtime);
  if (const char* target = std::getenv("PTNAS_VECTOR_TARGET"); target != nullptr) {
    try {
      kernels::force_vector_target(target);
    } catch (const std::invalid_argument& error) {
      fail_usage("PTNAS_VECTOR_TARGET: {}", error.what());
    }
  }
  const int threads = runtime.threads > 0 ? int(runtime.threads) : available_cores();
  at::set_num_threads(threads);
  log_info("computing with {} thread{} of {} core{} ({} engine, {}, libtorch {})", threads,
           threads == 1 ? "" : "s", available_cores(), available_cores() == 1 ? "" : "s", runtime.engine,
           runtime.device, TORCH_VERSION);
  if (runtime.engine == "plain" && runtime.memory_format == "channels-last" && !kChannelsLastIsRight)
    log_info("this libtorch is wrong in channels-last: the plain engine computes in NCHW");
}

bool is_run_directory(const fs::path& path) {
  std::error_code error;  // the text of a genotype is no path: too long for one
  return fs::exists(path / RunDirectory::kRun, error);
}

Session open_session(const SessionRequest& request) {
  std::optional<fs::path> resumed;
  if (request.flags.resume) {
    if (!is_run_directory(request.out)) {
      fail_usage("--resume expects the run directory of an interrupted run in --out, but {} is none",
                 request.out.string());
    }
    resumed = request.out;
  }
  Configuration configuration =
      layered_configuration(request.based_on, resumed, request.flags, request.preset_decides, request.space);
  check_device(configuration.runtime);
  std::unique_ptr<Dataset> dataset = open_dataset(configuration.data);
  const Json description = dataset->describe();

  defer_interrupts();
  Session session{RunDirectory::open_for_writing(request.out), configuration, std::move(dataset)};
  check_data(session.run, description);
  session.run.set_configuration(option_values(session.configuration), changeable_options(session.run));
  write_json(session.run.file(RunDirectory::kData), description);
  configure_threads(configuration.runtime);
  write_environment(session.run, request.command_line, configuration.runtime);
  log_info("run directory: {}", session.run.path().string());
  return session;
}

Configuration configuration_of(const fs::path& run, const Flags& flags, unsigned preset_decides) {
  return layered_configuration(run, {}, flags, preset_decides);
}

Configuration configuration_of(const Flags& flags) { return layered_configuration({}, {}, flags, 0); }

void put_genotype(RunDirectory& run, const Genotype& genotype) {
  if (run.has(RunDirectory::kGenotype)) {
    const Genotype before = read_genotype(run.file(RunDirectory::kGenotype).string());
    if (before == genotype) return;
    fail_usage("{} holds another genotype already; use another --out", run.path().string());
  }
  write_json(run.file(RunDirectory::kGenotype), to_json(genotype));
}

}  // namespace ptnas
