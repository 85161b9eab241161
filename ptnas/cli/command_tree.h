#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ptnas {

/// What the program's declarations say about an option or a positional argument: what --help, the manual page
/// and the shells' completions have in common.
struct OptionShape {
  std::vector<std::string> names;   ///< "--seed", "-h"; of a positional argument its one name
  std::string group, type, help;    ///< type: "N", "FILE", ..; empty for a flag
  std::vector<std::string> values;  ///< the only ones allowed; empty: any
  bool positional = false, required = false, repeated = false;
  bool takes_value() const { return positional || !type.empty(); }
};

struct CommandShape {
  std::string path;  ///< "data show"; empty for the program itself
  std::string help, footer;
  std::vector<OptionShape> options;
  std::vector<CommandShape> commands;
};

/// Walks what was declared to CLI11, in order of declaration. Thread-safe where nothing declares meanwhile.
CommandShape shape_of(const CLI::App& app);

/// The command, and those below it, in order: parents first.
std::vector<const CommandShape*> all_commands(const CommandShape& root);

}  // namespace ptnas
