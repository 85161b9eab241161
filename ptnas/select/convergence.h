#pragma once

#include <cstdint>
#include <vector>

#include "ptnas/select/select_options.h"

namespace ptnas {

/// Whether a supernet that was tuned for as many epochs as there are `accuracies` (validation, after each)
/// counts as converged (Section 3.1). `--converged epochs`: after --converged-epochs of them; the paper finds
/// that tuning for longer than 5 gains little (Appendix A.7). `plateau`: once the best of the last
/// --converged-epochs is less than --converged-gain above the best before them (which may be `before`, the
/// accuracy before tuning), or after --converged-most.
bool has_converged(const std::vector<double>& accuracies, double before, const SelectOptions& options);

}  // namespace ptnas
