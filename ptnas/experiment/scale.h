#pragma once

#include <string>
#include <vector>

#include "ptnas/core/options.h"

namespace ptnas {

/// smoke, small, paper.
const std::vector<std::string>& scale_names();

/// The options that make up a scale in a space, and what a search method needs besides (docs/experiments.md).
/// `paper` is the defaults, and of NAS-Bench-201 snapshots every 10 epochs. Throws Error(kUsage) for an
/// unknown scale.
OptionValues scale_values(const std::string& scale, const std::string& space, const std::string& method);

}  // namespace ptnas
