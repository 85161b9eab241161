#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include <memory>
#include <vector>

#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// Convolutions 3x3 of stride 2 and padding 1 without bias, an affine batch-norm after each and a ReLU
/// between them: a part of the stem for ImageNet. Children as in the published program, numbered with the
/// ReLUs.
class StridedConvolutions final : public torch::nn::Module {
 public:
  /// `channels`: of the input and after each convolution. `relu_first`: begins with a ReLU.
  StridedConvolutions(const std::vector<int>& channels, bool relu_first);
  /// [N, C, H, W] -> ceil(H / 2), ceil(W / 2) at each convolution.
  torch::Tensor forward(torch::Tensor x);

 private:
  bool relu_first_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<std::shared_ptr<BatchNorm>> norms_;
};

/// The stem of DARTS' ImageNet network (StemKind::kImageNet), on any device, by libtorch: its parts become
/// the children stem0 and stem1 of `network`.
class ImageNetStem {
 public:
  ImageNetStem(torch::nn::Module& network, int image_channels, int channels);

  /// The first cell's inputs.
  struct Output {
    torch::Tensor older;  ///< [N, C, H/4, W/4]
    torch::Tensor newer;  ///< [N, C, H/8, W/8]
  };
  Output forward(const torch::Tensor& images);

 private:
  std::shared_ptr<StridedConvolutions> first_, second_;
};

}  // namespace ptnas
