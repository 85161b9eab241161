#include "ptnas/ops/batch_norm.h"

namespace ptnas {

BatchNorm::BatchNorm(std::int64_t channels, bool affine) {
  if (affine) {
    weight_ = register_parameter("weight", torch::ones({channels}));
    bias_ = register_parameter("bias", torch::zeros({channels}));
  }
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}));
  running_var_ = register_buffer("running_var", torch::ones({channels}));
  batches_ = register_buffer("num_batches_tracked", torch::zeros({}, torch::kLong));
}

torch::Tensor BatchNorm::forward(const torch::Tensor& input) {
  // One value a channel has no unbiased variance: the running one would become NaN for good.
  const bool updates = input.size(1) > 0 && updates_statistics(input.numel() / input.size(1));
  const bool untouched = is_training() && !updates;
  if (updates) batches_.add_(1);
  const torch::Tensor none;
  return torch::batch_norm(input, weight_, bias_, untouched ? none : running_mean_,
                           untouched ? none : running_var_, is_training(), kMomentum, kEpsilon,
                           /*cudnn_enabled=*/true);
}

void BatchNorm::update_statistics(const double* mean, const double* variance) {
  batches_.add_(1);
  float* means = running_mean_.data_ptr<float>();
  float* variances = running_var_.data_ptr<float>();
  for (std::int64_t c = 0; c < running_mean_.numel(); ++c) {
    means[c] = static_cast<float>((1 - kMomentum) * static_cast<double>(means[c]) + kMomentum * mean[c]);
    variances[c] =
        static_cast<float>((1 - kMomentum) * static_cast<double>(variances[c]) + kMomentum * variance[c]);
  }
}

}  // namespace ptnas
