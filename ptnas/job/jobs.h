#pragma once

#include <string>
#include <vector>

#include "ptnas/job/session.h"

namespace ptnas {

// What the commands `search`, `select` and `train` do, and an experiment does with each of its runs. Each
// resumes, returns at once what is finished, and returns the session it worked in. They throw Error, and
// Interrupted after a saved Ctrl-C or where --stop-after has come.

/// Trains the supernet of flags.out.
Session search_job(const Flags& flags, const std::vector<std::string>& command_line);

/// Selects from the supernet of `supernet_run`, in place where flags.out is empty or the same; else flags.out
/// becomes a child that names its parent.
Session select_job(const std::string& supernet_run, const Flags& flags,
                   const std::vector<std::string>& command_line);

/// Retrains `genotype` (whatever read_genotype() takes) in flags.out; empty: in the run directory that
/// `genotype` is. With flags.resume `genotype` may be empty: the run has its own.
Session train_job(const std::string& genotype, const Flags& flags,
                  const std::vector<std::string>& command_line);

}  // namespace ptnas
