// ptnas train: trains the network of a genotype.

#include "ptnas/cli/program.h"
#include "ptnas/cli/session.h"
#include "ptnas/core/error.h"
#include "ptnas/report/report.h"
#include "ptnas/train/retrain.h"

namespace ptnas {

namespace {

void train(const Flags& flags, std::string argument, const std::vector<std::string>& command_line) {
  // `train --resume --out RUN` needs no more: the run has its genotype.
  if (argument.empty() && flags.resume) argument = flags.out;
  if (argument.empty()) fail_usage("train expects a genotype: a run directory, a file or text; see --help");
  std::optional<std::filesystem::path> based_on;
  if (is_run_directory(argument)) based_on = argument;
  std::filesystem::path out = flags.out;
  if (out.empty()) {
    if (!based_on) fail_usage("train expects --out RUN when the genotype is not a run directory's");
    out = *based_on;
  }
  const Genotype genotype = read_genotype(argument);
  SessionRequest request{flags, command_line, out, based_on};
  if (genotype.family == Family::kNasBench201) request.space = "nb201";
  Session session = open_session(request);
  const Configuration& c = session.configuration;
  put_genotype(session.run, genotype);
  retrain(session.run, *session.dataset, genotype, c.data, c.train, c.runtime);
  write_report(session.run);
  print_result(session.run);
}

}  // namespace

void add_train_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto flags = std::make_shared<Flags>();
  auto genotype = std::make_shared<std::string>();
  CLI::App& command =
      builder.add(builder.root(), "train", "Train the network of a genotype, and report",
                  [flags, genotype, command_line] { train(*flags, *genotype, command_line); });
  command.add_option(
      "genotype", *genotype,
      "run directory, genotype file (JSON or text), DARTS' Genotype(...) text or NAS-Bench-201's "
      "|op~0|+..; with --resume --out RUN it may be left out");
  command.add_option("--out", flags->out, "run directory; default: the one given as genotype");
  command.add_flag("--resume", flags->resume, "go on with the configuration saved in --out");
  add_config_flag(command, *flags);
  add_option_flags(command, *flags, kDataPart | kTrainPart | kRuntimePart, /*short_train=*/true);
}

}  // namespace ptnas
