#include "ptnas/cli/manual.h"

#include <fmt/format.h>

#include <algorithm>

namespace ptnas {

namespace {

constexpr const char* kDescription =
    R"(From a folder of images to a small trained network and a page that explains every choice, by differentiable
architecture search with perturbation-based selection (DARTS-PT) on ordinary CPU cores. Every command reads and writes
run directories; results go to standard output, all else to standard error.
)";

constexpr const char* kClosing = R"(.SH EXIT STATUS
.TP
0
success
.TP
1
failed; one sentence on standard error says what was expected, what was found and what to do
.TP
2
wrong use
.TP
130
interrupted by Ctrl\-C; a run can go on with the same command or \-\-resume
.SH ENVIRONMENT
.TP
XDG_CACHE_HOME
where \fBptnas data fetch\fR keeps what it downloads: its folder ptnas, else ~/.cache/ptnas
.TP
OMP_WAIT_POLICY
set to passive where it is not set, so that waiting threads leave the cores to others
.SH EXAMPLES
.nf
ptnas run \-\-data folder:PHOTOS \-\-preset quick \-\-out runs/photos
ptnas watch runs/photos
ptnas compare runs/photos runs/others \-\-out compare.html
.fi
.SH SEE ALSO
The documents in the folder doc/ptnas beside the program's share directory, formats.md first.
)";

// Letters with an accent or beyond ASCII by their number: \[u2192].
std::size_t append_letter(std::string& out, const std::string& text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
  unsigned code = byte & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length && at + i < text.size(); ++i)
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
  out += fmt::format("\\[u{:04X}]", code);
  return length;
}

std::string usage_of(const CommandShape& command) {
  std::string usage = "\\fBptnas" + (command.path.empty() ? "" : " " + troff_text(command.path)) + "\\fR";
  if (!command.commands.empty()) usage += " \\fICOMMAND\\fR";
  for (const OptionShape& option : command.options) {
    if (!option.positional) continue;
    const std::string name = "\\fI" + troff_text(option.names[0]) + "\\fR" + (option.repeated ? "..." : "");
    usage += option.required ? " " + name : " [" + name + "]";
  }
  return usage + " [\\fIoptions\\fR]\n";
}

std::string option_text(const OptionShape& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names)
    names.push_back((option.positional ? "\\fI" : "\\fB") + troff_text(name) + "\\fR");
  std::string text = fmt::format(".TP\n{}", fmt::join(names, ", "));
  if (!option.positional && option.takes_value()) text += " \\fI" + troff_text(option.type) + "\\fR";
  text += "\n" + troff_text(option.help);
  if (!option.values.empty()) text += troff_text(fmt::format(" (one of {})", fmt::join(option.values, ", ")));
  return text + "\n";
}

// Options by group, groups in the order in which they come up.
std::string options_text(const CommandShape& command) {
  std::vector<std::string> groups;
  for (const OptionShape& option : command.options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  }
  std::string text;
  for (const std::string& group : groups) {
    if (groups.size() > 1) text += ".PP\n\\fI" + troff_text(group) + "\\fR\n";
    for (const OptionShape& option : command.options) {
      if (option.group == group) text += option_text(option);
    }
  }
  return text;
}

}  // namespace

std::string troff_text(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool at_start = out.empty() || out.back() == '\n';
    if (static_cast<unsigned char>(c) >= 0x80) {
      i += append_letter(out, text, i);
      continue;
    }
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
    ++i;
  }
  return out;
}

std::string manual_page(const CommandShape& root) {
  std::string text = fmt::format(
      ".\\\" written by `ptnas man` from the options' declarations\n.TH PTNAS 1 \"\" \"ptnas {}\" \"User "
      "Commands\"\n",
      PTNAS_VERSION);
  text += ".SH NAME\nptnas \\- " + troff_text(root.help) + "\n.SH SYNOPSIS\n" + usage_of(root);
  text += std::string(".SH DESCRIPTION\n") + kDescription + ".SH OPTIONS\n" + options_text(root) +
          ".SH COMMANDS\n";
  for (const CommandShape* command : all_commands(root)) {
    if (command->path.empty()) continue;
    text += ".SS ptnas " + troff_text(command->path) + "\n" + usage_of(*command) + ".PP\n" +
            troff_text(command->help) + "\n";
    text += options_text(*command);
  }
  return text + kClosing;
}

}  // namespace ptnas
