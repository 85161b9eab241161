#include "ptnas/cli/command_tree.h"

#include <algorithm>

namespace ptnas {

namespace {

// "a,b" of a type such as "{a,b}" or "TEXT:{a,b}": the only values allowed. A key with its value, "a->1",
// counts as the key.
std::vector<std::string> values_in(const std::string& type) {
  std::vector<std::string> values;
  const std::size_t open = type.find('{'), close = type.find('}', open);
  if (open == type.npos || close == type.npos) return values;
  for (std::size_t at = open + 1; at < close;) {
    const std::size_t comma = std::min(type.find(',', at), close);
    std::string value = type.substr(at, comma - at);
    values.push_back(value.substr(0, value.find("->")));
    at = comma + 1;
  }
  return values;
}

// "TEXT" of "TEXT:{a,b}" or "INT:POSITIVE": what a reader needs beside the values.
std::string word_of(const std::string& type, bool has_values) {
  const std::string word = type.substr(0, std::min(type.find(':'), type.find(" in ")));
  return has_values && (word.empty() || word.front() == '{') ? "CHOICE" : word;
}

OptionShape option_shape(const CLI::Option& option) {
  OptionShape shape;
  shape.positional = option.get_positional();
  if (shape.positional) {
    shape.names = {option.get_name()};
  } else {
    for (const std::string& name : option.get_snames()) shape.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) shape.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) {  // no flag
    const std::string type = option.get_type_name();
    shape.values = values_in(type);
    shape.type = word_of(type, !shape.values.empty());
    if (shape.type.empty()) shape.type = "TEXT";
  }
  shape.group = option.get_group();
  shape.help = option.get_description();
  if (!option.get_default_str().empty()) shape.help += " [" + option.get_default_str() + "]";
  shape.required = option.get_required();
  shape.repeated = option.get_items_expected_max() > 1;
  return shape;
}

CommandShape command_shape(const CLI::App& app, const std::string& path) {
  CommandShape shape;
  shape.path = path;
  shape.help = app.get_description();
  shape.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) shape.options.push_back(option_shape(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    shape.commands.push_back(
        command_shape(*command, path.empty() ? command->get_name() : path + " " + command->get_name()));
  return shape;
}

}  // namespace

CommandShape shape_of(const CLI::App& app) { return command_shape(app, ""); }

std::vector<const CommandShape*> all_commands(const CommandShape& root) {
  std::vector<const CommandShape*> all = {&root};
  for (const CommandShape& command : root.commands) {
    const auto below = all_commands(command);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace ptnas
