#include "ptnas/network/unit_backward.h"

#include <algorithm>

#include "ptnas/network/profile.h"

namespace ptnas {

namespace {

bool all_spread(const std::vector<UnitWork>& work) {
  return std::all_of(work.begin(), work.end(), [](const UnitWork& w) {
    return w.unit->convolution.depthwise && w.unit->convolution.source.stride == 1;
  });
}

// Depthwise units of stride 1: what all of them give the source is summed in registers.
void back_at_once(int cell, const std::vector<UnitWork>& work, bool accumulate, float* g,
                  ThreadScratch& scratch) {
  scratch.spreads.resize(std::max(work.size(), scratch.spreads.size()));
  std::vector<kernels::SpreadUnit> spread;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const PhaseTimer timer(cell, Phase::kConvolveBack);
    const UnitWork& w = work[i];
    kernels::depthwise_back(w.unit->convolution, w.unit->weights, &scratch.source, w.g, w.raw, w.norm,
                            w.weights, scratch.spreads[i], scratch.convolution);
    spread.push_back({&w.unit->convolution, &w.unit->weights, &scratch.spreads[i]});
  }
  if (g == nullptr) return;
  const PhaseTimer timer(cell, Phase::kSpread);
  kernels::spread_back(spread.data(), static_cast<int>(spread.size()), scratch.source, accumulate, g);
}

// Units of any kind, one after the other.
void back_in_turn(int cell, const std::vector<UnitWork>& work, const float* x, bool accumulate, float* g,
                  ThreadScratch& scratch) {
  const kernels::PaddedLayout& layout = scratch.source.layout();
  if (g != nullptr) scratch.gradient.shape(layout);
  for (std::size_t i = 0; i < work.size(); ++i) {
    const PhaseTimer timer(cell, Phase::kConvolveBack);
    const UnitWork& w = work[i];
    kernels::convolve_back(w.unit->convolution, w.unit->weights, &scratch.source, w.g, w.raw, w.norm,
                           g != nullptr ? scratch.gradient.data() : nullptr, i > 0, w.weights,
                           scratch.convolution);
  }
  if (g == nullptr) return;
  const PhaseTimer timer(cell, Phase::kGather);
  kernels::gather_gradient(layout, scratch.gradient.data(), x, {.relu = true}, accumulate, g);
}

}  // namespace

void back_through_image(int cell, const std::vector<UnitWork>& work, const float* x, bool accumulate,
                        float* g, ThreadScratch& scratch) {
  if (all_spread(work)) {
    back_at_once(cell, work, accumulate, g, scratch);
  } else {
    back_in_turn(cell, work, x, accumulate, g, scratch);
  }
}

}  // namespace ptnas
