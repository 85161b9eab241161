#pragma once

#include <torch/types.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "ptnas/kernels/convolution.h"
#include "ptnas/kernels/norm.h"
#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// One batch-norm in one pass of the fused engine: y = gamma (x - mean) / sigma + beta over raw values x [N,
/// H, W, C]. Its sums are kept image by image and added in their order, in double precision, so that the bits
/// do not depend on threads. Distinct images may be filled by distinct threads.
class FusedNorm {
 public:
  // The way there: begin, image (every image, only where it wants moments), finish.
  void begin(const BatchNorm& norm, std::int64_t images, std::int64_t pixels, int channels);
  bool begun() const { return !mean_.empty(); }
  bool wants_moments() const { return by_batch_; }
  kernels::Moments image(std::int64_t n) {
    double* at = moments_.get() + 2 * static_cast<std::size_t>(n) * channels();
    return {at, at + channels()};
  }
  /// Statistics from the images' moments, or the running ones; in training updates `norm`'s. The moments may
  /// be those of another over the same values.
  void finish(BatchNorm& norm) { finish(norm, *this); }
  void finish(BatchNorm& norm, const FusedNorm& measured);

  /// y = x scale + bias (period tables).
  const float* scale() const { return scale_.data(); }
  const float* bias() const { return bias_.data(); }
  double scale(std::size_t c) const { return gamma(c) * inverse_[c]; }
  double bias(std::size_t c) const { return beta(c) - mean_[c] * scale(c); }
  const float* center() const { return center_.data(); }  ///< the mean, as a period table

  // The way back: begin_back, sums (every image), finish_back.
  void begin_back();
  double* sum_g(std::int64_t n) { return sums_.get() + 2 * static_cast<std::size_t>(n) * channels(); }
  double* sum_gx(std::int64_t n) { return sum_g(n) + channels(); }  ///< sum of g (x - mean)
  /// Where y enters with weight `weight` and sample factors that are in g's sums already.
  void finish_back(double weight);
  /// The gradient of x is g_scale g + raw_scale x + constant, g the gradient of the weighted y over `weight`.
  kernels::NormGradient gradient() const { return {g_scale_.data(), raw_scale_.data(), constant_.data()}; }
  double raw_scale(std::size_t c) const { return raw_scales_[c]; }
  double constant(std::size_t c) const { return constants_[c]; }
  /// Sum of g y over all pixels: the gradient of `weight`.
  double weight_gradient() const;
  torch::Tensor gamma_gradient() const;
  torch::Tensor beta_gradient() const;

 private:
  std::size_t channels() const { return mean_.size(); }
  double gamma(std::size_t c) const { return gamma_.empty() ? 1 : gamma_[c]; }
  double beta(std::size_t c) const { return beta_.empty() ? 0 : beta_[c]; }
  const double* image_mean(std::int64_t n) const {
    return moments_.get() + 2 * static_cast<std::size_t>(n) * channels();
  }
  void make_tables();

  bool by_batch_ = true;
  std::int64_t images_ = 0, pixels_ = 0;
  std::unique_ptr<double[]> moments_;                  // [images][mean, m2][channels]
  std::vector<double> mean_, inverse_, gamma_, beta_;  // inverse: 1 / sigma
  std::vector<double> variance_;                       // unbiased, of the batch
  kernels::Floats scale_, bias_, center_;
  std::unique_ptr<double[]> sums_;          // [images][g, g (x - mean)][channels]
  std::vector<double> total_g_, total_gx_;  // the latter of g (x - mean) / sigma
  std::vector<double> raw_scales_, constants_;
  double weight_ = 1;
  kernels::Floats g_scale_, raw_scale_, constant_;
};

}  // namespace ptnas
