// ptnas completion and ptnas man: what shells and readers of manuals want, from the options' declarations.

#include <cstdio>

#include "ptnas/cli/completion.h"
#include "ptnas/cli/manual.h"
#include "ptnas/cli/program.h"

namespace ptnas {

void add_shell_commands(CommandBuilder& builder) {
  auto shell = std::make_shared<std::string>();
  CLI::App& root = builder.root();
  CLI::App& completion = builder.add(root, "completion", "Print a shell's completion script", [shell, &root] {
    std::fputs(completion_script(shape_of(root), *shell).c_str(), stdout);
  });
  completion.add_option("shell", *shell, "which shell")
      ->required()
      ->check(CLI::IsMember(completion_shells()));
  builder.add(root, "man", "Print the manual page, for `man -l` or a folder of manuals",
              [&root] { std::fputs(manual_page(shape_of(root)).c_str(), stdout); });
}

}  // namespace ptnas
