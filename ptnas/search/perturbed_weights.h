#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ptnas/network/architecture.h"
#include "ptnas/train/search_options.h"

namespace ptnas {

// What the two forms of SDARTS share (Chen and Hsieh, ICML 2020; FACTS, SDARTS).

/// Largest perturbation of a weight: grows linearly over the search's epochs; tuning, whose epochs number on
/// from the search's, has the last value.
double sdarts_epsilon(const SearchOptions& options, std::int64_t epoch);

/// Makes weights again of a row that was moved: clamped to [0, 1] and divided by its sum; where nothing is
/// left of it, one-hot at what was its largest entry (the first of equals).
void restore_row(std::vector<double>& row);

/// The weights of both cell types on the host; empty for a type that is not searched.
using HostWeights = std::array<WeightMatrix, 2>;
HostWeights host_weights(const Architecture& architecture);

/// Those with U(-epsilon, epsilon) added to every candidate of every undecided edge, rows restored. Drawn
/// from RandomStream(seed, kSearchNoise, 2 step + cell type).
HostWeights randomly_perturbed(const Architecture& architecture, double epsilon, std::uint64_t seed,
                               std::int64_t step);

/// For a pass: leaves on alpha's device that require gradients where `with_gradient`.
ArchitectureWeights to_weights(const Architecture& architecture, const HostWeights& weights,
                               bool with_gradient);

}  // namespace ptnas
