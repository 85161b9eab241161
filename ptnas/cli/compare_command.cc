// ptnas compare: runs side by side on one page.

#include <cstdio>

#include "ptnas/cli/program.h"
#include "ptnas/core/run_directory.h"
#include "ptnas/report/comparison.h"

namespace ptnas {

void add_compare_command(CommandBuilder& builder) {
  auto paths = std::make_shared<std::vector<std::string>>();
  auto out = std::make_shared<std::string>("compare.html");
  CLI::App& command = builder.add(builder.root(), "compare",
                                  "Write a page of runs side by side, finished or not", [paths, out] {
                                    std::vector<RunDirectory> runs;
                                    for (const std::string& path : *paths)
                                      runs.push_back(RunDirectory::open_for_reading(path));
                                    write_file(*out, make_comparison(runs));
                                    std::printf("%s\n", out->c_str());
                                  });
  command.add_option("runs", *paths, "run directories")->required()->type_name("DIR");
  command.add_option("--out", *out, "HTML file to write")->capture_default_str()->type_name("FILE");
}

}  // namespace ptnas
