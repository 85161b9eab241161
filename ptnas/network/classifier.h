#pragma once

#include <torch/nn/module.h>

#include "ptnas/ops/operation.h"

namespace ptnas {

/// A network that tells classes apart and can be trained by the ordinary recipe. Not thread-safe.
class Classifier : public torch::nn::Module {
 public:
  struct Output {
    torch::Tensor logits;     ///< [N, classes]
    torch::Tensor auxiliary;  ///< [N, classes] in training with an auxiliary head, else undefined
  };
  /// `images` [N, C, H, W]; `drop_path`: probability of dropping an operation's output for a sample, in
  /// training only and where there are such.
  virtual Output forward(const torch::Tensor& images, double drop_path, const ForwardContext& context) = 0;
};

}  // namespace ptnas
