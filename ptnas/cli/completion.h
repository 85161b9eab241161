#pragma once

#include <string>
#include <vector>

#include "ptnas/cli/command_tree.h"

namespace ptnas {

/// The shells there are completions for: bash, fish, zsh.
const std::vector<std::string>& completion_shells();

/// A script that makes `shell` complete commands, options, their values where only some are allowed, and
/// files. Throws Error(kUsage) for another shell. Thread-safe.
std::string completion_script(const CommandShape& root, const std::string& shell);

}  // namespace ptnas
