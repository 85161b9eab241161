#include "ptnas/cli/program.h"

#include <c10/util/Exception.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "ptnas/cli/version.h"
#include "ptnas/core/error.h"
#include "ptnas/core/interrupt.h"
#include "ptnas/core/log.h"
#include "ptnas/network/engine_check.h"

namespace ptnas {

namespace {

// Registers an option struct's fields as flags whose texts land in OptionValues.
class FlagVisitor final : public OptionVisitor {
 public:
  FlagVisitor(CLI::App& command, OptionValues& values, bool short_train,
              const std::set<std::string>& left_out)
      : command_(command), values_(values), short_train_(short_train), left_out_(left_out) {}

  void group(std::string_view title) override { group_ = title; }
  void option(std::string_view name, bool& value, std::string_view help) override {
    const std::string key(name);
    if (left_out_.contains(key)) return;
    const std::string flags = fmt::format("{},!--no-{}", spelling(name), key);
    command_
        .add_flag_function(
            flags,
            [this_values = &values_, key](std::int64_t count) {
              (*this_values)[key] = count > 0 ? "true" : "false";
            },
            fmt::format("{} [{}]", help, value ? "yes" : "no"))
        ->group(group_);
  }
  void option(std::string_view name, std::int64_t& value, std::string_view help) override {
    add(name, "N", fmt::format("{} [{}]", help, value));
  }
  void option(std::string_view name, double& value, std::string_view help) override {
    add(name, "X", fmt::format("{} [{}]", help, value));
  }
  void option(std::string_view name, std::string& value, std::string_view help) override {
    add(name, "TEXT", fmt::format("{} [{}]", help, value));
  }
  void option(std::string_view name, std::vector<std::int64_t>& value, std::string_view help) override {
    (void)value;
    add(name, "N,N,..", std::string(help));
  }
  void choice(std::string_view name, std::string& value, const std::vector<std::string>& allowed,
              std::string_view help) override {
    add(name, fmt::format("{{{}}}", fmt::join(allowed, ",")), fmt::format("{} [{}]", help, value));
  }

 private:
  std::string spelling(std::string_view name) const {
    std::string result = fmt::format("--{}", name);
    if (short_train_ && name.starts_with("train-") && name != "train-portion" && name != "train-batches") {
      result += fmt::format(",--{}", name.substr(6));
    }
    return result;
  }
  void add(std::string_view name, const std::string& type, const std::string& help) {
    const std::string key(name);
    if (left_out_.contains(key)) return;
    command_
        .add_option_function<std::string>(
            spelling(name), [values = &values_, key](const std::string& text) { (*values)[key] = text; },
            help)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name(type)
        ->group(group_);
  }

  CLI::App& command_;
  OptionValues& values_;
  bool short_train_;
  const std::set<std::string>& left_out_;
  std::string group_ = "Options";
};

// Results that did not reach their reader are a failure (a full disk, say).
void flush_results() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  fail("cannot write the results to standard output: {}; free some space or send them elsewhere",
       std::strerror(errno));
}

int report_usage(const std::string& message) {
  std::fprintf(stderr, "ptnas: %s\n", message.c_str());
  return 2;
}

}  // namespace

CLI::App& CommandBuilder::add(CLI::App& parent, const std::string& name, const std::string& help,
                              std::function<void()> action) {
  CLI::App& command = *parent.add_subcommand(name, help);
  if (action) command.final_callback(std::move(action));
  return command;
}

void add_option_flags(CLI::App& command, Flags& flags, unsigned parts, bool short_train,
                      const std::set<std::string>& left_out) {
  Configuration defaults;
  FlagVisitor visitor(command, flags.values, short_train, left_out);
  defaults.declare_parts(visitor, parts);
}

void add_config_flag(CLI::App& command, Flags& flags) {
  command.add_option("--config", flags.config, "TOML file of options (names as the flags'); flags win")
      ->type_name("FILE");
}

void print_result(const RunDirectory& run) {
  const Json evaluation = read_json(run.file(RunDirectory::kEvaluation));
  std::printf("test accuracy: %.1f %%\n", 100 * evaluation.at("top1").get<double>());
  std::printf("parameters: %lld\n", static_cast<long long>(evaluation.at("parameters").get<std::int64_t>()));
  std::printf("report: %s\n", run.file(RunDirectory::kReport).c_str());
}

int run_program(const std::vector<std::string>& arguments) {
  CLI::App app("Architecture search by perturbation (DARTS-PT): from images to an explained network.",
               "ptnas");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  app.footer("Start here: ptnas run --preset quick     Each command has its own --help.");
  CommandBuilder builder(app);
  add_run_command(builder, arguments);
  add_search_command(builder, arguments);
  add_select_command(builder, arguments);
  add_train_command(builder, arguments);
  add_evaluate_command(builder);
  add_export_command(builder);
  add_predict_command(builder);
  add_count_command(builder);
  add_draw_command(builder);
  add_report_command(builder);
  add_watch_command(builder);
  add_compare_command(builder);
  add_parity_command(builder);
  add_data_command(builder);
  add_query_command(builder);
  add_analyse_command(builder, arguments);
  add_bench_command(builder);
  add_experiment_command(builder, arguments);
  add_shell_commands(builder);

  install_interrupt_handler();
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    if (const EngineDifferences found = engine_differences(); found.passes > 0)
      log_info("{}", describe(found));
    flush_results();
    return 0;
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::RuntimeError& status) {
    return status.get_exit_code();  // a command that ends with a status of its own
  } catch (const CLI::ParseError& error) {
    return report_usage(fmt::format("{}; see --help", error.what()));
  } catch (const Interrupted& interrupted) {
    std::fprintf(stderr, "ptnas: %s\n", interrupted.what());
    return 130;
  } catch (const Error& error) {
    std::fprintf(stderr, "ptnas: %s\n", error.what());
    return error.kind() == ErrorKind::kUsage ? 2 : 1;
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    std::fprintf(stderr, "ptnas: libtorch failed: %s\n", text.substr(0, text.find('\n')).c_str());
    return 1;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "ptnas: out of memory; try a smaller --batch or fewer --channels\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ptnas: unexpected error: %s\n", error.what());
    return 1;
  }
}

}  // namespace ptnas
