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

/// The moments from sums of x - pivot and of its square by position in the period, [2][period].
void finish_moments(const double* sums, const float* pivot, std::size_t pixels, int channels,
                    const Moments& moments);

/// sum[c] = sum of g.
void channel_sums(const float* g, std::size_t pixels, int channels, double* sum);
/// sum[c] = sum of g (x - center); `center` by channel is a table.
void product_sums(const float* g, const float* x, const float* center_table, std::size_t pixels, int channels,
                  double* sum);
/// Both: what the way back through a batch-norm needs.
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
