#pragma once

#include <torch/types.h>

#include <memory>

#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// What is done to the images before, and the stride: 1 or 2.
struct FusedConvolutionOptions {
  bool relu = false;
  int stride = 1;
};

/// A dense convolution of padding k / 2 and no bias, followed by a batch-norm or, where that is nullptr, by
/// nothing: stems and residual blocks. One autograd node on the kernels of the fused engine, channels-last;
/// the same bits for any number of threads. images [N, in, H, W], weight [out, in, k, k] -> [N, out, ceil(H /
/// stride), ceil(W / stride)], float32 on the CPU.
torch::Tensor fused_convolution(const torch::Tensor& images, const torch::Tensor& weight,
                                const std::shared_ptr<BatchNorm>& norm,
                                const FusedConvolutionOptions& options = {});

}  // namespace ptnas
