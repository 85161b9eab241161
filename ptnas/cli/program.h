#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ptnas/job/session.h"

namespace ptnas {

/// The program: parses `arguments` (without the program's name), runs the command, and returns the exit
/// status: 0 success, 1 failed, 2 wrong use, 130 interrupted. Results go to standard output, all else to
/// standard error.
int run_program(const std::vector<std::string>& arguments);

/// What a command's registration gets: where to add its options, and where to leave its action.
class CommandBuilder {
 public:
  explicit CommandBuilder(CLI::App& root) : root_(root) {}
  /// Adds a subcommand; `action` runs when it was given.
  CLI::App& add(CLI::App& parent, const std::string& name, const std::string& help,
                std::function<void()> action);
  CLI::App& root() { return root_; }

 private:
  CLI::App& root_;
};

/// Adds the flags of `parts`; options given by the user land in flags.values. With `short_train`, each
/// --train-x is also --x. `left_out`: options that the command takes in a way of its own.
void add_option_flags(CLI::App& command, Flags& flags, unsigned parts, bool short_train = false,
                      const std::set<std::string>& left_out = {});
/// --config FILE.
void add_config_flag(CLI::App& command, Flags& flags);

/// The three closing lines of a main job, on standard output.
void print_result(const RunDirectory& run);

// One file a command: cli/<name>_command.cc.
void add_run_command(CommandBuilder& builder, const std::vector<std::string>& command_line);
void add_search_command(CommandBuilder& builder, const std::vector<std::string>& command_line);
void add_select_command(CommandBuilder& builder, const std::vector<std::string>& command_line);
void add_train_command(CommandBuilder& builder, const std::vector<std::string>& command_line);
void add_evaluate_command(CommandBuilder& builder);
void add_export_command(CommandBuilder& builder);
void add_predict_command(CommandBuilder& builder);
void add_count_command(CommandBuilder& builder);
void add_draw_command(CommandBuilder& builder);
void add_report_command(CommandBuilder& builder);
void add_watch_command(CommandBuilder& builder);
void add_compare_command(CommandBuilder& builder);
void add_shell_commands(CommandBuilder& builder);
void add_parity_command(CommandBuilder& builder);
void add_data_command(CommandBuilder& builder);
void add_query_command(CommandBuilder& builder);
void add_bench_command(CommandBuilder& builder);
void add_analyse_command(CommandBuilder& builder, const std::vector<std::string>& command_line);
void add_experiment_command(CommandBuilder& builder, const std::vector<std::string>& command_line);

}  // namespace ptnas
