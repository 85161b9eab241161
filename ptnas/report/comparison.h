#pragma once

#include <span>
#include <string>

#include "ptnas/core/run_directory.h"

namespace ptnas {

/// Runs side by side, finished or not, as one HTML file that needs no network: results, configurations with
/// the differences marked, curves, decisions and cells. What a run has not got yet is left out; texts of
/// strangers are escaped. Throws Error naming the file that is damaged. Not thread-safe for one run at a
/// time, as RunDirectory.
std::string make_comparison(std::span<const RunDirectory> runs);

}  // namespace ptnas
