#pragma once

#include <string>

#include "ptnas/cli/command_tree.h"

namespace ptnas {

/// The manual page (section 1, in the macros of man(7)): every command with every option as --help has them.
/// The same text for the same declarations. Thread-safe.
std::string manual_page(const CommandShape& root);

/// Text as troff takes it: what would be a command, or a letter it does not know, is written out.
std::string troff_text(const std::string& text);

}  // namespace ptnas
