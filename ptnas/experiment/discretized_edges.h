#pragma once

#include <cstdint>
#include <string>

#include "ptnas/experiment/study.h"

namespace ptnas {

inline constexpr std::int64_t kAllEdges = 0;

/// A measurement (the run's name) of the discretization accuracies at convergence (Section 3.1,
/// analysis/discretization_accuracy.h) of `count` random edges of the supernet that `searched` trained, or of
/// all. Resumed by trial.
std::string discretized_edges(Study& study, const std::string& searched, std::int64_t count);

}  // namespace ptnas
