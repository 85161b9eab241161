// ptnas analyse: the paper's analyses of a trained supernet (and, for Table 1, of two known networks).

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ptnas/analysis/discretization_accuracy.h"
#include "ptnas/analysis/proposition1.h"
#include "ptnas/analysis/reference_training.h"
#include "ptnas/analysis/shuffling.h"
#include "ptnas/analysis/skip_gap.h"
#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/job/session.h"
#include "ptnas/train/memory_format.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

struct AnalyseArguments {
  Flags flags;
  std::string analysis, run, network;
  int channels = 0, blocks = ReferenceShape().blocks;
  std::int64_t shuffles = 20, images = 0, edges = 3;
  bool alpha_moves = true;
};

Json shuffle_json(const std::string& network, const ShuffleResult& result) {
  Json json = Json::object();
  json["network"] = network;
  json["before"] = result.before;
  json["mean"] = result.mean();
  json["deviation"] = result.deviation();
  json["after"] = result.after;
  json["exchanged"] = result.exchanged;
  return json;
}

ShuffleOptions shuffle_options(const AnalyseArguments& arguments, const RuntimeOptions& runtime) {
  return {arguments.shuffles, arguments.images, static_cast<std::uint64_t>(runtime.seed),
          arguments.alpha_moves};
}

// Trains the network in --out and shuffles it.
void analyse_reference(const AnalyseArguments& arguments, const std::vector<std::string>& command_line) {
  ReferenceShape shape;
  shape.kind = reference_from_name(arguments.network);
  shape.channels = arguments.channels > 0                ? arguments.channels
                   : shape.kind == ReferenceKind::kVgg16 ? kVggChannels
                                                         : kResNetChannels;
  shape.blocks = arguments.blocks;
  if (arguments.analysis != "table1") fail_usage("--network is for the analysis table1");
  if (arguments.flags.out.empty()) fail_usage("--network expects --out RUN, where it is trained");
  Session session = open_session({arguments.flags, command_line, arguments.flags.out, std::nullopt});
  const Configuration& c = session.configuration;
  const auto network = train_reference(session.run, *session.dataset, shape, c.data, c.train, c.runtime);
  Json json = versioned("ptnas-analysis", 1);
  json["analysis"] = "table1";
  json["result"] = shuffle_json(
      arguments.network,
      shuffle_layers(*network, *session.dataset, shuffle_options(arguments, c.runtime),
                     memory_format_of(c.runtime.memory_format), torch::Device(c.runtime.device)));
  write_json(session.run.file("table1.json"), json);
  std::printf("%s\n", json["result"].dump(2).c_str());
}

Json skip_gap_json(const std::vector<SkipGap>& gaps) {
  Json json = Json::object();
  json["epochs"] = Json::array();
  for (const SkipGap& one : gaps)
    json["epochs"].push_back(
        {{"epoch", one.epoch}, {"valid_accuracy", one.valid_accuracy}, {"gap", one.gap}});
  const double correlation = accuracy_gap_correlation(gaps);
  json["rank_correlation"] = std::isfinite(correlation) ? Json(correlation) : Json(nullptr);
  return json;
}

Json hessian_json(const std::vector<Json>& metrics) {
  Json json = Json::object();
  json["epochs"] = Json::array();
  for (const Json& line : metrics) {
    if (line.value("phase", "") != "search" || !line.contains("hessian")) continue;
    json["epochs"].push_back({{"epoch", line["epoch"]},
                              {"eigenvalue", line["hessian"]},
                              {"valid_accuracy", line["valid_accuracy"]}});
  }
  if (json["epochs"].empty())
    fail_usage(
        "expected a search with --hessian-every, the run has no eigenvalue in its metrics; search again");
  return json;
}

Json analyse_trained(const AnalyseArguments& arguments, const Configuration& c, const fs::path& out,
                     const RunDirectory& run) {
  const std::unique_ptr<Dataset> dataset = open_dataset(c.data);
  SupernetTrainer trainer(*dataset, c.data, c.search, c.runtime);
  load_supernet(run.file(RunDirectory::kSupernet), trainer);
  if (arguments.analysis == "table1")
    return shuffle_json(c.search.space, shuffle_edges(trainer, shuffle_options(arguments, c.runtime)));
  if (arguments.analysis == "proposition1") {
    Proposition1Options options;
    if (arguments.images > 0) options.images = arguments.images;
    return measure_proposition1(trainer, options);
  }
  const std::vector<EdgeOf> edges = random_edges(trainer.network().space(), arguments.edges, trainer.seed());
  const fs::path file = out / "figure1.partial.json";
  const Json done = fs::exists(file) ? read_json(file) : Json();
  Json result = measure_discretization(trainer, run.file(RunDirectory::kSupernet), edges, c.select, done,
                                       [&](const Json& so_far) { write_json(file, so_far); });
  fs::remove(file);
  return result;
}

void analyse_supernet(const AnalyseArguments& arguments) {
  const RunDirectory run = RunDirectory::open_for_reading(arguments.run);
  const Configuration c = configuration_of(arguments.run, arguments.flags);
  configure_threads(c.runtime);
  const fs::path out = arguments.flags.out.empty() ? fs::path(arguments.run) : fs::path(arguments.flags.out);
  fs::create_directories(out);
  Json json = versioned("ptnas-analysis", 1);
  json["analysis"] = arguments.analysis;
  json["space"] = c.search.space;
  json["seed"] = c.runtime.seed;
  if (arguments.analysis == "figure3") {
    json["result"] = skip_gap_json(skip_gaps(
        run.metrics(), make_space(c.search.space, static_cast<int>(c.search.nodes), c.search.with_none)));
  } else if (arguments.analysis == "hessian") {
    json["result"] = hessian_json(run.metrics());
  } else {
    if (!run.has(RunDirectory::kSupernet))
      fail("{} has no trained supernet yet; finish its search first", arguments.run);
    json["result"] = analyse_trained(arguments, c, out, run);
  }
  write_json(out / (arguments.analysis + ".json"), json);
  std::printf("%s\n", json["result"].dump(2).c_str());
}

void analyse(const AnalyseArguments& arguments, const std::vector<std::string>& command_line) {
  const std::vector<std::string> names = {"table1", "figure1", "figure3", "proposition1", "hessian"};
  if (std::find(names.begin(), names.end(), arguments.analysis) == names.end())
    fail_usage("expected an analysis of {}, found {}", fmt::join(names, ", "), arguments.analysis);
  if (arguments.run.empty() == arguments.network.empty())
    fail_usage("analyse expects either a run directory or, for table1, --network");
  if (arguments.run.empty()) {
    analyse_reference(arguments, command_line);
  } else {
    analyse_supernet(arguments);
  }
}

}  // namespace

void add_analyse_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<AnalyseArguments>();
  CLI::App& command =
      builder.add(builder.root(), "analyse", "One of the paper's analyses, of a trained supernet",
                  [arguments, command_line] { analyse(*arguments, command_line); });
  command
      .add_option("analysis", arguments->analysis,
                  "table1, figure1 (figure7: several supernets in turn), figure3, proposition1 or hessian")
      ->required();
  command.add_option("run", arguments->run, "run directory of a search");
  command.add_option(
      "--out", arguments->flags.out,
      "where ANALYSIS.json is written; default: the run. With --network the run that trains it");
  command.add_option("--network", arguments->network, "table1: vgg16 or resnet instead of a supernet");
  command.add_option("--network-channels", arguments->channels,
                     "channels of its first stage; 0: what is usual, VGG-16 64 and a ResNet for CIFAR 16");
  command.add_option("--network-blocks", arguments->blocks, "resnet: blocks of each of its three stages");
  command.add_option("--shuffles", arguments->shuffles, "table1: how many");
  command.add_option("--images", arguments->images,
                     "table1: test images, 0: all; proposition1: validation images, 0: 128");
  command.add_option("--edges", arguments->edges, "figure1: how many edges, at random by seed");
  command.add_flag("!--no-alpha-moves", arguments->alpha_moves,
                   "table1: an edge's operations move, its softmax weights stay");
  command.add_flag("--resume", arguments->flags.resume, "go on with the configuration saved in --out");
  add_config_flag(command, arguments->flags);
  add_option_flags(command, arguments->flags, kAllParts, /*short_train=*/false);
}

}  // namespace ptnas
