// ptnas search: trains a supernet.

#include "ptnas/cli/program.h"
#include "ptnas/cli/session.h"
#include "ptnas/core/log.h"
#include "ptnas/search/run_search.h"

namespace ptnas {

void add_search_command(CommandBuilder& builder, const std::vector<std::string>& command_line) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = builder.add(
      builder.root(), "search", "Train a supernet, for one or several selections", [flags, command_line] {
        Session session = open_session({*flags, command_line, flags->out, std::nullopt});
        const Configuration& c = session.configuration;
        run_search(session.run, *session.dataset, c.data, c.search, c.runtime);
        std::printf("%s\n", session.run.path().c_str());
      });
  command.add_option("--out", flags->out, "run directory")->required();
  command.add_flag("--resume", flags->resume, "go on with the configuration saved in --out");
  add_config_flag(command, *flags);
  add_option_flags(command, *flags, kDataPart | kSearchPart | kRuntimePart);
}

}  // namespace ptnas
