#pragma once

#include <string>

#include "ptnas/core/json.h"
#include "ptnas/core/run_directory.h"
#include "ptnas/data/dataset.h"
#include "ptnas/job/configuration.h"

namespace ptnas {

/// Section 3.1, Figure 2: on every edge of the trained supernet, each operation's softmax weight and its
/// discretization accuracy at convergence: from the supernet as it was trained, the edge alone is made
/// one-hot, the rest tuned for --converged-epochs at the tuning rate, and validated. Returns
/// {`baseline`, `edges`: [{`cell`, `edge`, `from`, `node`, `operations`, `alpha`, `accuracy`}]} (fractions).
/// Keeps what is done in `run`, and goes on from it. Throws Interrupted and Error.
Json measure_edge_strengths(const RunDirectory& supernet, RunDirectory& run, const Dataset& dataset,
                            const Configuration& configuration);

}  // namespace ptnas
