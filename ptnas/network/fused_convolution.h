#pragma once

#include <torch/types.h>

#include <memory>

#include "ptnas/ops/batch_norm.h"

namespace ptnas {

/// A dense convolution of stride 1, padding k / 2 and no bias, followed by a batch-norm, on images that want
/// no gradient: the stem. One autograd node on the kernels of the fused engine, channels-last; the same bits
/// for any number of threads. images [N, in, H, W], weight [out, in, k, k] -> [N, out, H, W], float32 on the
/// CPU.
torch::Tensor fused_convolution(const torch::Tensor& images, const torch::Tensor& weight,
                                const std::shared_ptr<BatchNorm>& norm);

}  // namespace ptnas
