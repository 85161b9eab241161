#pragma once

#include <torch/nn/module.h>

#include <cstdint>

namespace ptnas {

/// Batch normalisation over [N, C, H, W] with eps 1e-5 and momentum 0.1, as the published networks have it:
/// parameters `weight` and `bias` [C] when affine, buffers `running_mean`, `running_var` [C] and
/// `num_batches_tracked`. Training mode normalises by the batch and updates the running statistics unless
/// they are frozen or the input has one value a channel; evaluation mode normalises by the running ones.
class BatchNorm : public torch::nn::Module {
 public:
  BatchNorm(std::int64_t channels, bool affine);
  torch::Tensor forward(const torch::Tensor& input);

  /// While frozen, training mode leaves the running statistics untouched, to the bit.
  void set_frozen(bool frozen) { frozen_ = frozen; }
  bool frozen() const { return frozen_; }

  const torch::Tensor& weight() const { return weight_; }  ///< undefined where not affine
  const torch::Tensor& bias() const { return bias_; }
  const torch::Tensor& running_mean() const { return running_mean_; }
  const torch::Tensor& running_var() const { return running_var_; }
  /// Whether a forward pass over `values` values a channel updates the running statistics.
  bool updates_statistics(std::int64_t values) const { return is_training() && !frozen_ && values > 1; }
  /// That update, for an engine that has measured the batch's statistics itself: `variance` unbiased.
  void update_statistics(const double* mean, const double* variance);

  static constexpr double kEpsilon = 1e-5;
  static constexpr double kMomentum = 0.1;

 private:
  torch::Tensor weight_, bias_, running_mean_, running_var_, batches_;
  bool frozen_ = false;
};

}  // namespace ptnas
