#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include "ptnas/ops/operation.h"

namespace ptnas {

/// What brings a cell's input to the cell's channels: [N, in, H, W] -> [N, out, ..].
class Preprocess : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;
  virtual OperationParts parts() const = 0;
};

/// ReLU, convolution kernel x kernel with padding kernel / 2, batch-norm: [N, in, H, W] -> [N, out,
/// ceil(H / stride), ceil(W / stride)]. Children "op.1" and "op.2".
class ReluConvBn final : public Preprocess {
 public:
  ReluConvBn(int in, int out, bool affine, int kernel = 1, int stride = 1);
  torch::Tensor forward(const torch::Tensor& input) override { return forward_rectified(torch::relu(input)); }
  OperationParts parts() const override {
    return {.kind = OperationParts::Kind::kDense, .first = conv_->weight, .norm = norm_};
  }
  /// What follows the ReLU.
  torch::Tensor forward_rectified(const torch::Tensor& x);

 private:
  torch::nn::Conv2d conv_{nullptr};
  std::shared_ptr<BatchNorm> norm_;
};

/// ReLU, two conv1x1 of stride 2 on x and on x[:, :, 1:, 1:] (out/2 channels each, the first takes the odd
/// one), concatenated, batch-norm: [N, in, H, W] -> [N, out, ceil(H/2), ceil(W/2)]; odd sizes are zero-padded
/// right and below.
class FactorizedReduce final : public Preprocess {
 public:
  FactorizedReduce(int in, int out, bool affine);
  torch::Tensor forward(const torch::Tensor& input) override { return forward_rectified(torch::relu(input)); }
  OperationParts parts() const override {
    return {.kind = OperationParts::Kind::kFactorizedReduce,
            .first = first_->weight,
            .second = second_ ? second_->weight : torch::Tensor(),
            .norm = norm_};
  }
  /// What follows the ReLU.
  torch::Tensor forward_rectified(torch::Tensor x);

 private:
  torch::nn::Conv2d first_{nullptr}, second_{nullptr};
  std::shared_ptr<BatchNorm> norm_;
};

}  // namespace ptnas
