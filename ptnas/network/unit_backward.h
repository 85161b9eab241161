// Convolutions' way back for one image: internal to the fused engine.
#pragma once

#include <vector>

#include "ptnas/network/cell_record.h"

namespace ptnas {

/// A unit on one image: g is the gradient of its norm's output, [H][W][C] as raw.
struct UnitWork {
  const UnitRecord* unit;
  const float *g, *raw;
  kernels::NormGradient norm;
  kernels::WeightGradient weights;
};

/// The units' common source, padded, is scratch.source. Onto g (+)= its gradient [H][W][C], or none where g
/// is null; x: the image before its ReLU. `cell` is where the time goes in a profile.
void back_through_image(int cell, const std::vector<UnitWork>& work, const float* x, bool accumulate,
                        float* g, ThreadScratch& scratch);

}  // namespace ptnas
