#pragma once

#include <cstddef>

namespace ptnas::kernels {

// Kernels of batch-norm and of a node's weighted sum. All are single-threaded and work on consecutive pixels
// [pixel][channel]; `table`s are period tables (padded.h).

/// Sum and sum of squares by channel of x - pivot, where the pivot is x's first pixel (so that squares do not
/// cancel).
struct Moments {
  double* mean;  ///< [channels] of these pixels
  double* m2;    ///< [channels] sum of (x - mean)^2
};
void channel_moments(const float* x, std::size_t pixels, int channels, const Moments& moments);

/// sum_g[c] = sum of g, sum_gx[c] = sum of g (x - center): what the way back through a batch-norm needs.
/// `center` by channel is a table; null x: sum_g alone.
void gradient_sums(const float* g, const float* x, const float* center_table, std::size_t pixels,
                   int channels, double* sum_g, double* sum_gx);

/// One summand of a node: scale x.
struct MixTerm {
  const float* x;
  const float* scale_table;
};
/// out = sum of the terms + constant, or out += where `accumulate`. Nothing beyond the pixels is read or
/// written.
void mix(const MixTerm* terms, int count, const float* constant_table, std::size_t pixels, int channels,
         bool accumulate, float* out);

/// out[pixel * out_step + c] = x[pixel * x_step + c].
void copy_pixels(const float* x, std::size_t x_step, std::size_t pixels, int channels, float* out,
                 std::size_t out_step);

}  // namespace ptnas::kernels
