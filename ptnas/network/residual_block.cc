#include "ptnas/network/residual_block.h"

#include "ptnas/network/fused_convolution.h"
#include "ptnas/network/layout.h"

namespace ptnas {

namespace {

torch::Tensor pool_half(const torch::Tensor& input) {
  const torch::Tensor x = kChannelsLastIsRight ? input : input.contiguous();
  return torch::avg_pool2d(x, 2, 2, 0, /*ceil_mode=*/true);
}

}  // namespace

ResidualBlock::ResidualBlock(int in, int out, Engine engine)
    : engine_(engine), shortcut_(make_convolution(in, out, 1)) {
  first_ = register_module("conv_a", std::make_shared<ReluConvBn>(in, out, /*affine=*/true, 3, 2));
  second_ = register_module("conv_b", std::make_shared<ReluConvBn>(out, out, /*affine=*/true, 3));
  auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
  downsample->register_module("1", shortcut_);
}

torch::Tensor ResidualBlock::forward(const torch::Tensor& input) {
  if (engine_ != Engine::kPlain) return forward_fused(input);
  const torch::Tensor shortcut = shortcut_->forward(pool_half(input));
  return shortcut + second_->forward(first_->forward(input));
}

// The pool is libtorch's: it makes no sums over images.
torch::Tensor ResidualBlock::forward_fused(const torch::Tensor& input) const {
  const OperationParts first = first_->parts(), second = second_->parts();
  const torch::Tensor inner = fused_convolution(input, first.first, first.norm, {.relu = true, .stride = 2});
  return fused_convolution(pool_half(input), shortcut_->weight, nullptr) +
         fused_convolution(inner, second.first, second.norm, {.relu = true});
}

}  // namespace ptnas
