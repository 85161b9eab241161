#pragma once

#include <string>
#include <vector>

#include "ptnas/experiment/experiment_table.h"

namespace ptnas {

/// What each experiment is and costs at each scale with four seeds, for --list.
std::string list_experiments();

/// The runs of an experiment that are not finished, with an estimate of time; says what there is to do.
std::string list_runs(const Study& study);

/// Throws Error(kUsage) where ROOT/NAME, or a run that the experiment would go on with, is of another
/// configuration; nothing is changed.
void check_directory(const Study& study);

/// Runs what is not finished, in order, and after each writes ROOT/NAME anew: result.json, page, tables (CSV,
/// Markdown), figures (SVG). Resumable: the same call goes on. Throws Interrupted and Error as the jobs do.
void run_experiment(const ExperimentRequest& request, const std::vector<std::string>& command_line);

/// --rehearse: every kind of run at the scale's own sizes, but on two batches, for one epoch, one decision of
/// a selection and two steps of retraining, under ROOT/rehearsal; writes no result.
void rehearse_experiment(const ExperimentRequest& request, const std::vector<std::string>& command_line);

/// Writes ROOT/NAME from what is finished.
void write_results(const ExperimentRequest& request, const std::vector<std::string>& command_line);

}  // namespace ptnas
