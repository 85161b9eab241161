#include "ptnas/ops/preprocess.h"

#include "ptnas/ops/operation.h"

namespace ptnas {

torch::nn::Conv2d make_convolution(int in, int out, int kernel, int stride, int padding, int dilation,
                                   int groups) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                               .stride(stride)
                               .padding(padding)
                               .dilation(dilation)
                               .groups(groups)
                               .bias(false));
}

ReluConvBn::ReluConvBn(int in, int out, bool affine, int kernel, int stride)
    : conv_(make_convolution(in, out, kernel, stride, kernel / 2)) {
  auto op = std::make_shared<torch::nn::Module>();
  op->register_module("1", conv_);
  norm_ = op->register_module("2", std::make_shared<BatchNorm>(out, affine));
  register_module("op", op);
}

torch::Tensor ReluConvBn::forward_rectified(const torch::Tensor& x) {
  return norm_->forward(conv_->forward(x));
}

FactorizedReduce::FactorizedReduce(int in, int out, bool affine)
    : first_(make_convolution(in, out - out / 2, 1, 2)) {
  register_module("conv_1", first_);
  // One channel has no second half.
  if (out / 2 > 0) second_ = register_module("conv_2", make_convolution(in, out / 2, 1, 2));
  norm_ = register_module("bn", std::make_shared<BatchNorm>(out, affine));
}

torch::Tensor FactorizedReduce::forward_rectified(torch::Tensor x) {
  const std::int64_t below = x.size(2) % 2, right = x.size(3) % 2;
  if (below + right > 0) x = torch::constant_pad_nd(x, {0, right, 0, below});
  const torch::Tensor first = first_->forward(x);
  if (!second_) return norm_->forward(first);
  const torch::Tensor shifted = x.slice(2, 1).slice(3, 1);
  return norm_->forward(torch::cat({first, second_->forward(shifted)}, 1));
}

}  // namespace ptnas
