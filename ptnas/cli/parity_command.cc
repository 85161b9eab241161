// ptnas parity: our networks against what the published ones computed.

#include <iostream>

#include "ptnas/analysis/parity.h"
#include "ptnas/cli/program.h"
#include "ptnas/job/session.h"

namespace ptnas {

void add_parity_command(CommandBuilder& builder) {
  auto flags = std::make_shared<Flags>();
  auto path = std::make_shared<std::string>();
  CLI::App& command = builder.add(
      builder.root(), "parity",
      "Compare with what the published program computed; exits 0 only when all agrees", [flags, path] {
        Configuration configuration = resolve_configuration({{"command line", flags->values}});
        // One thread unless told otherwise: as the cases were recorded, sum by sum.
        if (configuration.runtime.threads == 0) configuration.runtime.threads = 1;
        // And the engine whose sums are the published program's.
        if (!flags->values.contains("engine")) configuration.runtime.engine = "plain";
        configure_threads(configuration.runtime);
        if (!check_parity(read_parity_case(*path), engine_of(configuration.runtime), std::cout))
          throw CLI::RuntimeError(1);
      });
  command.add_option("case", *path, "folder with expected.json, batch.bin and a checkpoint")->required();
  add_option_flags(command, *flags, kRuntimePart);
}

}  // namespace ptnas
