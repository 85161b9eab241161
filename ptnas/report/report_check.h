#pragma once

#include <string>

#include "ptnas/core/json.h"

namespace ptnas {

/// Checks that a file of a run has the fields the page reads, with the types of docs/formats.md, so that the
/// page's script meets nothing else. `where` names the file. Each throws Error saying which field was
/// expected to be what.
void check_data(const Json& data, const std::string& where);
void check_environment(const Json& environment, const std::string& where);
void check_selection(const Json& selection, const std::string& where);
void check_evaluation(const Json& evaluation, const std::string& where);
void check_metrics_line(const Json& line, const std::string& where);
/// For files that another reader checks.
inline void check_nothing(const Json&, const std::string&) {}

}  // namespace ptnas
