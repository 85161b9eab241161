// ptnas experiment: a table or figure of the paper from ordinary runs.

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/experiment/run_experiment.h"

namespace ptnas {

namespace {

struct ExperimentArguments {
  Flags flags;
  ExperimentRequest request;
  std::string seeds = "0,1,2,3";
  std::vector<std::string> data, spaces;
  std::string table;
  bool list = false, yes = false, rehearse = false;
};

std::vector<std::int64_t> parse_seeds(const std::string& text) {
  std::vector<std::int64_t> seeds;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::int64_t seed = -1;
    const auto [stop, error] = std::from_chars(text.data() + start, text.data() + end, seed);
    if (error != std::errc() || stop != text.data() + end || seed < 0)
      fail_usage("--seeds must be whole numbers separated by commas, not `{}`", text);
    if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
    start = end + 1;
  }
  return seeds;
}

ExperimentRequest request_of(const ExperimentArguments& arguments) {
  ExperimentRequest request = arguments.request;
  request.seeds = parse_seeds(arguments.seeds);
  if (!arguments.data.empty()) request.data = arguments.data;
  for (const std::string& space : arguments.spaces)
    for (std::size_t start = 0; start <= space.size();) {
      const std::size_t end = std::min(space.find(',', start), space.size());
      request.spaces.push_back(space.substr(start, end - start));
      start = end + 1;
    }
  request.table = arguments.table;
  request.options = arguments.flags.values;
  request.root = arguments.flags.out;
  return request;
}

void experiment(const ExperimentArguments& arguments, const std::vector<std::string>& command_line) {
  if (arguments.list) {
    std::printf("%s", list_experiments().c_str());
    return;
  }
  if (arguments.request.name.empty()) fail_usage("experiment expects a NAME; --list shows what there is");
  const ExperimentRequest request = request_of(arguments);
  const Experiment& found = find_experiment(request.name);
  Study study(request);
  found.make(study);
  if (study.runs().empty()) fail_usage("--spaces names none of {}'s spaces", request.name);
  if (arguments.rehearse) return rehearse_experiment(request, command_line);
  check_directory(study);
  if (!arguments.yes) {
    std::printf("%sNothing was started; --yes runs them.\n", list_runs(study).c_str());
    return;
  }
  run_experiment(request, command_line);
  std::printf("%s\n", (request.root / request.name / "report.html").c_str());
}

}  // namespace

void add_experiment_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<ExperimentArguments>();
  arguments->flags.out = "experiments";
  CLI::App& command =
      builder.add(builder.root(), "experiment", "A table or figure of the paper, from ordinary runs",
                  [arguments, command_line] { experiment(*arguments, command_line); });
  command.add_option("name", arguments->request.name, "which one")->type_name("NAME");
  command.add_flag("--list", arguments->list, "say what each experiment is and costs at each scale");
  command.add_option("--scale", arguments->request.scale,
                     "smoke, small or paper (docs/experiments.md) [smoke]");
  command.add_option("--seeds", arguments->seeds, "seeds, separated by commas [0,1,2,3]");
  command.add_option("--data", arguments->data,
                     "data set, NAME[:DIR]; several times where an experiment has several [fashion-mnist]");
  command.add_option("--spaces", arguments->spaces, "only these of its spaces, separated by commas");
  command.add_option("--table", arguments->table, "NAS-Bench-201's stored results, as query takes them");
  command.add_option("--out", arguments->flags.out,
                     "directory of all experiments: runs/ and a folder for each [experiments]");
  command.add_flag("--yes", arguments->yes, "run what is listed without it");
  command.add_flag("--rehearse", arguments->rehearse,
                   "the scale's networks and batches, but two steps, one decision; under OUT/rehearsal");
  add_option_flags(command, arguments->flags,
                   kDataPart | kSearchPart | kSelectPart | kTrainPart | kRuntimePart, false,
                   {"data", "seed", "preset"});
}

}  // namespace ptnas
