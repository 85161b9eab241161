#include "ptnas/ops/batch_norm.h"

namespace ptnas {

namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

}  // namespace

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
  const bool untouched = is_training() && (frozen_ || input.numel() == input.size(1));
  if (is_training() && !untouched) batches_.add_(1);
  const torch::Tensor none;
  return torch::batch_norm(input, weight_, bias_, untouched ? none : running_mean_,
                           untouched ? none : running_var_, is_training(), kMomentum, kEpsilon,
                           /*cudnn_enabled=*/true);
}

}  // namespace ptnas
