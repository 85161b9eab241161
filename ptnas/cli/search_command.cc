// ptnas search: trains a supernet.

#include <cstdio>

#include "ptnas/analysis/estimate.h"
#include "ptnas/cli/program.h"
#include "ptnas/job/jobs.h"

namespace ptnas {

namespace {

void print_estimate(const Flags& flags) {
  const Configuration c = configuration_of(flags);
  const std::unique_ptr<Dataset> dataset = open_dataset(c.data);
  configure_threads(c.runtime);
  const RunEstimate estimate = estimate_run(*dataset, c.data, c.search, c.select, c.train, c.runtime);
  std::printf("%s\n", flags.json ? to_json(estimate).dump().c_str() : summary_of(estimate).c_str());
}

}  // namespace

void add_search_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto flags = std::make_shared<Flags>();
  auto dry_run = std::make_shared<bool>(false);
  CLI::App& command = builder.add(builder.root(), "search", "Train a supernet, for one or several selections",
                                  [flags, command_line, dry_run] {
                                    if (*dry_run) return print_estimate(*flags);
                                    const Session session = search_job(*flags, command_line);
                                    std::printf("%s\n", session.run.path().c_str());
                                  });
  command.add_option("--out", flags->out, "run directory");
  command.add_flag(
      "--dry-run", *dry_run,
      "time a few real steps, say how long search, selection and retraining would take, and stop");
  command.add_flag("--json", flags->json, "with --dry-run: one JSON object");
  command.add_flag("--resume", flags->resume, "go on with the configuration saved in --out");
  add_config_flag(command, *flags);
  add_option_flags(command, *flags, kAllParts);
}

}  // namespace ptnas
