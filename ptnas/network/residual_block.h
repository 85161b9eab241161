#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include "ptnas/network/engine.h"
#include "ptnas/ops/preprocess.h"

namespace ptnas {

/// NAS-Bench-201's block between two stages: twice ReLU, conv3x3, affine batch-norm, the first of stride 2;
/// the shortcut is a 2x2 average pool (odd sizes are rounded up) and conv1x1 without batch-norm. Children
/// "conv_a", "conv_b" and "downsample.1". Not thread-safe.
class ResidualBlock final : public torch::nn::Module {
 public:
  ResidualBlock(int in, int out, Engine engine);
  /// [N, in, H, W] -> [N, out, ceil(H/2), ceil(W/2)].
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::Tensor forward_fused(const torch::Tensor& input) const;

  Engine engine_;
  std::shared_ptr<ReluConvBn> first_, second_;
  torch::nn::Conv2d shortcut_{nullptr};
};

}  // namespace ptnas
