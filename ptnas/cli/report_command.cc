// ptnas report: writes a run's page anew.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/run_directory.h"
#include "ptnas/report/report.h"

namespace ptnas {

void add_report_command(CommandBuilder& builder) {
  auto path = std::make_shared<std::string>();
  CLI::App& command =
      builder.add(builder.root(), "report", "Write the page of a run, finished or not", [path] {
        const RunDirectory run = RunDirectory::open_for_reading(*path);
        write_report(run);
        std::printf("%s\n", run.file(RunDirectory::kReport).c_str());
      });
  command.add_option("run", *path, "run directory")->required();
}

}  // namespace ptnas
