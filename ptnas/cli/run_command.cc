// ptnas run: data set -> supernet -> selection -> genotype -> retrained network -> report.

#include "ptnas/analysis/estimate.h"
#include "ptnas/cli/program.h"
#include "ptnas/core/log.h"
#include "ptnas/job/session.h"
#include "ptnas/report/report.h"
#include "ptnas/search/run_search.h"
#include "ptnas/search/search_table.h"
#include "ptnas/select/perturbation_chooser.h"
#include "ptnas/select/run_selection.h"
#include "ptnas/train/retrain.h"

namespace ptnas {

namespace {

std::string default_out(const Flags& flags) {
  const Configuration c = configuration_of(flags);
  const std::string data = c.data.data.substr(0, c.data.data.find(':'));
  return fmt::format("runs/{}-{}-{}-seed{}", data, c.preset, c.select.selection, c.runtime.seed);
}

void run(const Flags& flags, const std::vector<std::string>& command_line) {
  const std::string out = flags.out.empty() ? default_out(flags) : flags.out;
  Session session = open_session({flags, command_line, out, std::nullopt});
  const Configuration& c = session.configuration;
  if (!session.run.has(RunDirectory::kSearchCheckpoint) && !session.run.has(RunDirectory::kSupernet)) {
    const RunEstimate estimate =
        estimate_run(*session.dataset, c.data, c.search, c.select, c.train, c.runtime);
    log_info("expected: {}", summary_of(estimate));
  }
  run_search(session.run, *session.dataset, c.data, c.search, c.runtime,
             make_operation_chooser(c.select).get());
  run_selection({session.run, session.run, *session.dataset, c.data, c.search, c.select, c.runtime,
                 *make_search_method(c.search.method), c.preset});
  const Genotype genotype = read_genotype(session.run.file(RunDirectory::kGenotype).string());
  retrain(session.run, *session.dataset, genotype, c.data, c.train, c.runtime);
  write_report(session.run);
  print_result(session.run);
}

}  // namespace

void add_run_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = builder.add(builder.root(), "run",
                                  "The main job: search, select, retrain and explain, in one run directory",
                                  [flags, command_line] { run(*flags, command_line); });
  command.add_option("--out", flags->out,
                     "run directory; default: under runs/ by data, preset, selection and seed");
  command.add_flag("--resume", flags->resume, "go on with the configuration saved in --out");
  add_config_flag(command, *flags);
  add_option_flags(command, *flags, kAllParts);
}

}  // namespace ptnas
