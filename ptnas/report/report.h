#pragma once

#include <string>

#include "ptnas/core/run_directory.h"

namespace ptnas {

/// The page of a run, finished or not: one HTML file that needs no network. What the run has not got yet is
/// left out; a child's search is read from its parent. Texts of strangers (class and file names) are escaped.
/// Throws Error naming the file that is damaged.
std::string make_report(const RunDirectory& run);

/// The same page for `ptnas watch`: it asks its server for `data.json` and draws anew what has changed.
std::string make_live_report(const RunDirectory& run);

/// Writes make_report's as report.html of the run.
void write_report(const RunDirectory& run);

}  // namespace ptnas
