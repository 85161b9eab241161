// ptnas train: trains the network of a genotype.

#include "ptnas/cli/program.h"
#include "ptnas/job/jobs.h"

namespace ptnas {

void add_train_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto flags = std::make_shared<Flags>();
  auto genotype = std::make_shared<std::string>();
  CLI::App& command = builder.add(
      builder.root(), "train", "Train the network of a genotype, and report",
      [flags, genotype, command_line] { print_result(train_job(*genotype, *flags, command_line).run); });
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
