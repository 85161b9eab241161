// ptnas select: from a supernet to a genotype.

#include <cstdio>
#include <filesystem>
#include <optional>

#include "ptnas/cli/program.h"
#include "ptnas/core/error.h"
#include "ptnas/job/jobs.h"
#include "ptnas/report/report.h"
#include "ptnas/search/import_supernet.h"
#include "ptnas/search/search_table.h"
#include "ptnas/select/run_selection.h"

namespace ptnas {

namespace fs = std::filesystem;

namespace {

struct SelectArguments {
  Flags flags;
  std::string run;
  std::string checkpoint;
  std::int64_t classes = 0;
};

void print_genotype(const Session& session) {
  std::printf("%s\n", to_text(read_genotype(session.run.file(RunDirectory::kGenotype).string())).c_str());
}

void select_from_checkpoint(const SelectArguments& arguments, const std::vector<std::string>& command_line) {
  if (arguments.flags.out.empty()) fail_usage("select --checkpoint expects --out RUN for what it writes");
  Session session = open_session({arguments.flags, command_line, arguments.flags.out, std::nullopt});
  const Configuration& c = session.configuration;
  const auto classes = std::int64_t(session.dataset->info().classes.size());
  if (arguments.classes != 0 && arguments.classes != classes) {
    fail_usage("--classes is {}, but the data set has {}", arguments.classes, classes);
  }
  if (!session.run.has(RunDirectory::kSupernet)) {
    import_supernet(session.run, arguments.checkpoint, *session.dataset, c.data, c.search, c.runtime);
  }
  run_selection({session.run, session.run, *session.dataset, c.data, c.search, c.select, c.runtime,
                 *make_search_method(c.search.method), c.preset});
  write_report(session.run);
  print_genotype(session);
}

// `select --resume --out CHILD` needs no more: the child names its supernet.
void put_parent(SelectArguments& arguments) {
  if (!arguments.flags.resume || !arguments.run.empty() || !arguments.checkpoint.empty()) return;
  if (!is_run_directory(arguments.flags.out)) return;
  const std::optional<std::filesystem::path> parent =
      RunDirectory::open_for_reading(arguments.flags.out).parent();
  arguments.run = parent ? parent->string() : arguments.flags.out;
}

void select(SelectArguments arguments, const std::vector<std::string>& command_line) {
  put_parent(arguments);
  if (arguments.run.empty() == arguments.checkpoint.empty()) {
    fail_usage("select expects either a run directory or --checkpoint FILE");
  }
  if (arguments.checkpoint.empty()) {
    print_genotype(select_job(arguments.run, arguments.flags, command_line));
  } else {
    select_from_checkpoint(arguments, command_line);
  }
}

}  // namespace

void add_select_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<SelectArguments>();
  CLI::App& command = builder.add(builder.root(), "select", "Select an architecture from a trained supernet",
                                  [arguments, command_line] { select(*arguments, command_line); });
  command.add_option("run", arguments->run, "run directory with a trained supernet");
  command.add_option(
      "--checkpoint", arguments->checkpoint,
      "a published supernet's file instead; --space, --channels, --cells and --data say what it cannot");
  command.add_option("--classes", arguments->classes,
                     "with --checkpoint: number of classes, checked against the data");
  command.add_option(
      "--out", arguments->flags.out,
      "run directory to write; default: in place. Another one becomes a child that names its parent");
  command.add_flag("--resume", arguments->flags.resume, "go on with the configuration saved in --out");
  add_config_flag(command, arguments->flags);
  add_option_flags(command, arguments->flags, kDataPart | kSearchPart | kSelectPart | kRuntimePart);
}

}  // namespace ptnas
