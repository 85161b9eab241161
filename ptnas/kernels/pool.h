#pragma once

#include <cstddef>

#include "ptnas/kernels/convolution.h"

namespace ptnas::kernels {

/// Which 3x3 pool (padding 1; padding is not counted in an average).
enum class PoolKind { kMaximum, kAverage };

/// Buffers of one thread, grown as needed.
struct PoolScratch {
  Padded maximum, average, gradient;
  Floats rows, shares;
};

/// Pools one image x [H][W][C] of `layout` (halo at least 1) -> out [ceil(H / stride)][ceil(W / stride)][C].
void pool(PoolKind kind, const PaddedLayout& layout, const float* x, float* out, PoolScratch& scratch);

/// Adds to dx [H][W][C] what comes back from the pool's output: its gradient is `norm` of g and `out` (pool's
/// own output). A maximum's gradient goes to the first of equals in the window, row by row.
void pool_back(PoolKind kind, const PaddedLayout& layout, const float* x, const float* out, const float* g,
               const NormGradient& norm, float* dx, PoolScratch& scratch);

}  // namespace ptnas::kernels
