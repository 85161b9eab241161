#include "ptnas/cli/completion.h"

#include <fmt/format.h>

#include "ptnas/core/error.h"

namespace ptnas {

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// A word within single quotes, for any of the shells.
std::string single_quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

bool is_path(const OptionShape& option) {
  return option.type == "FILE" || option.type == "DIR" || option.type == "PATH" || option.positional ||
         (!option.names.empty() && option.names.back() == "--out");
}

std::string last_word(const std::string& path) { return path.substr(path.rfind(' ') + 1); }

// "run|search": the words with which another command begins below this one, each as PATH/WORD.
std::string steps_of(const CommandShape& root) {
  std::vector<std::string> cases;
  for (const CommandShape* command : all_commands(root)) {
    for (const CommandShape& below : command->commands)
      cases.push_back(fmt::format("'{}/{}'", command->path, last_word(below.path)));
  }
  return fmt::format("{}", fmt::join(cases, "|"));
}

std::vector<std::string> names_of(const CommandShape& command) {
  std::vector<std::string> names;
  for (const OptionShape& option : command.options) {
    if (!option.positional) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// ---- bash

// What may follow an option that takes a value; nothing is offered for numbers and texts.
std::string bash_values(const CommandShape& command) {
  std::string text;
  for (const OptionShape& option : command.options) {
    if (option.positional || !option.takes_value()) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names)
      patterns.push_back(fmt::format("'{}/{}'", command.path, name));
    const std::string what = !option.values.empty() ? fmt::format("-W '{}'", fmt::join(option.values, " "))
                             : is_path(option)      ? "-f"
                                                    : "";
    text += fmt::format("    {}) {}return ;;\n", fmt::join(patterns, "|"),
                        what.empty() ? "" : fmt::format("_ptnas_offer {}; ", what));
  }
  return text;
}

// What may stand where no option's value does.
std::string bash_words(const CommandShape& command) {
  std::vector<std::string> words;
  for (const CommandShape& below : command.commands) words.push_back(last_word(below.path));
  bool files = false;
  for (const OptionShape& option : command.options) {
    if (!option.positional) continue;
    words.insert(words.end(), option.values.begin(), option.values.end());
    files = files || option.values.empty();
  }
  return fmt::format("    '{}')\n      options='{}'\n      words='{}'\n      files={} ;;\n", command.path,
                     fmt::join(names_of(command), " "), fmt::join(words, " "), files ? 1 : 0);
}

std::string bash_script(const CommandShape& root) {
  std::string values, words;
  for (const CommandShape* command : all_commands(root)) {
    values += bash_values(*command);
    words += bash_words(*command);
  }
  return fmt::format(R"(# bash completion of ptnas, written by `ptnas completion bash`
_ptnas_offer() {{
  [ "$1" = -f ] && compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen "$@" -- "$current"))
}}
_ptnas() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command='' word options words files
  COMPREPLY=()
  # --option=value comes in three words.
  if [ "$current" = = ]; then current=''
  elif [ "$previous" = = ] && [ "$COMP_CWORD" -ge 2 ]; then previous=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command/$word" in
    {}) command=${{command:+$command }}$word ;;
    esac
  done
  case "$command/$previous" in
{}  esac
  case "$command" in
{}  esac
  case "$current" in
    -*) _ptnas_offer -W "$options" ;;
    *)
      [ -n "$words" ] && _ptnas_offer -W "$words"
      [ "$files" = 1 ] && _ptnas_offer -f ;;
  esac
  return 0
}}
complete -F _ptnas ptnas
)",
                     steps_of(root), values, words);
}

// ---- zsh

// Within _arguments' [..] and :..: some characters have a meaning.
std::string zsh_text(std::string text) {
  for (const char* special : {"\\", "[", "]", ":"})
    text = replaced(text, special, std::string("\\") + special);
  return text;
}

std::string zsh_action(const OptionShape& option) {
  if (!option.values.empty()) return fmt::format("({})", fmt::join(option.values, " "));
  return is_path(option) ? "_files" : " ";
}

std::string zsh_arguments(const CommandShape& command) {
  std::string text;
  for (const OptionShape& option : command.options) {
    const std::string value =
        option.takes_value() ? fmt::format(":{}:{}", zsh_text(option.type), zsh_action(option)) : "";
    if (option.positional) {
      text += fmt::format(" \\\n    {}",
                          single_quoted(fmt::format("{}:{}:{}", option.repeated ? "*" : "",
                                                    zsh_text(option.names[0]), zsh_action(option))));
      continue;
    }
    for (const std::string& name : option.names) {
      const std::string joined = option.takes_value() && name.starts_with("--") ? "=" : "";
      text += fmt::format(" \\\n    {}",
                          single_quoted(name + joined + "[" + zsh_text(option.help) + "]" + value));
    }
  }
  return text;
}

std::string zsh_function(const std::string& path) {
  return "_ptnas" + (path.empty() ? "" : "_" + replaced(path, " ", "_"));
}

// A command with commands below it hands the rest of the line on to the one that is named.
std::string zsh_commands(const CommandShape& command) {
  std::string list, cases;
  for (const CommandShape& below : command.commands) {
    const std::string word = last_word(below.path);
    list += fmt::format("    {}\n", single_quoted(zsh_text(word) + ":" + zsh_text(below.help)));
    cases += fmt::format("      {}) {} ;;\n", word, zsh_function(below.path));
  }
  return fmt::format(
      "  local -a commands=(\n{}  )\n  case $state in\n    command) _describe command commands ;;\n    rest) "
      "case $line[1] in\n{}    esac ;;\n  esac\n",
      list, cases);
}

std::string zsh_script(const CommandShape& root) {
  std::string text = "#compdef ptnas\n# zsh completion of ptnas, written by `ptnas completion zsh`\n";
  for (const CommandShape* command : all_commands(root)) {
    text += zsh_function(command->path) + "() {\n";
    if (command->commands.empty()) {
      text += "  _arguments -s -S" + zsh_arguments(*command) + "\n}\n";
    } else {
      text += "  local context state state_descr line\n  typeset -A opt_args\n  _arguments -C" +
              zsh_arguments(*command) + " \\\n    '1: :->command' '*:: :->rest'\n" + zsh_commands(*command) +
              "}\n";
    }
  }
  return text + "if [ \"$funcstack[1]\" = _ptnas ]; then _ptnas \"$@\"; else compdef _ptnas ptnas; fi\n";
}

// ---- fish

std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_option(const std::string& at, const OptionShape& option) {
  std::string text;
  for (const std::string& name : option.names) {
    if (option.positional && option.values.empty()) continue;
    text += at;
    if (option.positional) {
      text += " -f";
    } else {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value()) text += is_path(option) && option.values.empty() ? " -r -F" : " -x";
    }
    if (!option.values.empty())
      text += fmt::format(" -a {}", fish_quoted(fmt::format("{}", fmt::join(option.values, " "))));
    text += " -d " + fish_quoted(option.help) + "\n";
  }
  return text;
}

std::string fish_command(const CommandShape& command) {
  const std::string at =
      fmt::format("complete -c ptnas -n {}", fish_quoted("__ptnas_at " + single_quoted(command.path)));
  std::string text;
  for (const CommandShape& below : command.commands)
    text += fmt::format("{} -f -a {} -d {}\n", at, last_word(below.path), fish_quoted(below.help));
  for (const OptionShape& option : command.options) text += fish_option(at, option);
  return text;
}

std::string fish_script(const CommandShape& root) {
  std::string text = fmt::format(R"(# fish completion of ptnas, written by `ptnas completion fish`
function __ptnas_at
    set -l path ''
    for word in (commandline -opc)[2..-1]
        switch "$path/$word"
            case {}
                set path (string trim -- "$path $word")
        end
    end
    test "$path" = "$argv[1]"
end
)",
                                 replaced(steps_of(root), "|", " "));
  for (const CommandShape* command : all_commands(root)) text += fish_command(*command);
  return text;
}

}  // namespace

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells = {"bash", "fish", "zsh"};
  return shells;
}

std::string completion_script(const CommandShape& root, const std::string& shell) {
  if (shell == "bash") return bash_script(root);
  if (shell == "fish") return fish_script(root);
  if (shell == "zsh") return zsh_script(root);
  fail_usage("completion is for one of {}, not `{}`", fmt::join(completion_shells(), ", "), shell);
}

}  // namespace ptnas
